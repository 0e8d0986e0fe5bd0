"""Derivations checked line by line, by numbers that no rule of theirs has to do with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

from mpmath import mp
from sympy import Basic

from symopt.declaration import Declaration, Layer, Question
from symopt.derivation.api import derivations
from symopt.derivation.drawn import draws
from symopt.derivation.forward import forward
from symopt.derivation.steps import Derivation, Line, Reason
from symopt.proof.numbers import Number, Undefined, Unknown, floating
from symopt.proof.worlds import WORLD_DIGITS, World, free_indices, worlds
from symopt.views import canonical

_SAME = mp.mpf(10) ** -25


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


def checked(declared: Declaration) -> tuple[Checked, ...]:
    """All that is derived from a declaration, each line held against numbers.

    Expectations are taken over all that random letters may be, or over a few values that gradients
    take in turns; gradients as central differences.

    >>> from symopt.catalog.lecture.adam import adam
    >>> first, second = checked(adam)
    >>> first.holds, first.unknown
    (True, ())
    """
    return tuple(check_all(declared, derivations(declared)))


def check_all(declared: Declaration, several: Iterable[Derivation]) -> Iterator[Checked]:
    """The same for some derivations from a declaration.

    Answers to a question stand under letters and assumptions of their own, of which no world knows:
    each line is checked in its own way as it is derived, and is unknown here.
    """
    if isinstance(declared, Question):
        own = "checked as it was derived, under the question's own assumptions"
        yield from (Checked(one, (), tuple((line, own) for line in one.lines)) for one in several)
        return
    layer = declared if isinstance(declared, Layer) else None
    run, drawn = (forward(layer), draws(layer)) if layer else ((), {})
    for one in several:
        yield check(one, worlds(one, declared.initial_values, run, (), drawn))


def check(derivation: Derivation, several: tuple[World, ...]) -> Checked:
    """A derivation with each line compared in some worlds."""
    lines, wrong, unknown = [], [], []
    for line in derivation.lines:
        agreed, why = 0, ""
        for world in several:
            for _, same, _ in compared(line, world):
                if isinstance(same, str):
                    why = same
                elif same:
                    agreed += 1
                else:
                    wrong.append(line)
        if why and not agreed:
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


def compared(line: Line, world: World) -> Iterator[tuple[dict[Basic, Number], bool | str, Any]]:
    """At each place that a line speaks of: whether both sides are worth the same, and what.

    A text in place of an answer says of which part there is no number.
    """
    left, right = canonical(line.left), canonical(line.right)
    indices = sorted(free_indices(left) | free_indices(right), key=str)
    for places in product(*(world.places(one) for one in indices)):
        bound: dict[Basic, Number] = dict(zip(indices, map(Fraction, places), strict=True))
        try:
            with mp.workdps(WORLD_DIGITS):
                sides = world.value(left, bound), world.value(right, bound)
                yield bound, _same(*sides), sides
        except Undefined:
            continue
        except Unknown as missing:
            yield bound, f"{missing} has no number", ()
            return


def _same(left: Number, right: Number) -> bool:
    one, other = floating(left), floating(right)
    return bool(abs(one - other) <= _SAME * max(1, abs(one), abs(other)))
