"""What an expression is worth at a point: exact fractions, 50 digits where roots come in.

Sums are written out term by term. What proves shares nothing of this: it is the second opinion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from itertools import zip_longest
from typing import Any

import mpmath
from mpmath import mp
from sympy import Basic, Eq, Expr, IndexedBase, Symbol, exp
from sympy.core.function import AppliedUndef

from symopt.nodes import Largest, Sigma
from symopt.notation import Index
from symopt.printing.unicode import unicode
from symopt.proof.node_values import WAYS, parts
from symopt.proof.numbers import Number, Undefined, Unknown, finite, floating
from symopt.proof.unknown_functions import called

# no recurrence is followed back beyond this step
_FIRST = -9


Entries = Mapping[tuple[Basic, tuple[int, ...]], Number]


@dataclass(frozen=True)
class Point:
    """Values of symbols, of entries (by base and whole numbers), and what functions stand for.

    Letters and entries of which ``definitions`` speak are computed from them. A mean is one over
    ``outcomes``: how likely each is, and the entries that are other ones then. Sums without bounds
    have as many terms as the ``size`` says; kinds of nodes may have further ``ways`` to a value.
    """

    symbols: Mapping[Basic, Number] = field(default_factory=dict)
    entries: Entries = field(default_factory=dict)
    functions: Mapping[Any, Callable[..., Number]] = field(default_factory=dict)
    definitions: tuple[Eq, ...] = ()
    outcomes: tuple[tuple[Number, Entries], ...] = ()
    size: int | None = None
    ways: tuple[tuple[Any, Callable[..., Number]], ...] = ()
    _found: dict[Any, Number] = field(default_factory=dict, init=False, compare=False, repr=False)

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

    def entry(self, base: Basic, places: tuple[int, ...], bound: Mapping[Basic, Number]) -> Number:
        """The value of an entry, computed once if no definition has an index of the line around it.

        Raises
        ------
        Undefined
            Where no definition reaches.
        """
        if (base, places) in self.entries:
            return self.entries[base, places]
        key = base, places, mp.prec
        if key in self._found:
            return self._found[key]
        right, known = self.worth(base, places)
        value = self.evaluate(right, {**bound, **known})
        if _closed(self.definitions):
            self._found[key] = value
        return value

    def number(self, letter: Basic, bound: Mapping[Basic, Number]) -> Number:
        """The value of a letter that a definition speaks of, likewise.

        Raises
        ------
        Unknown
            Where there is none.
        """
        key = letter, mp.prec
        if key in self._found:
            return self._found[key]
        right = next((one.rhs for one in self.definitions if one.lhs == letter), None)
        if right is None:
            raise Unknown(f"the value of {unicode(letter)}")
        value = self.evaluate(right, bound)
        if _closed(self.definitions):
            self._found[key] = value
        return value

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


@lru_cache(maxsize=256)
def _closed(definitions: tuple[Eq, ...]) -> bool:
    """Whether what definitions say depends on no index but those of what they define."""
    return all(free_indices(one.rhs) <= free_indices(one.lhs) for one in definitions)


def _matched(indices: tuple[Expr, ...], places: tuple[int, ...]) -> dict[Basic, Number] | None:
    """What indices are worth if an entry with them stands at some places.

    An entry that leaves its component out is that of any component, the first for instance; a
    component of what has none is all of it.
    """
    known: dict[Basic, Number] = {}
    for index, place in zip_longest(indices, places, fillvalue=None):
        if index is None:
            continue
        if place is None and not _component(index):
            return None
        if index.is_Integer and index == place:
            continue
        if len(index.free_symbols) != 1:
            return None
        letter = next(iter(index.free_symbols))
        known[letter] = Fraction(1 if place is None else place - int(index - letter))
    return known


def free_indices(expr: Basic) -> set[Index]:
    """The indices that no sum in an expression binds."""
    if isinstance(expr, Index):
        return {expr}
    found = {one for part in expr.args for one in free_indices(part)}
    if isinstance(expr, Sigma | Largest):
        found = free_indices(expr.args[0]) - {expr.index}
        found |= {one for end in expr.args[1][1:] for one in free_indices(end)}
    return found


def _component(index: Basic) -> bool:
    return isinstance(index, Index) and index.counts == "component"


def _evaluate(expr: Basic, point: Point, bound: Mapping[Basic, Number]) -> Number:
    if expr.is_Rational:
        return Fraction(int(expr.p), int(expr.q))
    if isinstance(expr, Symbol):
        if expr in bound:
            return bound[expr]
        if expr in point.symbols:
            return point.symbols[expr]
        return point.number(expr, bound)
    for kind, how in (*point.ways, *WAYS):
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
