"""Worlds in which a batch is drawn among a few examples, in every way that there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import permutations, product

from sympy import Basic, Indexed, Pow

from symopt.derivation.steps import Derivation
from symopt.nodes import Sigma
from symopt.proof.evaluation import Entries
from symopt.proof.numbers import Number
from symopt.proof.worlds import World
from symopt.views import canonical


def with_batches(world: World, derivation: Derivation) -> World:
    """The world with one example more than the batch has places, which is as long as the world.

    How often an example is in the batch is the letter of which a line says how large their sum is;
    where its square is itself no example is drawn twice. Indices of a line stand for unlike ones.
    """
    lines = [(canonical(line.left), canonical(line.right)) for line in derivation.lines]
    total, size = next(pair for pair in lines if isinstance(pair[0], Sigma))
    counted, (_, examples) = total.body.base, total.bounds
    once = any(isinstance(a, Pow) and isinstance(a.base, Indexed) and a.base == b for a, b in lines)
    many, chosen = world.longest + 1, world.longest
    drawn = tuple(_counts(counted, many, chosen, once))
    outcomes: tuple[tuple[Number, Entries], ...]
    outcomes = tuple((Fraction(1, len(drawn)), entries) for entries in drawn)
    point = replace(
        world.point,
        symbols={**world.point.symbols, examples: Fraction(many), size: Fraction(chosen)},
        entries={**world.point.entries, **drawn[len(drawn) // 3]},
        outcomes=outcomes,
        size=many,
    )
    return replace(world, point=point, longest=many, unlike=True)


def _counts(letter: Basic, many: int, chosen: int, once: bool) -> Iterator[Entries]:
    """How often each example is in a batch, for all ways to draw it one by one."""
    places = range(1, many + 1)
    for batch in permutations(places, chosen) if once else product(places, repeat=chosen):
        yield {(letter, (k,)): Fraction(batch.count(k)) for k in places}
