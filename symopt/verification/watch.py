"""A monitor's equations replayed beside a run of its module, on plain numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sympy import Basic

from symopt.errors import DeclarationError
from symopt.notation import Sequence
from symopt.verification.anatomy import Anatomy
from symopt.verification.definitions import Definition
from symopt.verification.place import Place
from symopt.verification.plain_numbers import PlainNumbers
from symopt.verification.quantity import Quantity, scalar
from symopt.verification.recursion import Recursion

Values = dict[str, float]

_MOST_OPEN = 4


class Watch(Recursion):
    """One run with these hyperparameters.

    ``states[t]`` are the module's states before observation t + 1 and ``observed[t]`` what
    observation t was.
    """

    size = 1

    def __init__(self, taken: Anatomy, numbers: Mapping[Basic, float], start: Values) -> None:
        self.plain = PlainNumbers()
        super().__init__(taken, self.plain, numbers)
        self.states: list[Values] = [start]
        self.observed: list[Values] = [{}]

    def begin(self, observed: Values) -> None:
        """The next observation."""
        self.now += 1
        self.observed.append(observed)
        self.forget()

    def end(self, states: Values) -> None:
        """The module's states after it."""
        self.states.append(states)

    def undo(self) -> None:
        """The observation was refused, so it does not count."""
        self.now -= 1
        self.observed.pop()
        self.forget()

    @contextmanager
    def supposing(self, observed: Values) -> Iterator[None]:
        """The present observation exchanged for another, for a while."""
        real = self.observed[self.now]
        self.observed[self.now] = observed
        self.forget()
        yield
        self.observed[self.now] = real
        self.forget()

    @contextmanager
    def choosing(self, parameter: Basic, value: float) -> Iterator[None]:
        """One hyperparameter exchanged for another value, for a while."""
        real = self.numbers[parameter]
        self.numbers[parameter] = scalar(value)
        self.forget(all_steps=True)
        yield
        self.numbers[parameter] = real
        self.forget(all_steps=True)

    def readings(self) -> Iterator[dict[str, Quantity]]:
        """What the equations say at the present observation, by letter.

        Where rounding decides a comparison, once for each order of its sides; where it decides
        more than a few, with all that they span.
        """
        self.forget()
        self.plain.open.clear()
        found = {
            str(one.letter.spelling.python): self.value(
                one.letter, self.now + one.offset, self.place()
            )
            for one in self.anatomy.definitions.values()
        }
        if not self.plain.open or len(self.plain.answers) >= _MOST_OPEN:
            yield found
            return
        pair = self.plain.open[0]
        for answer in (-1, 0, 1):
            self.plain.answers[pair] = answer
            yield from self.readings()
        del self.plain.answers[pair]
        self.forget()

    def resumed(self, one: Definition) -> bool:
        """Whether a letter's past is one of the module's states."""
        return one.letter.spelling.python in self.states[0] and not one.sums_past

    def recorded(self, one: Definition, time: int, place: Place) -> Quantity:  # noqa: ARG002  # a plain number has one place
        """A letter as the module's state had it."""
        return scalar(self.states[max(time - one.offset, 0)][one.letter.spelling.python])

    def given(self, letter: Sequence, time: int, place: Place) -> Quantity:  # noqa: ARG002  # as above
        """What was observed."""
        if not 1 <= time <= self.now:
            raise DeclarationError(
                f"{self.anatomy.declared.name} reads {letter} at step {time}, while {self.now} is "
                "the present step and 1 the first; keep it in a state of its own"
            )
        return scalar(self.observed[time][letter.spelling.python])

    def gradient(self, place: Place) -> Quantity:
        """A monitor knows none."""
        raise DeclarationError(
            f"{self.anatomy.declared.name} reads a gradient at step {place.now}, but a monitor "
            "knows plain numbers alone"
        )
