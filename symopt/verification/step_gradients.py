"""What a rule's equations say of the gradient of one step, element by element.

The gradient is that of L = Σ adjoint · new value. An element's share is the central difference at
500 digits, for a hyperparameter with the whole history of the numbers that it enters; the chain
rule tells how far off a kernel may be, and must agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
from sympy import Basic

from symopt.notation import Statistic
from symopt.verification.chains import granted
from symopt.verification.differences import FINE, Values, beside, slope, trusted
from symopt.verification.one_step import Source
from symopt.verification.place import Place
from symopt.verification.quantity import UNBOUNDED, Quantity, exact, scalar
from symopt.verification.replay import Replay
from symopt.verification.step_numbers import Ends, Moved, StepNumbers

Gradient = dict[Moved, Quantity]
Adjoints = Mapping[Statistic, float]


class StepGradients:
    """The gradients of the present step of a run, whose arrays stand as they were before it.

    ``held`` says under which name an array holds what an equation reads from before the step.
    """

    def __init__(
        self,
        name: str,
        numbers: StepNumbers,
        replay: Replay,
        arrays: Mapping[str, np.ndarray],
        held: Mapping[Source, str],
    ) -> None:
        self.name, self.numbers, self.replay = name, numbers, replay
        self.arrays, self.held = arrays, held
        self.one = numbers.equations.one
        self.lines = numbers.equations.elements

    def of_element(self, element: int, adjoints: Adjoints) -> Gradient:
        """The gradient by each letter, from the adjoints of one element's new values."""
        numbers, data = self.numbers, self._data(element)
        letters = self.lines.run(numbers.ops, {**numbers.known, **data})
        handed = {letter: exact(value) for letter, value in adjoints.items()}
        largest = numbers.ops.data.largest
        chained = self.lines.chain.gradients(letters.place, handed, largest)
        found: Gradient = {letter: chained[letter] for letter in data if letter in chained}
        found |= {x: self._through_numbers(x, chained) for x in numbers.moved}
        if not all(x.bounded for x in letters.known.values()):
            return found
        inputs = {letter: FINE.mpf(x.value) for letter, x in data.items()}
        here = self.lines.fine.values({**numbers.here, **inputs})
        renewed: dict[Moved, Statistic | None] = {
            old: self.one.new.get(source) for source, old in self.one.old.items()
        }

        def ends(x: Moved) -> Iterator[Ends]:
            values = self.lines.fine.values
            if x in inputs:
                for by in beside(inputs[x], here.get(renewed.get(x), 0)):
                    sides = ({**numbers.here, **inputs, x: inputs[x] + y} for y in (-by, by))
                    below, above = map(values, sides)
                    yield Ends(below, above, by)
                return
            for end in numbers.ends(x):
                yield end.through(lambda moved: values({**moved, **inputs}))

        def at_kink() -> bool:
            return self.lines.fine.at_kink(here) or numbers.at_kink()

        smooth = self.lines.fine.smooth and numbers.smooth
        return self._trusted(found, here, ends, adjoints, smooth, at_kink)

    def of_numbers(self, adjoints: Adjoints) -> Gradient:
        """The gradient by each number, from the adjoints of the new values of numbers."""
        numbers = self.numbers
        handed = {letter: scalar(value) for letter, value in adjoints.items()}
        found = {x: granted(self._through_numbers(x, handed)) for x in numbers.moved}
        if not all(x.bounded for x in numbers.known.values()):
            return found
        smooth, at_kink = numbers.smooth, numbers.at_kink
        return self._trusted(found, numbers.here, numbers.ends, adjoints, smooth, at_kink)

    def _data(self, element: int) -> dict[Basic, Quantity]:
        """What was before the step and what is handed to it, of one element."""
        found: dict[Basic, Quantity] = {}
        for letter, (name, each) in self.one.given.items():
            array = self.arrays[name]
            row = array if each is None else array[each]
            found[letter] = exact(float(row.flat[element]))
        for source, letter in self.one.old.items():
            if source in self.held:
                found[letter] = exact(float(self.arrays[self.held[source]].flat[element]))
            elif source in self.one.data:
                before = Place(self.replay, self.replay.now - 1, {}, element)
                found[letter] = self.numbers.ops.lifted(self.replay.read(source, before))
        return found

    def _through_numbers(self, x: Moved, chained: Mapping[Basic, Quantity]) -> Quantity:
        """The gradient by a number, through all numbers that move with it."""
        ops, moving = self.numbers.ops, self.numbers.tangents[x]
        ways = [ops.multiply([chained[y], by]) for y, by in moving.items() if y in chained]
        return ops.add(ways)

    def _trusted(
        self,
        found: Gradient,
        here: Values,
        ends: Callable[[Moved], Iterable[Ends]],
        adjoints: Adjoints,
        smooth: bool,
        at_kink: Callable[[], bool],
    ) -> Gradient:
        weights = {letter: FINE.mpf(value) for letter, value in adjoints.items() if value}
        tiny = self.numbers.ops.data.tiny

        def one(x: Moved, chained: Quantity) -> Quantity:
            if not chained.bounded:
                return UNBOUNDED if at_kink() else chained
            slopes = (slope(low, here, high, weights, by) for low, high, by in ends(x))
            return trusted(chained, slopes, tiny, smooth, at_kink, f"{self.name}, dL/d{x}")

        return {x: one(x, chained) for x, chained in found.items()}
