"""Numbers for all letters of a derivation, so that each of its lines can be held against them.

A letter that some line defines has the value of its first such line; what a layer computes follows
from its equations, run forward. A gradient is the central difference of a loss by the letter, the
later equations run anew: no rule of the calculus enters.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

from mpmath import mp
from sympy import Abs, Basic, Eq, Expr, Indexed, IndexedBase, Integer, Rational, Symbol

from symopt.calculus.adjoints import Definition
from symopt.derivation.samples import exact_values
from symopt.derivation.steps import Derivation
from symopt.nodes import Expectation, Gradient, Largest, Norm, Sigma
from symopt.notation import Count, Hyperparameter, Index, Label, is_random
from symopt.proof.assumptions import assumed
from symopt.proof.definitions import bare, begun, defining, without_start
from symopt.proof.evaluation import Point
from symopt.proof.node_values import holds
from symopt.proof.numbers import Number, Undefined, Unknown, floating
from symopt.proof.unknown_functions import bare_letters, functions
from symopt.views import canonical

WORLD_DIGITS = 120
_SHIFT = Fraction(1, 10**40)
_STEPS = 4
_TRIES = 60
_PLACES = range(-3, 12)
# of what has several indices, the places of those after the first
_FURTHER = range(5)
# whose value under an expectation it is: that for a gradient that is the same at every step
_MEAN = "E[{}]"


@dataclass(frozen=True)
class World:
    """A point, how far indices run in it, and by which loss its gradients are taken.

    Where letters are ``random``, no expectation has a value: they do not stay the same.
    """

    point: Point
    longest: int
    forward: tuple[Definition, ...] = ()
    random: bool = False

    def places(self, index: Index) -> range:
        """The values that a free index of a line takes."""
        return range(1, 1 + (_STEPS if index.counts == "step" else self.longest))

    def value(self, expr: Basic, bound: Mapping[Basic, Number]) -> Number:
        """The value of a side of a line."""
        point = self.point
        if expr.has(Expectation) and self.random:
            raise Unknown("a mean over random letters")
        for node in sorted(expr.atoms(Gradient), key=str):
            if self._follows(node):
                point = self._with_gradients(node, point)
        return point.evaluate(self._plain(expr), bound)

    def _follows(self, node: Gradient) -> bool:
        """Whether a gradient is that of the loss which the equations lead to."""
        return bool(self.forward) and not node.loss.args

    def _plain(self, expr: Basic) -> Basic:
        """What has a number: gradients as letters, means as if gradients stayed the same.

        A norm is that of one number, a sum without bounds is over all that there is.
        """
        if isinstance(expr, Gradient) and self._follows(expr):
            letter = expr.variable
            if isinstance(letter, Indexed):
                return _mark(letter.base)[letter.indices]
            return _mark(letter)
        if isinstance(expr, Expectation):
            return _in_the_mean(expr.args[0])
        if not expr.args or isinstance(expr, Indexed | Gradient):
            return expr
        parts = [self._plain(part) for part in expr.args]
        if isinstance(expr, Norm):
            return Abs(parts[0])
        if isinstance(expr, Sigma) and expr.bounds is None:
            return Sigma(parts[0], (expr.index, Integer(1), Integer(self.longest)))
        return expr.func(*parts)

    def _with_gradients(self, node: Gradient, point: Point) -> Point:
        """The point with dL/d(letter), at all places of a letter that has some."""
        letter = node.variable
        if not isinstance(letter, Indexed):
            mark = _mark(letter)
            if mark in point.symbols:
                return point
            return replace(point, symbols={**point.symbols, mark: self._slope(letter, None)})
        base = _mark(letter.base)
        found: dict[tuple[Basic, tuple[int, ...]], Number] = {
            (base, (k,)): self._slope(letter.base, k)
            for k in range(1, self.longest + 1)
            if (base, (k,)) not in point.entries
        }
        return replace(point, entries={**point.entries, **found})

    def _slope(self, letter: Basic, place: int | None) -> Number:
        key = letter if place is None else letter[place]
        with mp.workdps(WORLD_DIGITS):
            now = self.point.evaluate(key)
            up, down = (self._loss(letter, place, now, k * _SHIFT) for k in (1, -1))
            return (floating(up) - floating(down)) / (2 * floating(_SHIFT))

    def _loss(self, letter: Basic, place: int | None, now: Number, shift: Fraction) -> Number:
        value = floating(now) + floating(shift)
        if place is None:
            moved = replace(self.point, symbols={**self.point.symbols, letter: value})
        else:
            entries = {**self.point.entries, (letter, (place,)): value}
            moved = replace(self.point, entries=entries)
        output = self.forward[-1].letter
        if not isinstance(output, Indexed):
            weight = self.point.symbols[_mark(output)]
            return floating(moved.evaluate(output)) * floating(weight)
        total = mp.mpf(0)
        for k in range(1, self.longest + 1):
            weight = self.point.entries[_mark(output.base), (k,)]
            total += floating(moved.evaluate(output.base[k])) * floating(weight)
        return total


def free_indices(expr: Basic) -> set[Index]:
    """The indices that no sum in an expression binds."""
    if isinstance(expr, Index):
        return {expr}
    found = {one for part in expr.args for one in free_indices(part)}
    if isinstance(expr, Sigma | Largest):
        found = free_indices(expr.args[0]) - {expr.index}
        found |= {one for end in expr.args[1][1:] for one in free_indices(end)}
    return found


def _mark(letter: Basic) -> Any:
    """The letter of the gradient by a letter."""
    made = IndexedBase if isinstance(letter, IndexedBase) else Symbol
    return made(f"dL/d{letter}")


def _in_the_mean(expr: Basic) -> Basic:
    names = {one: IndexedBase(_MEAN.format(one.base))[one.indices] for one in expr.atoms(Indexed)}
    return expr.xreplace(names)


def worlds(
    derivation: Derivation,
    starts: Mapping[Basic, Expr],
    forward: tuple[Definition, ...],
    conditions: Sequence[Basic] = (),
) -> tuple[World, ...]:
    """Some worlds for a derivation: groups of one, two and three elements.

    Numbers are drawn until the conditions hold; where they never do, there is no such world.
    """
    found = []
    for longest in (1, 2, 3):
        for seed in range(_TRIES if conditions else 1):
            source = random.Random(longest + 10 * seed)
            world = _world(derivation, starts, forward, longest, source)
            if _allowed(world, conditions):
                found.append(_with_all_gradients(world, derivation))
                break
    return tuple(found)


def _allowed(world: World, conditions: Sequence[Basic]) -> bool:
    try:
        return all(holds(one, world.point) for one in conditions)
    except (Undefined, Unknown):
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
        except (Undefined, Unknown):
            continue
    return world


def _world(
    derivation: Derivation,
    starts: Mapping[Basic, Expr],
    forward: tuple[Definition, ...],
    longest: int,
    source: random.Random,
) -> World:
    own = list(defining(derivation.lines).values())
    said = {bare(one.lhs) for one in own}
    more = [Eq(one.letter, canonical(one.value), evaluate=False) for one in forward]
    own += [one for one in more if bare(one.lhs) not in said]
    initial = [
        Eq(base[0], value, evaluate=False)
        for base, value in starts.items()
        if isinstance(base, IndexedBase)
    ]
    definitions = [*initial, *begun(derivation), *own]
    in_the_mean = [
        Eq(_in_the_mean(one.lhs), _in_the_mean(one.rhs), evaluate=False) for one in definitions
    ]
    everything = [side for line in derivation.lines for side in (line.left, line.right)]
    everything += [side for one in definitions for side in one.args]
    point = Point(
        _symbols(everything, definitions, longest, source),
        _entries(everything, definitions, source),
        functions(everything, definitions),
        (*definitions, *in_the_mean),
    )
    output = forward[-1].letter if forward else None
    if output is not None:
        point = _weighed(point, output, longest, source)
    chance = any(is_random(one) for expr in everything for one in expr.atoms(Indexed))
    return World(point, longest, forward, chance)


def _symbols(
    exprs: Sequence[Basic], definitions: Sequence[Eq], longest: int, source: random.Random
) -> dict[Basic, Number]:
    defined = {one.lhs for one in definitions}
    found: dict[Basic, Number] = {}
    bases = {one for expr in exprs for one in expr.atoms(IndexedBase)}
    symbols = {one for expr in exprs for one in expr.atoms(Symbol)} - defined
    symbols -= {base.args[0] for base in bases}
    for one in sorted(bare_letters(exprs), key=str):
        found[one] = _drawn(source, False)
    chosen = exact_values(one for one in symbols if isinstance(one, Hyperparameter))
    for one in sorted(symbols, key=str):
        if isinstance(one, Index):
            continue
        if isinstance(one, Hyperparameter):
            value = chosen[one]
            found[one] = Fraction(int(value.p), int(value.q))
        elif isinstance(one, Count):
            found[one] = Fraction(longest)
        elif isinstance(one, Label):
            found[one] = Fraction(1)
        else:
            found[one] = _drawn_for(one, source)
    return found


def _entries(
    exprs: Sequence[Basic], definitions: Sequence[Eq], source: random.Random
) -> dict[tuple[Basic, tuple[int, ...]], Number]:
    defined = {bare(one.lhs) for one in definitions}
    bases = {one.base for expr in exprs for one in expr.atoms(Indexed)} - defined
    found: dict[tuple[Basic, tuple[int, ...]], Number] = {}
    for base in sorted(bases, key=str):
        same = _drawn(source, False)
        for places in _all_places(exprs, base, _PLACES):
            found[base, places] = _drawn(source, False)
            found[IndexedBase(_MEAN.format(base)), places] = same
    for base, first in without_start(definitions):
        for places in _all_places(exprs, base, range(_PLACES.start, first + 1)):
            found[base, places] = _drawn(source, False)
    return found


def _all_places(exprs: Sequence[Basic], base: Basic, first: range) -> Iterator[tuple[int, ...]]:
    """The places of the entries of a letter, for each number of indices that it has."""
    several = {
        len(one.indices) for expr in exprs for one in expr.atoms(Indexed) if one.base == base
    }
    for many in sorted(several):
        yield from product(first, *(many - 1) * (_FURTHER,))


def _drawn(source: random.Random, positive: bool) -> Fraction:
    value = Fraction(source.randint(1, 30), source.randint(1, 9))
    return value if positive or source.random() < 0.5 else -value


def _drawn_for(letter: Symbol, source: random.Random) -> Fraction:
    """A number that has what is assumed of a letter."""
    for _ in range(_TRIES):
        value = _drawn(source, bool(letter.is_nonnegative))
        value = Fraction(source.randint(-3, 4)) if letter.is_integer else value
        if assumed(letter, Rational(value.numerator, value.denominator)):
            break
    return value


def _weighed(point: Point, output: Basic, longest: int, source: random.Random) -> Point:
    """The point with the gradients by the output, which are given."""
    if not isinstance(output, Indexed):
        return replace(point, symbols={**point.symbols, _mark(output): _drawn(source, False)})
    given: dict[tuple[Basic, tuple[int, ...]], Number] = {
        (_mark(output.base), (k,)): _drawn(source, False) for k in range(1, longest + 1)
    }
    return replace(point, entries={**point.entries, **given})
