"""Lines held against numbers, each in worlds where what it takes for granted holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

from mpmath import mp
from sympy import Basic, Float, S

from symopt.derivation.steps import Derivation, Line, Reason
from symopt.notation import Index
from symopt.proof.evaluation import free_indices
from symopt.proof.numbers import Number, Undefined, Unknown, floating
from symopt.proof.premises import Premises, premises
from symopt.proof.worlds import WORLD_DIGITS, World
from symopt.views import canonical

_SAME = mp.mpf(10) ** -25
# what is rounded has at least three digits, some of which may be zeros that are not shown
_ROUNDED = mp.mpf(1) / 200

Worlds = Callable[[Premises], tuple[World, ...]]


def kept(worlds: Worlds) -> Worlds:
    """The same worlds where the same is taken for granted again."""
    known: dict[Any, tuple[World, ...]] = {}

    def here(granted: Premises) -> tuple[World, ...]:
        key = (tuple(granted.values.items()), granted.conditions)
        if key not in known:
            known[key] = worlds(granted)
        return known[key]

    return here


@dataclass(frozen=True)
class Checked:
    """A derivation with what its lines were checked by, and those lines that do not hold.

    ``unknown`` are lines that hold letters without numbers, each with the reason.
    """

    derivation: Derivation
    wrong: tuple[Line, ...] = ()
    unknown: tuple[tuple[Line, str], ...] = ()

    @property
    def holds(self) -> bool:
        """Whether no line was found to be wrong."""
        return not self.wrong


def check(
    derivation: Derivation,
    worlds: Worlds,
    granted: Callable[[Line], Premises] = premises,
    rounded: bool = False,
) -> Checked:
    """A derivation with each line compared in some worlds, made for what it takes for granted."""
    lines, wrong, unknown = [], [], []
    for line in derivation.lines:
        agreed, why = 0, "no world in which it can be compared was found"
        taken = granted(line)
        open_ends = any(isinstance(one, Index) for one in taken.limits)
        if open_ends:
            why = "a limit has no number"
        for world in () if open_ends else worlds(taken):
            for _, same, _ in compared(line, world, rounded):
                if isinstance(same, str):
                    why = same
                elif same:
                    agreed += 1
                else:
                    wrong.append(line)
        if not agreed and line not in wrong:
            unknown.append((line, why))
        lines.append(_noted(line, agreed))
    return Checked(
        replace(derivation, lines=tuple(lines)), tuple(dict.fromkeys(wrong)), tuple(unknown)
    )


def _noted(line: Line, agreed: int) -> Line:
    if not agreed:
        return line
    said: Reason = f"agrees at {agreed} points"
    if line.check:
        old = (line.check,) if isinstance(line.check, str) else line.check
        said = (*old, f"; {said}")
    return replace(line, check=said)


def compared(
    line: Line, world: World, rounded: bool = False, of: Basic = S.Zero
) -> Iterator[tuple[dict[Basic, Number], bool | str, Any]]:
    """At each place that a line speaks of: whether both sides are worth the same, and what.

    It may speak ``of`` more than stands there. A text in place of an answer says of which part
    there is no number. Where decimals are ``rounded`` both sides may differ by half of a last
    digit.
    """
    left, right = canonical(line.left), canonical(line.right)
    tolerance = _tolerance((left, right)) if rounded else None
    indices = sorted(free_indices(left) | free_indices(right) | free_indices(of), key=str)
    for places in product(*(world.places(one) for one in indices)):
        if world.unlike and len(set(places)) < len(places):
            continue
        bound: dict[Basic, Number] = dict(zip(indices, map(Fraction, places), strict=True))
        try:
            with mp.workdps(WORLD_DIGITS):
                here = world.at(bound)
                sides = here.value(left, bound), here.value(right, bound)
                yield bound, _same(*sides, tolerance), sides
        except Undefined:
            continue
        except Unknown as missing:
            yield bound, f"{missing} has no number", ()
            return


def _same(left: Number, right: Number, rounded: Any = None) -> bool:
    one, other = floating(left), floating(right)
    largest = max(abs(one), abs(other))
    return bool(abs(one - other) <= (rounded * largest if rounded else _SAME * max(1, largest)))


def _tolerance(sides: tuple[Basic, Basic]) -> Any:
    """By how much of itself a number may be off that is rounded to its digits."""
    found = None
    for one in (each for side in sides for each in side.atoms(Float)):
        if one:
            digits = Decimal(str(one)).normalize()
            unit = mp.mpf(10) ** digits.as_tuple().exponent / 2 / abs(floating(Fraction(str(one))))
            found = max(found or 0, min(unit, _ROUNDED))
    return found
