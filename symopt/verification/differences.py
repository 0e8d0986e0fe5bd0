"""Equations at 500 digits, and slopes by central differences.

No rule of differentiation is trusted here. With a step of 10^-40 of what is moved, or of a group's
spread, the difference quotient is off by some 10^-80 through what is left out of it. What moves by
10^-420 of what it is added to, as a parameter does with an epsilon beside squares of 10^180, keeps
80 digits. How large a gradient's terms are and how far off a kernel may be is told by the chain
rule, whose value must agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from itertools import combinations
from typing import Any

from mpmath.ctx_mp import MPContext
from sympy import Abs, Basic, Max, Min, S, ceiling, floor, lambdify, preorder_traversal, sign
from sympy.core.relational import Relational

from symopt.verification.quantity import HIGH, UNBOUNDED, Quantity
from symopt.views import canonical

FINE = MPContext()  # a context of our own: nobody else's precision changes
FINE.dps = 500
STEP = FINE.mpf(10) ** -40  # relative to what is moved
STEPS_AT_ZERO = tuple(FINE.mpf(10) ** -digits for digits in (60, 120, 180, 240, 480))

_AGREEMENT = 1e-20
_KINK = 1e-15
_SAME = FINE.mpf(10) ** -200


def _extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    """The largest or the smallest of several numbers, none where one of them is none."""

    def of(*numbers: Any) -> Any:
        return FINE.nan if any(map(FINE.isnan, numbers)) else choose(numbers)

    return of


_FUNCTIONS = {
    **{
        one: getattr(FINE, one)
        for one in ("mpf", "sqrt", "exp", "log", "sin", "cos", "tanh", "erf")
    },
    **{"floor": FINE.floor, "ceil": FINE.ceil, "ceiling": FINE.ceil, "sign": FINE.sign},
    **{"Max": _extreme(max), "Min": _extreme(min), "abs": abs, "Abs": abs},
    **{"pi": FINE.pi, "e": FINE.e},
}

Values = Mapping[Basic, Any]
_Function = tuple[list[Basic], Callable[..., Any]]


class Fine:
    """Equations, each a letter and its right side, as functions of exact numbers."""

    def __init__(self, equations: Iterable[tuple[Basic, Basic]]) -> None:
        self._rights = [(letter, canonical(right)) for letter, right in equations]
        self._steps = [(letter, _function(right)) for letter, right in self._rights]

    def values(self, inputs: Values) -> dict[Basic, Any]:
        """Each letter's value, from those that no line defines."""
        known = dict(inputs)
        for letter, function in self._steps:
            known[letter] = _value(function, known)
        return known

    def at_kink(self, known: Values) -> bool:
        """Whether some part of a line stands where it has a kink or a jump."""
        for left, right in self._switches:
            one, other = (_value(side, known) for side in (left, right))
            if abs(one - other) <= _SAME * max(abs(one), abs(other)):
                return True
        return False

    @property
    def smooth(self) -> bool:
        """Whether no line has a kink or a jump anywhere."""
        return not self._switches

    @cached_property
    def _switches(self) -> list[tuple[_Function, _Function]]:
        """Pairs of numbers that are the same at a kink."""
        nodes = {node for _, right in self._rights for node in preorder_traversal(right)}
        pairs = {pair for node in nodes for pair in _alike_at_kinks(node)}
        return [(_function(left), _function(right)) for left, right in pairs]


def _function(expr: Basic) -> _Function:
    letters = sorted(expr.free_symbols, key=str)
    return letters, lambdify(letters, expr, [_FUNCTIONS, "mpmath"])


def _value(function: _Function, known: Values) -> Any:
    letters, compute = function
    return compute(*[known[one] for one in letters])


def _alike_at_kinks(node: Basic) -> Iterable[tuple[Basic, Basic]]:
    """What is the same where a node has a kink or a jump."""
    if isinstance(node, Max | Min):
        return combinations(node.args, 2)
    if isinstance(node, Relational):
        return [(node.args[0], node.args[1])]
    if isinstance(node, Abs | sign):
        return [(node.args[0], S.Zero)]
    if isinstance(node, floor | ceiling):
        return [(node.args[0], node)]
    return []


def beside(number: Any, like: Any = 0) -> tuple[Any, ...]:
    """How far a number is moved; where it is zero, as one of another size would be.

    Where there is no such size it may be that of a decay, of which 1 is much, or of an epsilon
    beside tiny squares; what starts as a square has a difference as small as the step. So one of
    several steps must do.
    """
    by = STEP * abs(FINE.mpf(number)) or STEP * abs(like)
    return (by,) if by else STEPS_AT_ZERO


def slope(
    below: Values | None, here: Values, above: Values | None, weights: Values, by: Any
) -> tuple[Any, Any]:
    """The central difference of a weighted sum of letters, and how much left and right differ.

    Each letter's difference is taken by itself, so that none drowns in another's value. Where there
    is no number on one side, as at the end of a range, it is the difference of the other.
    """
    low, high = here if below is None else below, here if above is None else above
    whole = apart = FINE.zero
    for letter, weight in weights.items():
        whole += weight * (high[letter] - low[letter])
        apart += abs(weight * (high[letter] + low[letter] - 2 * here[letter]))
    if below is None or above is None:
        return whole / by, FINE.zero
    return whole / (2 * by), apart / by


def trusted(
    chained: Quantity,
    slopes: Iterable[tuple[Any, Any]],
    tiny: float,
    smooth: bool,
    at_kink: Callable[[], bool],
    what: str,
) -> Quantity:
    """A gradient by the chain rule, with a central difference for its value, the first that agrees.

    What is ``smooth`` must agree to many digits; elsewhere rounding may choose another branch.
    Without a bound at a kink, where any number between the slopes would do. Kinks may cancel:
    max(x, 0) + log(1 + exp(-|x|)) has a slope of 1/2 at 0, and none by the branches.
    """
    # a size that falls below doubles is zero; what a kernel may be off by is not
    size = max(HIGH.mpf(chained.size), HIGH.mpf(chained.error), HIGH.mpf(tiny))
    value = apart = HIGH.zero
    for value, apart in slopes:
        off = abs(value - chained.value)
        if apart > _KINK * size:
            continue
        if off <= _AGREEMENT * size:
            # what a step leaves out may be more than what nothing is lost of
            sharp = chained.error <= _AGREEMENT * size
            return chained if sharp else chained._replace(value=HIGH.mpf(value))
        if off <= chained.error and not smooth:
            # rounding decides between branches, which may have a small share in the sum
            return chained._replace(value=HIGH.mpf(value))
    if apart > _KINK * size or at_kink():
        return UNBOUNDED
    raise AssertionError(
        f"{what}: the chain rule gives {chained.value}, central differences {HIGH.mpf(value)}"
    )
