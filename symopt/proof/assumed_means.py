"""Worlds in which given letters have the means that lines say they have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from mpmath import mp
from sympy import Basic, Indexed, Pow

from symopt.derivation.steps import Line
from symopt.proof.drawing import PLACES
from symopt.proof.evaluation import Entries
from symopt.proof.numbers import Number, floating
from symopt.proof.worlds import WORLD_DIGITS, World
from symopt.views import canonical


def with_means(world: World, lines: Iterable[Line]) -> World:
    """The world with two outcomes, in which E[g_k] or E[g_k²] is what each line says of it.

    Lines about other means leave it as it is.
    """
    for line in lines:
        of = canonical(line.left.args[0])
        entry, power = (of.base, of.exp) if isinstance(of, Pow) else (of, 1)
        if not isinstance(entry, Indexed) or power not in (1, 2):
            continue
        (index,) = entry.indices
        found: list[dict[tuple[Basic, tuple[int, ...]], Number]] = [{}, {}]
        for k in PLACES:
            with mp.workdps(WORLD_DIGITS):
                mean = world.point.evaluate(canonical(line.right), {index: Fraction(k)})
                for entries, away in zip(found, (1, -1), strict=True):
                    value = mean + away
                    entries[entry.base, (k,)] = value if power == 1 else mp.sqrt(floating(value))
        halves: tuple[tuple[Number, Entries], ...]
        halves = tuple((Fraction(1, 2), entries) for entries in found)
        world = replace(world, point=replace(world.point, outcomes=halves))
    return world
