"""The numbers of a world: drawn for what no line defines, and all that chance may bring."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from sympy import Basic, Eq, Indexed, IndexedBase, Rational, Symbol

from symopt.derivation.drawn import Draws
from symopt.derivation.samples import exact_values
from symopt.nodes import Bernoulli, Distribution, Gradient
from symopt.notation import Count, Hyperparameter, Index, Label
from symopt.proof.assumptions import assumed
from symopt.proof.definitions import bare, without_start
from symopt.proof.evaluation import Entries, Point
from symopt.proof.numbers import Number, plus, times
from symopt.proof.unknown_functions import bare_letters
from symopt.views import canonical

_TRIES = 60
PLACES = range(-3, 12)
# of what has several indices, the places of those after the first
_FURTHER = range(-3, 8)
_MOST = 512

Outcomes = tuple[tuple[Number, Entries], ...]


def symbols(
    exprs: Sequence[Basic],
    definitions: Sequence[Eq],
    longest: int,
    source: random.Random,
    varied: bool,
) -> dict[Basic, Number]:
    """Numbers for letters that no line defines, hyperparameters ``varied`` for groups of some size.

    Counts are unlike ones, but where gradients go along a group of this size.
    """
    defined = {one.lhs for one in definitions}
    found: dict[Basic, Number] = {}
    bases = {one for expr in exprs for one in expr.atoms(IndexedBase)}
    symbols = {one for expr in exprs for one in expr.atoms(Symbol)} - defined
    symbols -= {base.args[0] for base in bases}
    slopes = any(expr.has(Gradient) for expr in exprs)
    counts: list[Basic] = []
    chosen = exact_values(one for one in symbols if isinstance(one, Hyperparameter))
    for one in sorted(symbols, key=str):
        if isinstance(one, Index):
            continue
        if isinstance(one, Hyperparameter):
            value = chosen[one]
            if varied and longest > 1:
                value = _within(one, value, source)
            found[one] = Fraction(int(value.p), int(value.q))
        elif isinstance(one, Count):
            more = source.randint(1, 3) if counts and not slopes else 0
            counts.append(one)
            found[one] = Fraction(longest + more)
        elif isinstance(one, Label):
            found[one] = Fraction(source.randint(1, longest))
        else:
            found[one] = _drawn_for(one, source)
    for base in sorted(bare_letters(exprs), key=str):
        found[base] = number(source)
    return found


def _within(letter: Hyperparameter, known: Rational, source: random.Random) -> Rational:
    """Another fraction in the range of a letter, where one is found."""
    for _ in range(_TRIES):
        value = Rational(source.randint(1, 12), source.randint(1, 13))
        if value in letter.domain and value != known:
            return value
    return known


def entries(
    exprs: Sequence[Basic], definitions: Sequence[Eq], source: random.Random
) -> dict[tuple[Basic, tuple[int, ...]], Number]:
    """Numbers for entries that no line defines, and for those before a recurrence."""
    found: dict[tuple[Basic, tuple[int, ...]], Number] = {}
    for base in sorted(_free(exprs, definitions), key=str):
        for places in _all_places(exprs, base, PLACES):
            found[base, places] = number(source)
    for base, first in without_start(definitions):
        for places in _all_places(exprs, base, range(PLACES.start, first + 1)):
            found[base, places] = number(source)
    return found


def _all_places(exprs: Sequence[Basic], base: Basic, first: range) -> Iterator[tuple[int, ...]]:
    """The places of the entries of a letter, for each number of indices that it has."""
    several = {
        len(one.indices) for expr in exprs for one in expr.atoms(Indexed) if one.base == base
    }
    for many in sorted(several):
        yield from product(first, *(many - 1) * (_FURTHER,))


def _free(exprs: Sequence[Basic], definitions: Sequence[Eq]) -> set[Basic]:
    """The letters with an index that no line defines."""
    defined = {bare(one.lhs) for one in definitions}
    return {one.base for expr in exprs for one in expr.atoms(Indexed)} - defined


def in_turns(exprs: Sequence[Basic], definitions: Sequence[Eq], source: random.Random) -> Outcomes:
    """What may happen, each as likely: letters run through the same few values one after another.

    So each has the same distribution at every step, and is independent of none before.
    """
    free = sorted(_free(exprs, definitions), key=str)
    values = {base: _unlike(source) for base in free}
    return tuple(
        (
            Fraction(1, 3),
            {(base, (k,)): values[base][(k + first) % 3] for base in free for k in PLACES},
        )
        for first in range(3)
    )


def _unlike(source: random.Random) -> tuple[Fraction, Fraction, Fraction]:
    """Three whole numbers, none of them 0, with a mean that is a small one."""
    mean = source.choice((1, 2, 3, -2))
    while True:
        one, other = source.randint(1, 4), source.randint(-4, 4)
        found = mean + one, mean + other, mean - one - other
        if 0 not in found:
            return Fraction(found[0]), Fraction(found[1]), Fraction(found[2])


def number(source: random.Random, positive: bool = False) -> Fraction:
    """A number that is not 0, such as 7/3."""
    value = Fraction(source.randint(1, 30), source.randint(1, 9))
    return value if positive or source.random() < 0.5 else -value


def _drawn_for(letter: Symbol, source: random.Random) -> Fraction:
    """A number that has what is assumed of a letter."""
    for _ in range(_TRIES):
        value = number(source, bool(letter.is_nonnegative))
        value = Fraction(source.randint(-3, 4)) if letter.is_integer else value
        if assumed(letter, Rational(value.numerator, value.denominator)):
            break
    return value


def all_drawings(drawn: Draws, point: Point, longest: int) -> Outcomes:
    """All that random letters may be and how likely it is; nothing where that cannot be listed."""
    if not drawn or any(type(one) not in _VALUES for one in drawn.values()):
        return ()
    places: list[tuple[Basic, tuple[int, ...]]]
    places = [(base, (k,)) for base in drawn for k in range(1, longest + 1)]
    weighed = {base: _VALUES[type(one)](one, point) for base, one in drawn.items()}
    several = [weighed[base] for base, _ in places]
    if len(several) > _MOST.bit_length():
        return ()
    found: list[tuple[Number, Entries]] = []
    for choice in product(*several):
        likely: Number = Fraction(1)
        for one, _ in choice:
            likely = times(likely, one)
        values = (value for _, value in choice)
        found.append((likely, dict(zip(places, values, strict=True))))
    return tuple(found)


def _of_two(one: Bernoulli, point: Point) -> tuple[tuple[Number, Number], ...]:
    share = point.evaluate(canonical(one.share))
    rest = plus(Fraction(1), times(Fraction(-1), share))
    return (share, Fraction(1)), (rest, Fraction(0))


_VALUES: Mapping[type[Distribution], Callable[[Any, Point], tuple[tuple[Number, Number], ...]]] = {
    Bernoulli: _of_two
}
