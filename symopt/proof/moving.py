"""What worlds know beside: slopes as differences, where an expression is smallest, by search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mpmath import mp
from sympy import Basic, Expr, Indexed
from sympy.core.function import AppliedUndef

from symopt.nodes import Argmin, Gradient, Norm, Proximal
from symopt.proof.numbers import Number, Undefined, floating, real
from symopt.proof.unknown_functions import SHIFT, moved, slope, stands

if TYPE_CHECKING:  # a point hands itself to these functions
    from symopt.proof.evaluation import Point

# a minimum is looked for this far from 0, until it is known this well
_FAR, _NEAR = 1000, mp.mpf(10) ** -32


def _slope(expr: Gradient, point: Point, bound: Mapping[Basic, Number]) -> Number:
    """A loss with arguments, moved by a little in one letter; nothing of what it is is used."""
    letter = expr.variable
    if not stands(letter, expr.loss) and not _reads(expr.loss, letter, point):
        return slope(expr, point, bound)
    up, down = (
        floating(moved(point, letter, shift, bound).evaluate(expr.loss, bound))
        for shift in (SHIFT, -SHIFT)
    )
    return (up - down) / (2 * floating(SHIFT))


def _reads(loss: Expr, letter: Basic, point: Point) -> bool:
    """Whether what a function is reads entries of a letter: R(θ) = Σ θ_l²."""
    if not isinstance(letter, Indexed) or not isinstance(loss, AppliedUndef):
        return False
    return letter.base in loss.args and any(
        isinstance(one.lhs, AppliedUndef) and one.lhs.func == loss.func for one in point.definitions
    )


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
