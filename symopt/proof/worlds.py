"""Numbers for all letters of a derivation, so that each of its lines can be held against them.

A letter that some line defines has the value of its first such line; what a layer computes follows
from its equations, run forward. A gradient is the central difference of a loss by the letter, the
later equations run anew: no rule of the calculus enters.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from mpmath import mp
from sympy import Basic, Eq, Expr, Indexed, IndexedBase, Symbol

from symopt.calculus.adjoints import Definition
from symopt.derivation.drawn import Draws
from symopt.derivation.steps import Derivation
from symopt.nodes import Expectation, Gradient, Variance
from symopt.notation import Index, is_random
from symopt.proof.definitions import bare, begun, defining
from symopt.proof.drawing import PLACES, all_drawings, entries, in_turns, number, symbols
from symopt.proof.evaluation import Point
from symopt.proof.moving import SHIFT, WORLD_WAYS
from symopt.proof.node_values import holds
from symopt.proof.numbers import Number, Undefined, Unknown, floating
from symopt.proof.unknown_functions import functions
from symopt.views import canonical

WORLD_DIGITS = 120
_STEPS = 4
_TRIES = 60


@dataclass(frozen=True)
class World:
    """A point, how far indices run in it, and by which loss its gradients are taken.

    Where letters are ``random`` there are means only if all that may be drawn can be weighed; where
    they are ``unlike``, indices are of different elements. Gradients by ``marked`` letters are
    numbers of the point.
    """

    point: Point
    longest: int
    forward: tuple[Definition, ...] = ()
    random: bool = False
    unlike: bool = False
    marked: Set[Basic] = frozenset()

    def places(self, index: Index) -> range:
        """The values that a free index of a line takes."""
        if index in self.point.symbols:
            here = int(self.point.symbols[index])
            return range(here, here + 1)
        return range(1, 1 + (_STEPS if index.counts == "step" else self.longest))

    def at(self, bound: Mapping[Basic, Number]) -> World:
        """The world at one step, for letters that are other ones at each: S = Σ_{k ≤ t} g_k."""
        steps = {one: value for one, value in bound.items() if one.counts == "step"}
        if not steps:
            return self
        symbols = {**self.point.symbols, **steps}
        return replace(self, point=replace(self.point, symbols=symbols))

    def value(self, expr: Basic, bound: Mapping[Basic, Number]) -> Number:
        """The value of a side of a line."""
        point = self.point
        if expr.has(Expectation, Variance) and self.random and not self.point.outcomes:
            raise Unknown("a mean over random letters")
        for node in sorted(filter(self._follows, expr.atoms(Gradient)), key=str):
            point = self._with_gradients(node, point)
        try:
            return point.evaluate(self._plain(expr), bound)
        except RecursionError as error:
            raise Unknown("what is defined by itself") from error

    def _follows(self, node: Gradient) -> bool:
        """Whether a gradient is that of the loss which the equations lead to."""
        known = bool(self.forward) or bare(node.variable) in self.marked
        return known and not node.loss.args

    def _plain(self, expr: Basic) -> Basic:
        """Gradients of the loss that the equations lead to as letters."""
        if isinstance(expr, Gradient) and self._follows(expr):
            letter = expr.variable
            if isinstance(letter, Indexed):
                return mark(letter.base)[letter.indices]
            return mark(letter)
        if not expr.args or isinstance(expr, Indexed | Gradient):
            return expr
        return expr.func(*(self._plain(part) for part in expr.args))

    def _with_gradients(self, node: Gradient, point: Point) -> Point:
        """The point with dL/d(letter), at all places of a letter that has some."""
        letter = node.variable
        if not isinstance(letter, Indexed):
            own = mark(letter)
            if own in point.symbols:
                return point
            return replace(point, symbols={**point.symbols, own: self._slope(letter, None)})
        if letter.base in self.marked:
            return point
        base = mark(letter.base)
        found: dict[tuple[Basic, tuple[int, ...]], Number] = {
            (base, (k,)): self._slope(letter.base, k)
            for k in range(1, self.longest + 1)
            if (base, (k,)) not in point.entries
        }
        return replace(point, entries={**point.entries, **found})

    def _slope(self, letter: Basic, place: int | None) -> Number:
        if not self._counts(letter):
            raise Unknown(f"how the loss depends on {letter}")
        key = letter if place is None else letter[place]
        with mp.workdps(WORLD_DIGITS):
            now = self.point.evaluate(key)
            up, down = (self._loss(letter, place, now, k * SHIFT) for k in (1, -1))
            return (floating(up) - floating(down)) / (2 * floating(SHIFT))

    def _counts(self, letter: Basic) -> bool:
        """Whether the output, or what the layer computes, is said to depend on a letter."""
        said = {bare(one.lhs): one.rhs for one in self.point.definitions}
        seen = {bare(one.letter) for one in self.forward}
        waiting = list(seen)
        while waiting:
            right = said.get(waiting.pop())
            read = right.atoms(IndexedBase, Symbol) if right is not None else set()
            waiting += sorted(read - seen, key=str)
            seen |= read
        return letter in seen

    def _loss(self, letter: Basic, place: int | None, now: Number, shift: Fraction) -> Number:
        value = floating(now) + floating(shift)
        if place is None:
            moved = replace(self.point, symbols={**self.point.symbols, letter: value})
        else:
            entries = {**self.point.entries, (letter, (place,)): value}
            moved = replace(self.point, entries=entries)
        output = self.forward[-1].letter
        if not isinstance(output, Indexed):
            weight = self.point.symbols[mark(output)]
            return floating(moved.evaluate(output)) * floating(weight)
        total = mp.mpf(0)
        for k in range(1, self.longest + 1):
            weight = self.point.entries[mark(output.base), (k,)]
            total += floating(moved.evaluate(output.base[k])) * floating(weight)
        return total


def mark(letter: Basic) -> Any:
    """The letter of the gradient by a letter."""
    made = IndexedBase if isinstance(letter, IndexedBase) else Symbol
    return made(f"dL/d{letter}")


@dataclass(frozen=True)
class Beside:
    """What worlds are made from beside a derivation.

    ``drawn`` is what random letters are drawn from, ``said`` are definitions that come before those
    of the lines, ``values`` what some letters are. Where ``varied``, hyperparameters are other ones
    in each world.
    """

    drawn: Draws = field(default_factory=dict)
    said: tuple[Eq, ...] = ()
    values: Mapping[Expr, Expr] = field(default_factory=dict)
    varied: bool = False


def worlds(
    derivation: Derivation,
    starts: Mapping[Basic, Expr],
    forward: tuple[Definition, ...],
    conditions: Sequence[Basic] = (),
    beside: Beside | None = None,
) -> tuple[World, ...]:
    """Some worlds for a derivation: groups of one, two and three elements.

    Numbers are drawn until the conditions hold; where they never do, there is no such world.
    Means are over random letters where there are some, as they are drawn, else over those that
    are given, which are other ones at each step and distributed alike.
    """
    beside = beside or Beside()
    found = []
    for longest in (1, 2, 3):
        for seed in range(_TRIES if conditions else 1):
            source = random.Random(longest + 10 * seed)
            world = _world(derivation, starts, forward, longest, beside, source)
            world = _where(world, beside.values)
            if _allowed(world, conditions):
                found.append(_with_all_gradients(world, derivation))
                break
    return tuple(found)


def _where(world: World, values: Mapping[Expr, Expr]) -> World:
    """The world in which letters have these values, entries at an index all of theirs."""
    for letter, value in values.items():
        point = world.point
        try:
            number = point.evaluate(canonical(value))
        except (Undefined, Unknown):  # of letters that no line speaks of
            continue
        left = tuple(one for one in point.definitions if one.lhs != letter)
        if not isinstance(letter, Indexed):
            point = replace(point, symbols={**point.symbols, letter: number}, definitions=left)
        else:
            (place,) = letter.indices
            places = [int(place)] if place.is_Integer else PLACES
            same: dict[tuple[Basic, tuple[int, ...]], Number]
            same = {(letter.base, (k,)): number for k in places}
            point = replace(point, entries={**point.entries, **same}, definitions=left)
        world = replace(world, point=point)
    return world


def _allowed(world: World, conditions: Sequence[Basic]) -> bool:
    try:
        return all(holds(one, world.point) for one in conditions)
    except (Undefined, Unknown, RecursionError):
        return False


def _with_all_gradients(world: World, derivation: Derivation) -> World:
    """The world with each gradient that some line speaks of, so that it is taken once."""
    sides = [side for line in derivation.lines for side in (line.left, line.right)]
    nodes = {node for side in sides for node in side.atoms(Gradient)}
    if not world.forward:
        return world
    for node in sorted(filter(world._follows, nodes), key=str):
        try:
            world = replace(world, point=world._with_gradients(node, world.point))
        except (Undefined, Unknown, RecursionError):
            continue
    return world


def _world(
    derivation: Derivation,
    starts: Mapping[Basic, Expr],
    forward: tuple[Definition, ...],
    longest: int,
    beside: Beside,
    source: random.Random,
) -> World:
    before = {bare(one.lhs) for one in beside.said}
    lines = defining(derivation.lines).values()
    own = [one for one in lines if bare(one.lhs) not in before]
    said = {bare(one.lhs) for one in own}
    more = [Eq(one.letter, canonical(one.value), evaluate=False) for one in forward]
    own += [one for one in more if bare(one.lhs) not in said]
    initial = [
        Eq(base[0], value, evaluate=False)
        for base, value in starts.items()
        if isinstance(base, IndexedBase)
    ]
    definitions = [*initial, *begun(derivation), *beside.said, *own]
    everything = [side for line in derivation.lines for side in (line.left, line.right)]
    everything += [side for one in definitions for side in one.args]
    everything += [one for pair in beside.values.items() for one in pair]
    point = Point(
        symbols(everything, definitions, longest, source, beside.varied),
        entries(everything, definitions, source),
        functions(everything, definitions),
        tuple(definitions),
        size=longest,
        ways=WORLD_WAYS,
    )
    chance = any(is_random(one) for expr in everything for one in expr.atoms(Indexed))
    if chance:
        point = replace(point, outcomes=all_drawings(beside.drawn, point, longest))
    elif any(expr.has(Expectation, Variance) for expr in everything):
        point = replace(point, outcomes=in_turns(everything, definitions, source))
    output = forward[-1].letter if forward else None
    if output is not None:
        point = _weighed(point, output, longest, source)
    return World(point, longest, forward, chance)


def _weighed(point: Point, output: Basic, longest: int, source: random.Random) -> Point:
    """The point with the gradients by the output, which are given."""
    if not isinstance(output, Indexed):
        return replace(point, symbols={**point.symbols, mark(output): number(source)})
    given: dict[tuple[Basic, tuple[int, ...]], Number] = {
        (mark(output.base), (k,)): number(source) for k in range(1, longest + 1)
    }
    return replace(point, entries={**point.entries, **given})
