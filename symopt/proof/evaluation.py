"""What an expression is worth at a point: exact fractions, 50 digits where roots come in.

Sums are written out term by term. What proves shares nothing of this: it is the second opinion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import mpmath
from mpmath import mp
from sympy import Basic, Eq, Expr, IndexedBase, Symbol, exp
from sympy.core.function import AppliedUndef

from symopt.printing.unicode import unicode
from symopt.proof.node_values import WAYS, parts
from symopt.proof.numbers import Number, Undefined, Unknown, finite, floating
from symopt.proof.unknown_functions import called

# no recurrence is followed back beyond this step
_FIRST = -9


@dataclass(frozen=True)
class Point:
    """Values of symbols, of entries (by base and whole numbers), and what functions stand for.

    Letters and entries of which ``definitions`` speak are computed from them.
    """

    symbols: Mapping[Basic, Number] = field(default_factory=dict)
    entries: Mapping[tuple[Basic, tuple[int, ...]], Number] = field(default_factory=dict)
    functions: Mapping[Any, Callable[..., Number]] = field(default_factory=dict)
    definitions: tuple[Eq, ...] = ()

    def evaluate(self, expr: Basic, bound: Mapping[Basic, Number] | None = None) -> Number:
        """The value of an expression.

        >>> from sympy import sqrt
        >>> from sympy.abc import x
        >>> Point({x: Fraction(9, 4)}).evaluate(sqrt(x) + 1)
        Fraction(5, 2)

        Raises
        ------
        Undefined
            Where there is none: 1/0, a comparison of complex numbers, a sum with negative length.
        Unknown
            For functions that have no numbers.
        """
        return _evaluate(expr, self, bound or {})

    def worth(self, base: Basic, places: tuple[int, ...]) -> tuple[Expr, dict[Basic, Number]]:
        """What an entry is defined as, and the value of the index there.

        Raises
        ------
        Undefined
            Where no definition reaches.
        """
        for one in self.definitions:
            if one.lhs.is_Indexed and one.lhs.base == base and one.lhs.indices == places:
                return one.rhs, {}
        for one in self.definitions:
            if one.lhs.is_Indexed and one.lhs.base == base and places[0] > _FIRST:
                known = _matched(one.lhs.indices, places)
                if known is not None:
                    return one.rhs, known
        raise Undefined


def _matched(indices: tuple[Expr, ...], places: tuple[int, ...]) -> dict[Basic, Number] | None:
    """What indices are worth if an entry with them stands at some places."""
    if len(indices) != len(places):
        return None
    known: dict[Basic, Number] = {}
    for index, place in zip(indices, places, strict=True):
        if index.is_Integer and index == place:
            continue
        if len(index.free_symbols) != 1:
            return None
        letter = next(iter(index.free_symbols))
        known[letter] = Fraction(place - int(index - letter))
    return known


def _evaluate(expr: Basic, point: Point, bound: Mapping[Basic, Number]) -> Number:
    if expr.is_Rational:
        return Fraction(int(expr.p), int(expr.q))
    if isinstance(expr, Symbol):
        if expr in bound:
            return bound[expr]
        if expr in point.symbols:
            return point.symbols[expr]
        for one in point.definitions:
            if one.lhs == expr:
                return _evaluate(one.rhs, point, {})
        raise Unknown(f"the value of {unicode(expr)}")
    for kind, how in WAYS:
        if isinstance(expr, kind):
            return how(expr, point, bound)
    if isinstance(expr, IndexedBase):
        if expr in point.symbols:
            return point.symbols[expr]
        raise Unknown(f"the value of {unicode(expr)}")
    if isinstance(expr, AppliedUndef):
        return called(expr, point, bound)
    if expr.is_number and expr.is_Atom:
        if expr.is_finite is False:
            raise Undefined
        return _known_number(expr)
    name = expr.func.__name__
    if name in _FUNCTIONS:
        try:
            return finite(_FUNCTIONS[name](*map(floating, parts(expr, point, bound))))
        except (ValueError, ZeroDivisionError, mpmath.libmp.NoConvergence) as error:
            raise Undefined from error
    raise Unknown(f"{name} in {unicode(expr)}")


def _known_number(expr: Basic) -> Number:
    name = type(expr).__name__
    known = {"Pi": mp.pi, "Exp1": mp.e, "ImaginaryUnit": mpmath.mpc(0, 1), "EulerGamma": mp.euler}
    if expr.is_Float:
        return Fraction(str(expr))  # 0.9 means 9/10, as it is printed
    if name not in known:
        raise Unknown(f"the number {unicode(expr)}")
    return +known[name]


_FUNCTIONS: dict[str, Callable[..., Number]] = {
    exp.__name__: mpmath.exp,
    **{
        name: getattr(mpmath, name)
        for name in (
            *("log", "sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth"),
            *("asin", "acos", "atan", "asinh", "acosh", "atanh", "atan2", "erf", "erfc", "gamma"),
        )
    },
}
