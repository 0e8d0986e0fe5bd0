"""What monitors are tried on: runs that meet each comparison from both sides and exactly.

Observations are dyadic fractions, and hyperparameters besides the defaults are too, so that sums
and products are exact doubles and a comparison has one answer. Where rounding may decide one, as
with a default of 10⁻⁴, either answer is accepted at that step.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from enum import Enum
from itertools import chain, combinations
from typing import Any

import numpy as np
from sympy import Basic
from sympy.core.relational import Relational

from symopt.notation import Hyperparameter
from symopt.verification.anatomy import Anatomy
from symopt.verification.cases import Setting, admits, settings
from symopt.verification.truth import order
from symopt.verification.watch import Values, Watch
from symopt.views import occurrences

_STEP = 0.25
_RANDOM = 40
_LONG = 150
_FINEST = 60
_CORRECTIONS = 3


class Move(Enum):
    """What to observe next: beside what was seen, at a comparison's tie or next to it, or odd."""

    FALL, RISE, SAME, ANY, TIE, BELOW, ABOVE, ENDLESS, BOTTOMLESS, ODD = range(10)


_AT_TIES = {Move.TIE: None, Move.BELOW: -math.inf, Move.ABOVE: math.inf}
_ODD = (0.0, -0.0, 1.0, 1e300, -1e300, 5e-324)


def coarse_settings(
    parameters: tuple[Hyperparameter, ...],
    defaults: Mapping[Hyperparameter, float],
    random: np.random.Generator,
) -> tuple[Setting, ...]:
    """The defaults; then the defaults, random choices and ends of ranges as dyadic fractions.

    Whole numbers are small there, so that what they count comes about often.
    """
    usual, *others = settings(parameters, defaults, random)
    found = [usual]
    for one in (usual, *others):
        ends = {h: x for h, x in one.values.items() if x in (h.domain.inf, h.domain.sup)}
        coarse = {h: _coarse(h, x, random) for h, x in one.values.items() if h not in ends}
        found.append(Setting(f"{one.word}, dyadic", {**coarse, **ends}))
    return tuple(found)


def _coarse(one: Hyperparameter, value: float, random: np.random.Generator) -> float:
    """A number of the range near the value, with as few binary digits as there are."""
    if one.is_integer:
        low = float(one.domain.inf)
        small = int(low if math.isfinite(low) else -1) + int(random.integers(0, 4))
        return small if admits(one.domain, small) else value
    for digits in range(2, _FINEST):
        near = round(value * 2**digits) / 2**digits
        if admits(one.domain, near):
            return near
    return value


def plans(setting: Setting, random: np.random.Generator) -> Iterator[list[Move]]:
    """Runs of observations.

    Where one falls and then stays, it stays for every sum of the whole numbers among the
    hyperparameters, and longer and shorter by a few: there a count may reach its end.
    """
    whole = [int(value) for one, value in setting.values.items() if one.is_integer]
    sums = {sum(some) for k in range(len(whole) + 1) for some in combinations(whole, k)}
    lengths = sorted({max(0, total + side) for total in sums for side in (-1, 0, 1, 2)})
    for lead in (Move.FALL, Move.RISE):
        stays = [[lead, *[Move.SAME] * length] for length in random.permutation(lengths)]
        among = [lead, Move.SAME, Move.ANY, Move.TIE, Move.BELOW, Move.ABOVE]
        yield [Move.ANY, *chain(*stays), *_drawn(among, _RANDOM, random)]
        yield [lead, *[Move.SAME] * (2 * max(lengths) + 3), *([lead, Move.TIE] * 4)]
    odd = [Move.ENDLESS, Move.ENDLESS, Move.ANY, Move.TIE, Move.ODD, Move.SAME]
    start, end = [Move.ENDLESS] * 2, [Move.BOTTOMLESS, Move.ANY, Move.ENDLESS, Move.BOTTOMLESS]
    yield [*start, *_drawn(odd, _RANDOM // 2, random), *end, Move.ANY]
    yield [*end, *_drawn(odd, _RANDOM // 2, random)]


def long_plan(random: np.random.Generator) -> list[Move]:
    """One run that is longer than the others by far."""
    return _drawn([Move.FALL, Move.RISE, *[Move.SAME] * 3, Move.ANY], _LONG, random)


def _drawn(among: list[Move], count: int, random: np.random.Generator) -> list[Move]:
    return [among[int(k)] for k in random.integers(len(among), size=count)]


class Observer:
    """Chooses observations, from what a run has seen and where it stands."""

    def __init__(self, taken: Anatomy, names: tuple[str, ...], random: np.random.Generator) -> None:
        self.names = names
        self.random = random
        self.relations: tuple[Basic, ...] = tuple(
            one
            for definition in taken.definitions.values()
            for one in occurrences(definition.right, Relational)
        )

    def choose(self, move: Move, watch: Watch) -> Values:
        """The next observation; of several letters, the move is one's, and the others' is any."""
        found = {one: self._plain(Move.ANY, one, watch) for one in self.names}
        name = str(self.random.choice(self.names))
        if move not in _AT_TIES:
            return {**found, name: self._plain(move, name, watch)}
        tie, beyond = self._tie(name, found, watch), _AT_TIES[move]
        if tie is None:
            return found
        return {**found, name: tie if beyond is None else math.nextafter(tie, beyond)}

    def _plain(self, move: Move, name: str, watch: Watch) -> float:
        seen = [x for one in watch.observed[1:] if math.isfinite(x := one[name])]
        match move:
            case Move.FALL:
                return min(seen, default=0.0) - _STEP
            case Move.RISE:
                return max(seen, default=0.0) + _STEP
            case Move.SAME if watch.now:
                return watch.observed[-1][name]
            case Move.ENDLESS:
                return math.inf
            case Move.BOTTOMLESS:
                return -math.inf
            case Move.ODD:
                return float(self.random.choice(_ODD))
        return _STEP * int(self.random.integers(-8, 9))

    def _tie(self, name: str, values: Values, watch: Watch) -> float | None:
        """A number at which both sides of some comparison are equal, were it observed next."""
        watch.begin(values)
        found = [self._root(one, name, values, watch) for one in self.relations]
        watch.undo()
        ties = [one for one in found if one is not None]
        return ties[int(self.random.integers(len(ties)))] if ties else None

    def _root(self, one: Basic, name: str, values: Values, watch: Watch) -> float | None:
        """Where a comparison's sides meet, exactly where their difference is a straight line."""

        def gap(x: float) -> Any:
            with watch.supposing({**values, name: x}):
                left, right = (watch.read(side, watch.place()) for side in one.args)
            plain = left.bounded and right.bounded and not (left.infinite or right.infinite)
            return left.value - right.value if plain else None

        before, here = 0.0, 1.0
        first, last = gap(before), gap(here)
        for _ in range(_CORRECTIONS):
            if first is None or last is None or not math.isfinite(here) or first == last:
                return None
            before, here = here, float(here - last * (here - before) / (last - first))
            first, last = last, gap(here)
            if last == 0:
                return here
        return here

    def met(self, watch: Watch) -> tuple[int, int]:
        """How many comparisons are exact ties at the present observation, and how many open."""
        found = []
        for one in self.relations:
            left, right = (watch.read(side, watch.place()) for side in one.args)
            found.append(order(watch.ops, left, right))
        return found.count(0), found.count(None)
