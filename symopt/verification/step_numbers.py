"""The numbers of one step, and how they move with what they depend on.

A number that is carried in an array of the kernel is what it holds. Any other is followed from the
first step on: it moves with the hyperparameters as its whole history does, and with the time of
each earlier step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from sympy import Basic, S, Set

from symopt.verification.cases import edges
from symopt.verification.differences import FINE, Values, beside
from symopt.verification.one_step import EXAMPLES, TIME, Source
from symopt.verification.quantity import HIGH, Quantity, scalar
from symopt.verification.replay import Replay
from symopt.verification.step_equations import StepEquations

_ONE = Quantity(HIGH.one, 1.0, 0.0, True)

Quantities = dict[Basic, Quantity]


@dataclass(frozen=True)
class Moment:
    """The time of an earlier step, on which what was followed from there depends."""

    step: int


# what a gradient is by
Moved: TypeAlias = "Basic | Moment"


class Ends(NamedTuple):
    """What is on both sides of a move ``by`` a little, none where a range ends."""

    below: Values | None
    above: Values | None
    by: Any

    def through(self, function: Callable[[Values], Values]) -> Ends:
        """What is made of both sides."""
        below, above = (one if one is None else function(one) for one in self[:2])
        return Ends(below, above, self.by)


class StepNumbers:
    """What the numbers are at the present step of a run, and how fast they move.

    ``tangents`` holds the slopes of all numbers by each that may be moved: the hyperparameters,
    the ``carried`` numbers, and with ``moments`` the times of earlier steps.
    """

    def __init__(
        self,
        equations: StepEquations,
        replay: Replay,
        carried: Mapping[Source, float],
        moments: bool,
    ) -> None:
        one = equations.one
        self.equations, self.now = equations, replay.now
        self.ops = replay.ops
        self._carried = {one.old[x]: scalar(value) for x, value in carried.items() if x in one.old}
        self._fixed = {letter: replay.numbers[x] for x, letter in one.numbers.items()}
        self._fixed[EXAMPLES] = scalar(replay.examples)
        self._domains: dict[Moved, Set] = {letter: x.domain for x, letter in one.numbers.items()}
        self._renamed = {one.old[x]: one.new[x] for x in equations.followed}
        earlier = range(1, self.now if moments else 1)
        self.moved: tuple[Moved, ...] = (
            *one.numbers.values(),
            *self._carried,
            *(Moment(k) for k in earlier),
        )
        self.known, self.tangents = self._at_now()
        self.here = self._exact(None, FINE.zero)
        self.ends = cache(self._ends)

    def _at_now(self) -> tuple[Quantities, dict[Moved, Quantities]]:
        old, slopes = self._before()
        lines, own = self.equations.numbers, {TIME: scalar(self.now), **old, **self._carried}
        letters = lines.run(self.ops, {**self._fixed, **own})
        found: dict[Moved, Quantities] = {}
        for x, slope in slopes.items():
            free = {letter: y for letter, y in slope.items() if letter not in self._carried}
            itself = {x: _ONE} if x in self._carried else self._own(x, self.now)
            moving = lines.chain.tangents(letters.place, {**free, **itself})
            found[x] = moving | lines.geometric_slopes(letters, moving)
        return letters.known, found

    def _before(self) -> tuple[Quantities, dict[Moved, Quantities]]:
        """What the numbers were before this step, and their slopes."""
        lines = self.equations.starts
        letters = lines.run(self.ops, self._fixed)
        slopes = {x: lines.chain.tangents(letters.place, self._own(x, 0)) for x in self.moved}
        old = {letter: letters.known[letter] for letter in self._renamed}
        lines = self.equations.numbers
        for step in self._earlier:
            letters = lines.run(self.ops, {**self._fixed, TIME: scalar(step), **old})
            for x, slope in slopes.items():
                moved = {**slope, **self._own(x, step)}
                slopes[x] = self._as_old(lines.chain.tangents(letters.place, moved))
            old = self._as_old(letters.known)
        return old, slopes

    @property
    def _earlier(self) -> range:
        """The steps that a number with a past is followed through."""
        return range(1, self.now if self._renamed else 1)

    def _own(self, x: Moved, step: int) -> Quantities:
        """What moves with a number of its own accord, at a step."""
        if x == Moment(step):
            return {TIME: _ONE}
        return {x: _ONE} if x in self._fixed else {}

    def _as_old(self, known: Mapping[Basic, Any]) -> dict[Basic, Any]:
        """What is new at one step is old at the next."""
        return {old: known[new] for old, new in self._renamed.items() if new in known}

    def _exact(
        self, x: Moved | None, by: Any, seen: Callable[[Values], None] = lambda _: None
    ) -> Values:
        """The numbers at this step, with one of what they depend on moved by a little.

        All numbers of each step are told to ``seen``.
        """

        def at(letter: Moved, value: Any) -> Any:
            return FINE.mpf(value) + (by if letter == x else 0)

        fixed = {letter: at(letter, y.value) for letter, y in self._fixed.items()}
        started = self.equations.starts.fine.values(fixed)
        old = {letter: started[letter] for letter in self._renamed}
        lines = self.equations.numbers.fine
        for step in (*self._earlier, self.now):
            if step == self.now:
                old |= {letter: at(letter, y.value) for letter, y in self._carried.items()}
            known = lines.values({**fixed, TIME: at(Moment(step), step), **old})
            seen(known)
            old = self._as_old(known)
        return known

    @property
    def smooth(self) -> bool:
        """Whether no line of numbers has a kink or a jump anywhere."""
        return self.equations.numbers.fine.smooth

    def at_kink(self) -> bool:
        """Whether a number stands, now or at an earlier step, where it has a kink or a jump."""
        lines = self.equations.numbers.fine
        steps: list[Values] = []
        self._exact(None, FINE.zero, steps.append)
        return any(map(lines.at_kink, steps))

    def _ends(self, x: Moved) -> tuple[Ends, ...]:
        value = x.step if isinstance(x, Moment) else {**self._fixed, **self._carried}[x].value
        domain = self._domains.get(x, S.Reals)
        lowest, highest = (edge == float(value) for edge in edges(domain))
        return tuple(
            Ends(
                None if lowest else self._exact(x, -by),
                None if highest else self._exact(x, by),
                by,
            )
            for by in beside(value)
        )
