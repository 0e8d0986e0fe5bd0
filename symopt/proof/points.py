"""At which points two expressions are compared: the smallest first, then random ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import mpmath
from sympy import (
    Basic,
    Dummy,
    Eq,
    Expr,
    Indexed,
    Integer,
    Lambda,
    Product,
    Rational,
    Sum,
    Symbol,
    oo,
)
from sympy.core.function import AppliedUndef

from symopt.nodes import Largest, Sigma
from symopt.proof.assumptions import Setting, assumed
from symopt.proof.evaluation import Point
from symopt.proof.node_values import OPAQUE, holds
from symopt.proof.numbers import Number, Undefined, Unknown

_WHOLE = (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, 7, 10)
_BROKEN = ((1, 2), (-1, 2), (1, 3), (2, 3), (1, 4), (3, 4), (3, 2), (-1, 3), (9, 10), (1, 10))
# the simplest first: by the sum of what stands above and below the line
_SMALL = tuple(
    sorted(
        (*map(Fraction, _WHOLE), *(Fraction(*one) for one in _BROKEN)),
        key=lambda one: abs(one.numerator) + 2 * (one.denominator - 1),
    )
)
_COMPLEX = (
    *map(Fraction, (0, 1, -1)),
    *(mpmath.mpc(*one) for one in ((0, 1), (0, -1), (1, 1), (2, 1), (-1, 2), (-2, -1))),
)
_LARGEST_SIZE = 5


@dataclass(frozen=True)
class Unit:
    """What takes a value of its own at a point: a letter, an entry, a function, an opaque part.

    ``pool`` holds the values to be tried, the simplest first.
    """

    key: Any
    shown: Basic
    pool: tuple[Number, ...]
    drawn: Callable[[random.Random], Number]


def shapes(setting: Setting) -> Iterator[dict[Symbol, Fraction]]:
    """Values of all sizes, the smallest first."""
    pools = [
        [k for k in range(_LARGEST_SIZE + 1) if assumed(one, Integer(k))] for one in setting.sizes
    ]
    for choice in cheapest([len(pool) for pool in pools], len(setting.sizes) * _LARGEST_SIZE):
        values = (Fraction(pool[k]) for pool, k in zip(pools, choice, strict=True))
        yield dict(zip(setting.sizes, values, strict=True))


def cheapest(lengths: Sequence[int], most: int) -> Iterator[tuple[int, ...]]:
    """Places in several lists, those with the smallest total first, the earlier lists smallest.

    >>> list(cheapest([2, 2], 1))
    [(0, 0), (0, 1), (1, 0)]
    """
    for total in range(most + 1):
        yield from _with_total(lengths, total)


def _with_total(lengths: Sequence[int], total: int) -> Iterator[tuple[int, ...]]:
    if not lengths:
        if total == 0:
            yield ()
        return
    room = sum(length - 1 for length in lengths[1:])
    for first in range(max(0, total - room), min(total, lengths[0] - 1) + 1):
        for rest in _with_total(lengths[1:], total - first):
            yield (first, *rest)


def units(
    exprs: Sequence[Basic], sizes: Mapping[Symbol, Fraction], definitions: tuple[Eq, ...] = ()
) -> tuple[Unit, ...]:
    """All that takes a value in some expressions, once it is known how long their sums are.

    Raises
    ------
    Undefined
        For sums with a negative length.
    """
    found: dict[Any, Unit] = {}
    for expr in exprs:
        for key, shown in _ground(expr, Point(dict(sizes), definitions=definitions), {}):
            if key not in found and key not in sizes:
                found[key] = _unit(key, shown)
    order = sorted(found.values(), key=lambda one: (not one.shown.is_integer, str(one.shown)))
    return tuple(order)


def narrowed(several: Sequence[Unit], conditions: Sequence[Basic]) -> tuple[Unit, ...]:
    """The same units, of their values those that conditions on one letter alone allow."""
    found = []
    for unit in several:
        own = [one for one in conditions if one.free_symbols == {unit.key}]
        pool = tuple(one for one in unit.pool if _satisfies(unit.key, one, own))
        found.append(replace(unit, pool=pool or unit.pool) if own else unit)
    return tuple(found)


def _satisfies(letter: Basic, value: Number, conditions: Sequence[Basic]) -> bool:
    try:
        return all(holds(one, Point({letter: value})) for one in conditions)
    except (Undefined, Unknown):
        return False


def _ground(
    expr: Basic, sizes: Point, bound: Mapping[Basic, Number]
) -> Iterator[tuple[Any, Basic]]:
    if isinstance(expr, Symbol):
        if expr not in bound:
            yield expr, expr
    elif isinstance(expr, Indexed):
        places = tuple(sizes.evaluate(one, bound) for one in expr.indices)
        if any(not isinstance(one, Fraction) or one.denominator != 1 for one in places):
            raise Undefined
        whole = tuple(int(one) for one in places)
        if any(one.lhs.base == expr.base for one in sizes.definitions):
            right, known = sizes.worth(expr.base, whole)
            yield from _ground(right, sizes, known)
            return
        yield (expr.base, whole), Indexed(expr.base, *whole)
    elif isinstance(expr, OPAQUE):
        yield expr, expr
    elif isinstance(expr, Sum | Product | Sigma | Largest):
        yield from _ground_of_sum(expr.args[0], tuple(expr.args[1:]), sizes, bound)
    else:
        if isinstance(expr, AppliedUndef):
            yield expr.func, expr
        for part in expr.args:
            yield from _ground(part, sizes, bound)


def _ground_of_sum(
    body: Basic, limits: tuple[Any, ...], sizes: Point, bound: Mapping[Basic, Number]
) -> Iterator[tuple[Any, Basic]]:
    if not limits:
        yield from _ground(body, sizes, bound)
        return
    limit = limits[-1]
    if len(limit) == 3 and limit[2] is oo and not body.has(Indexed):
        # all terms read the same letters
        first = sizes.evaluate(limit[1], bound)
        yield from _ground_of_sum(body, limits[:-1], sizes, {**bound, limit[0]: first})
        return
    if len(limit) != 3 or any(one.is_finite is False for one in limit[1:]):
        raise Unknown("a sum without an end")
    first, last = (sizes.evaluate(one, bound) for one in limit[1:])
    if last < first - 1 or last - first > 2 * _LARGEST_SIZE * _LARGEST_SIZE:
        raise Undefined
    for k in range(int(first), int(last) + 1):
        yield from _ground_of_sum(body, limits[:-1], sizes, {**bound, limit[0]: Fraction(k)})


def _unit(key: Any, shown: Basic) -> Unit:
    if isinstance(shown, AppliedUndef):
        return _function(key, shown)
    if isinstance(shown, Symbol) and shown.is_real is None:
        return Unit(key, shown, _COMPLEX, _any_complex)
    pool = tuple(one for one in _SMALL if _allowed(shown, one))

    def drawn(source: random.Random) -> Number:
        for _ in range(40):
            value = Fraction(source.randint(0, 9)) if shown.is_integer else _any(source)
            for one in (value, abs(value), value - int(value), abs(value - int(value))):
                if _allowed(shown, one):
                    return one
        return pool[0]

    if not pool:
        raise Unknown(f"a number that {shown} may be")
    return Unit(key, shown, pool, drawn)


def _allowed(shown: Basic, value: Fraction) -> bool:
    return assumed(shown, Rational(value.numerator, value.denominator))


def _any(source: random.Random) -> Fraction:
    return Fraction(source.randint(-40, 40), source.choice((1, 2, 3, 7, 8, 11)))


def _any_complex(source: random.Random) -> Number:
    return mpmath.mpc(source.randint(-40, 40), source.randint(-40, 40)) / 8


def _function(key: Any, shown: Expr) -> Unit:
    """What an unknown function may stand for: a few that are easily written."""
    letters = tuple(Dummy(f"x_{k + 1}", real=True) for k in range(len(shown.args)))
    total = sum(letters, Integer(0))
    bodies = [total, total**2 + 1, Integer(1), total**3 + total * 2 - 1, Integer(2)]
    if shown.is_positive or shown.is_nonnegative:
        bodies = bodies[1:3]
    pool = tuple(Meant(Lambda(letters, body)) for body in bodies)
    return Unit(key, shown, pool, lambda source: source.choice(pool))


@dataclass(frozen=True)
class Meant:
    """A function of numbers that an unknown function stands for."""

    shown: Lambda

    def __call__(self, *values: Number) -> Number:
        """Its value."""
        return Point(dict(zip(self.shown.signature, values, strict=True))).evaluate(self.shown.expr)


def point(
    sizes: Mapping[Symbol, Fraction],
    several: Sequence[Unit],
    values: Sequence[Number],
    definitions: tuple[Eq, ...] = (),
) -> Point:
    """The point at which each unit has its value."""
    symbols: dict[Basic, Number] = dict(sizes)
    entries: dict[Any, Number] = {}
    functions: dict[Any, Any] = {}
    for unit, value in zip(several, values, strict=True):
        if isinstance(unit.key, tuple):
            entries[unit.key] = value
        elif isinstance(value, Meant):
            functions[unit.key] = value
        else:
            symbols[unit.key] = value
    return Point(symbols, entries, functions, definitions)
