"""A rule's equations replayed beside a kernel, whose arrays are what was recorded."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sympy import Basic

from symopt.errors import DeclarationError
from symopt.notation import Count, Sequence
from symopt.verification.anatomy import Anatomy
from symopt.verification.arithmetic import Arithmetic
from symopt.verification.definitions import Definition
from symopt.verification.place import Place
from symopt.verification.quantity import Format, Quantity, exact, scalar
from symopt.verification.recursion import Recursion

Arrays = dict[str, np.ndarray]


class Replay(Recursion):
    """One run of one kernel with these hyperparameters.

    ``states[t]`` are the kernel's arrays before step t + 1 and ``inputs[t]`` what was handed to
    step t, the gradient under the name of the argument that takes it.
    """

    def __init__(
        self,
        taken: Anatomy,
        form: Format,
        numbers: Mapping[Basic, float],
        start: Arrays,
        gradient: str = "g",
    ) -> None:
        super().__init__(taken, Arithmetic(form), numbers)
        self.gradient_name = gradient
        self.parameter = taken.parameter.spelling.python
        self.size = start[self.parameter].size
        self.states: list[Arrays] = [start]
        self.inputs: list[Arrays] = [{}]

    def begin(self, inputs: Arrays) -> None:
        """The next step, with what is handed to it."""
        self.now += 1
        self.inputs.append(inputs)
        self.forget()

    def end(self, states: Arrays) -> None:
        """The kernel's arrays after the step."""
        self.states.append(states)

    def resumed(self, one: Definition) -> bool:
        """Whether a letter's past is read from the kernel's own arrays."""
        array = self.states[0].get(one.letter.spelling.python)
        moved = one.letter == self.anatomy.parameter
        whole = array is not None and array.size == self.size
        return whole and (moved or not one.sums_past)

    def recorded(self, one: Definition, time: int, place: Place) -> Quantity:
        """A letter as the kernel's array had it."""
        before = max(time - one.offset, 0)
        array = self.states[before][one.letter.spelling.python]
        return exact(float(array.flat[place.element]))

    def gradient(self, place: Place) -> Quantity:
        """The gradient handed to the step, an example's own one under a sum over examples."""
        return self._handed(self.gradient_name, place.now, place)

    def given(self, letter: Sequence, time: int, place: Place) -> Quantity:
        """An input; under another name than any that was handed over, the gradient."""
        initial = self.anatomy.declared.initial_values.get(letter)
        if time < 1 and initial is not None:
            return self.read(initial, place)
        name = letter.spelling.python
        handed = 1 <= time < len(self.inputs) and name in self.inputs[time]
        return self._handed(name if handed else self.gradient_name, time, place)

    def _handed(self, name: str, time: int, place: Place) -> Quantity:
        if not 1 <= time < len(self.inputs):
            raise DeclarationError(
                f"{self.anatomy.declared.name} reads {name} at step {time}, while {self.now} is "
                "the present step and 1 the first; give it an initial value"
            )
        array = self.inputs[time][name]
        numbers = [k for index, k in place.bound.items() if index.counts == "example"]
        if array.ndim > 1 and not numbers:
            raise DeclarationError(
                f"{self.anatomy.declared.name} reads {name} both of each example and of none"
            )
        row = array[numbers[-1] - 1] if array.ndim > 1 else array
        return exact(float(row.flat[place.element]))

    def number(self, symbol: Basic) -> Quantity:
        """A hyperparameter, or the number of examples."""
        return scalar(self.examples) if isinstance(symbol, Count) else super().number(symbol)

    @property
    def examples(self) -> int:
        """How many examples the present step was handed."""
        return len(self.inputs[self.now][self.gradient_name]) if self.anatomy.per_example else 1
