"""The smallest point at which two expressions differ, or at how many they agree."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from typing import Any

import mpmath
from mpmath import mp
from sympy import Basic, Expr, Float, I, Rational, Symbol

from symopt.proof.assumptions import Setting
from symopt.proof.clock import now
from symopt.proof.evaluation import Point
from symopt.proof.node_values import holds
from symopt.proof.numbers import DIGITS, Number, Undefined, Unknown, floating
from symopt.proof.points import Meant, Unit, narrowed, point, shapes, units

_SAME, _OTHER = mpmath.mpf(10) ** -28, mpmath.mpf(10) ** -15


@dataclass(frozen=True)
class Effort:
    """At how many shapes, and at each of them at how many small and random points to compare.

    Up to ``many`` small points are tried where random ones have shown a difference.
    """

    shapes: int = 40
    few: int = 160
    drawn: int = 24
    many: int = 4000


THOROUGH, BRIEF = Effort(), Effort(shapes=6, few=24, drawn=12)


@dataclass(frozen=True)
class Difference:
    """A point at which two sides differ, and what they are worth there."""

    point: tuple[tuple[Basic, Basic], ...]
    values: tuple[Expr, Expr]


@dataclass
class Count:
    """How many points agreed, exactly or at 50 digits; what could not be computed."""

    exact: int = 0
    rounded: int = 0
    unknown: dict[str, None] = field(default_factory=dict)

    @property
    def agreed(self) -> int:
        """At how many points both sides were worth the same."""
        return self.exact + self.rounded

    @property
    def how(self) -> str:
        """In which arithmetic that was found."""
        ways = [f"{self.exact} in exact fractions"] * bool(self.exact)
        ways += [f"{self.rounded} at {DIGITS} digits"] * bool(self.rounded)
        return " and ".join(ways) or "none where both sides have a value"


Sides = Callable[[Point], tuple[Number, Number]]


def differ(
    left: Expr, right: Expr, setting: Setting, until: float, effort: Effort = THOROUGH
) -> tuple[Difference | None, Count]:
    """The smallest point found at which two expressions of a setting differ; points that agreed.

    Shapes come first, the smallest first; at each shape small numbers, then random ones.
    """
    count = Count()
    try:
        for sizes in islice(shapes(setting), effort.shapes):
            found = _at_shape(left, right, setting, sizes, count, until, effort)
            if found is not None:
                return found, count
            if now() > until:
                break
    except Unknown as missing:
        count.unknown[f"{missing} is not known in numbers"] = None
    return None, count


def _at_shape(
    left: Expr,
    right: Expr,
    setting: Setting,
    sizes: Mapping[Symbol, Fraction],
    count: Count,
    until: float,
    effort: Effort,
) -> Difference | None:
    try:
        several = units((left, right, *setting.conditions), sizes, setting.definitions)
    except Undefined:
        return None
    several = narrowed(several, setting.conditions)

    def compared(values: Sequence[Number]) -> Difference | None:
        here = point(sizes, several, values, setting.definitions)
        try:
            if not all(holds(one, here) for one in setting.conditions):
                return None
            same, sides = _compared(left, right, here)
        except Undefined:
            return None
        if same:
            exact = all(isinstance(one, Fraction) for one in sides)
            count.exact, count.rounded = count.exact + exact, count.rounded + (not exact)
        if same is not False:
            return None
        return _difference(setting, sizes, several, values, sides)

    def first(points: Iterator[tuple[Number, ...]]) -> Difference | None:
        for values in points:
            found = compared(values)
            if found is not None or now() > until:
                return found
        return None

    found = first(islice(_smallest(several), effort.few))
    if found is not None or not several:
        return found
    source = random.Random(len(several))
    drawn = [tuple(one.drawn(source) for one in several) for _ in range(effort.drawn)]
    wild = first(iter(drawn))
    if wild is None:
        return None
    return first(islice(_smallest(several), effort.few, effort.many)) or wild


def _smallest(several: Sequence[Unit]) -> Iterator[tuple[Number, ...]]:
    """Values for all units, those with the simplest numbers first."""
    longest = max((len(one.pool) for one in several), default=1)
    for total in range(max(1, len(several) * longest)):
        yield from _with_total(several, total)


def _with_total(several: Sequence[Unit], total: int) -> Iterator[tuple[Number, ...]]:
    if not several:
        if total == 0:
            yield ()
        return
    room = sum(len(one.pool) - 1 for one in several[1:])
    first = several[0].pool
    for k in range(max(0, total - room), min(total, len(first) - 1) + 1):
        for rest in _with_total(several[1:], total - k):
            yield (first[k], *rest)


def _compared(left: Expr, right: Expr, here: Point) -> tuple[bool | None, tuple[Number, Number]]:
    """Whether both sides are worth the same: neither yes nor no where rounding leaves it open."""
    with mp.workdps(DIGITS):
        sides = here.evaluate(left), here.evaluate(right)
        if all(isinstance(one, Fraction) for one in sides):
            return sides[0] == sides[1], sides
        gap = _gap(sides)
        if gap < _SAME:
            return True, sides
    with mp.workdps(2 * DIGITS):
        again = here.evaluate(left), here.evaluate(right)
        surely = gap > _OTHER and abs(_gap(again) - gap) < _SAME * gap
    return (False if surely else None), sides


def _gap(sides: tuple[Number, Number]) -> Any:
    left, right = map(floating, sides)
    return abs(left - right) / max(1, abs(left), abs(right))


def _difference(
    setting: Setting,
    sizes: Mapping[Symbol, Fraction],
    several: Sequence[Unit],
    values: Sequence[Number],
    sides: tuple[Number, Number],
) -> Difference:
    shown = [(setting.outward(one), spelt(value)) for one, value in sizes.items()]
    for unit, value in zip(several, values, strict=True):
        named = unit.key if isinstance(value, Meant) else setting.outward(unit.shown)
        shown.append((named, spelt(value)))
    return Difference(tuple(shown), (spelt(sides[0]), spelt(sides[1])))


def spelt(value: Number) -> Basic:
    """A number of a point as SymPy's."""
    if isinstance(value, Meant):
        return value.shown
    if isinstance(value, Fraction | int):
        value = Fraction(value)
        return Rational(value.numerator, value.denominator)
    if isinstance(value, mpmath.mpc):
        parts = (spelt(value.real), spelt(value.imag))
        return parts[0] + parts[1] * I
    if value == int(value):
        return Rational(int(value))
    return Float(mpmath.nstr(value, 20), 20)
