"""A group's forward pass at 250 digits, and its slopes by central differences.

No rule of differentiation is trusted here. With a step of 10^-40 of the data's spread the
difference quotient is off by some 10^-80 through what is left out of it, and by less than 10^-60
through cancellation, even where data of 10^-90 stand beside parameters of 1. How large a gradient's
terms are and how far off a kernel may be is told by the chain rule, whose value must agree.
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
from symopt.verification.unrolled import Line
from symopt.views import canonical

FINE = MPContext()  # a context of our own: nobody else's precision changes
FINE.dps = 250
STEP = FINE.mpf(10) ** -40

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
    """Lines as functions of exact numbers."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._rights = [(line.letter, canonical(line.right)) for line in lines]
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


def slope(below: Values, here: Values, above: Values, weights: Values, by: Any) -> tuple[Any, Any]:
    """The central difference of a weighted sum of letters, and how much left and right differ.

    Each letter's difference is taken by itself, so that none drowns in another's value.
    """
    whole = apart = FINE.zero
    for letter, weight in weights.items():
        whole += weight * (above[letter] - below[letter])
        apart += abs(weight * (above[letter] + below[letter] - 2 * here[letter]))
    return whole / (2 * by), apart / by


def trusted(
    chained: Quantity, slope: tuple[Any, Any], tiny: float, at_kink: Callable[[], bool], what: str
) -> Quantity:
    """A gradient by the chain rule, with a central difference for its value.

    Without a bound at a kink, where any number between the slopes would do. Kinks may cancel:
    max(x, 0) + log(1 + exp(-|x|)) has a slope of 1/2 at 0, and none by the branches.
    """
    value, apart = slope
    size = HIGH.mpf(max(chained.size, tiny))
    if apart > _KINK * size:
        return UNBOUNDED
    value = HIGH.mpf(value)
    if abs(value - chained.value) > _AGREEMENT * size:
        if at_kink():
            return UNBOUNDED
        raise AssertionError(
            f"{what}: the chain rule gives {chained.value}, central differences {value}"
        )
    return chained._replace(value=value)
