"""A line held against numbers, where need be with what is given put in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from random import Random
from typing import Any

from sympy import Basic, Indexed, Symbol

from symopt.derivation.steps import Line
from symopt.nodes import Gradient
from symopt.proof.chains import Equality
from symopt.proof.comparing import compared
from symopt.proof.definitions import bare
from symopt.proof.drawing import number
from symopt.proof.numbers import Number
from symopt.proof.worlds import World, mark
from symopt.views import canonical

_DEPTH = 5


@dataclass(frozen=True)
class Ground:
    """A world, what is given there of a left side, and whether numbers bear that out."""

    world: World
    said: Equality | None
    borne_out: bool
    known: Mapping[Basic, Basic]


def grounds(left: Basic, given: Sequence[Equality], several: Sequence[World]) -> tuple[Ground, ...]:
    """What lines with a left side stand on.

    Where a given line says something of it that the numbers of a world do not bear out (that of a
    limit, or of what is assumed elsewhere), right sides are compared with what is given.
    """
    said = next((one for one in given if canonical(one.left) == canonical(left)), None)
    known = _known(given) if said else {}
    return tuple(Ground(one, said, said is None or _true(said, one), known) for one in several)


def held(line: Equality, ground: Ground) -> Iterator[tuple[dict[Basic, Number], bool | str, Any]]:
    """At each place of a line: whether both sides are worth the same, and what."""
    if ground.borne_out:
        for answer in compared(_as_line(line.left, line.right), ground.world):
            if ground.said is not None and isinstance(answer[1], str):
                break
            yield answer
        else:
            return
    assert ground.said is not None  # or else nothing would have to be borne out
    sides = [_put_in(canonical(one), ground.known) for one in (ground.said.right, line.right)]
    here = _with_one_gradient(sides, ground.world)
    yield from compared(_as_line(*sides), here, of=canonical(line.left))


def _true(line: Equality, world: World) -> bool:
    """Whether a line has numbers that agree."""
    found = [same for _, same, _ in compared(_as_line(line.left, line.right), world)]
    return bool(found) and all(one is True for one in found)


def _as_line(left: Basic, right: Basic) -> Line:
    return Line(left, right, "")


def _known(given: Sequence[Equality]) -> dict[Basic, Basic]:
    """What is given of anything but letters, by its left side; the first word counts."""
    found: dict[Basic, Basic] = {}
    for one in given:
        left, right = canonical(one.left), canonical(one.right)
        if not isinstance(left, Symbol | Indexed) and not right.has(left):
            found.setdefault(left, right)
    return found


def _put_in(expr: Basic, known: Mapping[Basic, Basic]) -> Basic:
    for _ in range(_DEPTH):
        new = expr.xreplace(known)
        if new == expr:
            break
        expr = new
    return expr


def _with_one_gradient(sides: Sequence[Basic], world: World) -> World:
    """The world with numbers for the gradient by one letter of which nothing is known.

    Those by several letters have to do with each other, so that they get none.
    """
    nodes = {one for side in sides for one in side.atoms(Gradient) if not one.loss.args}
    letters = {bare(one.variable) for one in nodes}
    if len(letters) != 1:
        return world
    (letter,) = letters
    point, source = world.point, Random(str(letter))
    ranks = {len(one.variable.indices) for one in nodes if isinstance(one.variable, Indexed)}
    entries = {
        (mark(letter), places): number(source)
        for rank in ranks
        for places in product(range(world.longest + 2), repeat=rank)
    }
    symbols = {} if ranks else {mark(letter): number(source)}
    known = replace(
        point, symbols={**symbols, **point.symbols}, entries={**entries, **point.entries}
    )
    return replace(world, point=known, marked=letters)
