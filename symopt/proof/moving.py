"""What worlds know beside: slopes as differences, where an expression is smallest, by search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mpmath import mp
from sympy import Basic, Expr, Indexed, IndexedBase
from sympy.core.function import AppliedUndef

from symopt.nodes import Argmin, Gradient, Norm, Proximal
from symopt.proof.numbers import Number, Undefined, Unknown, floating, real, whole
from symopt.proof.unknown_functions import bare_letters, takes_numbers

if TYPE_CHECKING:  # a point hands itself to these functions
    from symopt.proof.evaluation import Point

SHIFT = Fraction(1, 10**40)
_APART, _DIGITS = (SHIFT, -SHIFT), 120
# a minimum is looked for this far from 0, until it is known this well
_FAR, _NEAR = 1000, mp.mpf(10) ** -32


def _slope(expr: Gradient, point: Point, bound: Mapping[Basic, Number]) -> Number:
    """A loss moved by a little in one letter; nothing of what it is is used.

    A loss without arguments is one of that letter; of a loss that does not show the letter, the
    derivative by its one argument is meant.
    """
    loss, letter = expr.loss, expr.variable
    with mp.workdps(_DIGITS):
        if _stands(letter, loss) or _reads(loss, letter, point):
            sides = [_moved(point, letter, one, bound).evaluate(loss, bound) for one in _APART]
        elif loss.func not in point.functions or not takes_numbers(expr):
            raise Unknown("a gradient of an unknown loss")
        elif len(loss.args) < 2:
            (at,) = (point.evaluate(one, bound) for one in loss.args or (letter,))
            sides = [point.functions[loss.func](at + one) for one in _APART]
        else:
            return Fraction(0)
        up, down = map(floating, sides)
        return (up - down) / (2 * floating(SHIFT))


def _stands(letter: Basic, loss: Basic) -> bool:
    """Whether a loss shows a letter itself, not only entries of it as in L(θ_t − γ·v_t)."""
    if isinstance(letter, IndexedBase):
        return letter in bare_letters([loss])
    return bool(loss.has(letter))


def _reads(loss: Expr, letter: Basic, point: Point) -> bool:
    """Whether what a function is reads entries of a letter: R(θ) = Σ θ_l²."""
    if not isinstance(letter, Indexed) or not isinstance(loss, AppliedUndef):
        return False
    return letter.base in loss.args and any(
        isinstance(one.lhs, AppliedUndef) and one.lhs.func == loss.func for one in point.definitions
    )


def _moved(point: Point, letter: Basic, shift: Fraction, bound: Mapping[Basic, Number]) -> Point:
    """The point with a letter, or one of its entries, moved by a little."""
    value = point.evaluate(letter, bound) + shift
    if not isinstance(letter, Indexed):
        return replace(point, symbols={**point.symbols, letter: value})
    places = tuple(whole(point.evaluate(one, bound)) for one in letter.indices)
    return replace(point, entries={**point.entries, (letter.base, places): value})


def _smallest(expr: Argmin, point: Point, bound: Mapping[Basic, Number]) -> Number:
    """Where a convex expression is smallest, a third of what is left cut off each time."""
    body, letter = expr.args
    return _lowest(lambda z: point.evaluate(body, {**bound, letter: z}))


def _proximal(expr: Proximal, point: Point, bound: Mapping[Basic, Number]) -> Number:
    """By its definition: the smallest of half a square and the penalty of one component."""
    weight, place = (floating(point.evaluate(expr.args[k], bound)) for k in (0, 2))
    penalty = expr.args[1]
    (letter,) = penalty.args

    def value(z: Number) -> Number:
        alone = replace(point, size=1, entries={**point.entries, (letter, (1,)): z})
        return weight * floating(alone.evaluate(penalty, bound)) + (z - place) ** 2 / 2

    return _lowest(value)


def _lowest(value: Callable[[Number], Number]) -> Number:
    low, high = mp.mpf(-_FAR), mp.mpf(_FAR)
    while high - low > _NEAR:
        third = (high - low) / 3
        left, right = low + third, high - third
        if floating(real(value(left))) <= floating(real(value(right))):
            high = right
        else:
            low = left
    if not -_FAR / 2 < low < _FAR / 2:
        raise Undefined
    return (low + high) / 2


def _norm(expr: Norm, point: Point, bound: Mapping[Basic, Number]) -> Number:
    """The norm of an array with one component."""
    return abs(point.evaluate(expr.args[0], bound))


WORLD_WAYS: tuple[tuple[Any, Callable[..., Number]], ...] = (
    (Gradient, _slope),
    (Argmin, _smallest),
    (Proximal, _proximal),
    (Norm, _norm),
)
