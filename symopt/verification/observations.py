"""What monitors are tried on: runs that meet each comparison from both sides and exactly.

Observations are dyadic fractions, and hyperparameters besides the defaults are too, so that sums
and products are exact doubles and a comparison has one answer. Where rounding may decide one, as
with a default of 10⁻⁴, either answer is accepted, the same wherever it is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from enum import Enum
from itertools import chain, combinations

import numpy as np

from symopt.notation import Hyperparameter
from symopt.verification.cases import Setting, admissible_ends, admits, drawn_within, settings
from symopt.verification.ties import Ties
from symopt.verification.watch import Values, Watch

_STEP = 0.25
_RANDOM = 40
_LONG = 150
_LONGEST = 50
_SETTINGS = 6


class Move(Enum):
    """What to observe next: beside what was seen, at a comparison's tie or next to it, or odd."""

    FALL, RISE, SAME, ANY, TIE, BELOW, ABOVE, ENDLESS, BOTTOMLESS, ODD = range(10)


_AT_TIES = {Move.TIE: None, Move.BELOW: -math.inf, Move.ABOVE: math.inf}
_ODD = (0.0, -0.0, 1.0, 1e300, -1e300, 5e-324)


def dyadic_settings(
    parameters: tuple[Hyperparameter, ...],
    defaults: Mapping[Hyperparameter, float],
    random: np.random.Generator,
) -> tuple[Setting, ...]:
    """Random dyadic fractions, among these each admissible end of a range, and the defaults.

    Whole numbers are small, so that what they count comes about often.
    """
    usual = settings(parameters, defaults, random)[0]
    ends = [(one, end) for one in parameters for end in admissible_ends(one.domain)]
    return (
        *(dyadic_setting(parameters, random) for _ in range(_SETTINGS if parameters else 0)),
        *(dyadic_setting(parameters, random).exchanged(one, end) for one, end in ends),
        usual,
    )


def dyadic_setting(parameters: tuple[Hyperparameter, ...], random: np.random.Generator) -> Setting:
    """Random dyadic fractions for all hyperparameters."""
    return Setting("dyadic", {one: _dyadic(one, random) for one in parameters})


def _dyadic(one: Hyperparameter, random: np.random.Generator) -> float:
    """A number within a range: a small whole one, an eighth of the range, a power of two above."""
    low, high = float(one.domain.inf), float(one.domain.sup)
    first = low if math.isfinite(low) else min(high, 0.0) - 2
    tries: list[float]
    if one.is_integer:
        tries = [int(first) + k for k in range(4)]
    elif math.isfinite(high):
        tries = [first + (high - first) / 8 * k for k in range(1, 8)]
    else:
        tries = [first + 2.0**-k for k in range(-1, 6)]
    found = [value for value in tries if admits(one.domain, value)]
    return found[int(random.integers(len(found)))] if found else drawn_within(one, random)


def plans(setting: Setting, random: np.random.Generator) -> Iterator[list[Move]]:
    """Runs of observations.

    Where one falls and then stays, it stays for every sum of the whole numbers among the
    hyperparameters, and longer and shorter by a few: there a count may reach its end. Longer sums
    than ``_LONGEST`` are left to settings of small numbers.
    """
    whole = [int(value) for one, value in setting.values.items() if one.is_integer]
    sums = {sum(some) for k in range(len(whole) + 1) for some in combinations(whole, k)}
    turns = {min(total, _LONGEST) + side for total in sums for side in (-1, 0, 1, 2)}
    lengths = sorted(one for one in turns if one >= 0)
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
    """One run that is longer than the others by far, at first without a change."""
    mixed = [Move.FALL, Move.RISE, *[Move.SAME] * 3, Move.ANY]
    return [Move.FALL, *[Move.SAME] * _LONG, *_drawn(mixed, _LONG, random)]


def _drawn(among: list[Move], count: int, random: np.random.Generator) -> list[Move]:
    return [among[int(k)] for k in random.integers(len(among), size=count)]


class Observer:
    """Chooses observations, from what a run has seen and where it stands."""

    def __init__(self, names: tuple[str, ...], ties: Ties, random: np.random.Generator) -> None:
        self.names, self.ties, self.random = names, ties, random

    def choose(self, move: Move, watch: Watch) -> Values:
        """The next observation; of several letters, the move is one's, and the others' is any."""
        found = {one: self._plain(Move.ANY, one, watch) for one in self.names}
        name = str(self.random.choice(self.names))
        if move not in _AT_TIES:
            return {**found, name: self._plain(move, name, watch)}
        ties, beyond = self.ties.observed(name, found, watch), _AT_TIES[move]
        if not ties:
            return found
        tie = ties[int(self.random.integers(len(ties)))]
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
