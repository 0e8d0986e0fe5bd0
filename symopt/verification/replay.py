"""A rule's equations replayed beside a kernel: what each letter is at each step, by recursion.

States that refer to their own past are taken from the kernel's arrays before the step, exactly as
they stand there, so each step is judged alone. Sums over the past are summed anew from the whole
history of gradients.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sympy import Basic

from symopt.errors import DeclarationError
from symopt.nodes import Sigma
from symopt.notation import Count, Sequence
from symopt.verification.anatomy import Anatomy
from symopt.verification.arithmetic import Arithmetic, as_geometric_sum
from symopt.verification.definitions import Definition
from symopt.verification.meaning import Meaning, Place, integer, meaning
from symopt.verification.quantity import Format, Quantity, exact, scalar

Arrays = dict[str, np.ndarray]
_Key = tuple[Sequence, int, int]


class Replay:
    """One run of one kernel with these hyperparameters.

    ``now`` is the step under judgement, counted from 1; ``states[t]`` are the kernel's arrays
    before step t + 1 and ``inputs[t]`` what was handed to step t, the gradient under the name of
    the argument that takes it.
    """

    def __init__(
        self,
        taken: Anatomy,
        form: Format,
        numbers: Mapping[Basic, float],
        start: Arrays,
        gradient: str = "g",
    ) -> None:
        self.anatomy = taken
        self.gradient_name = gradient
        self.ops = Arithmetic(form)
        self.numbers = {symbol: scalar(value) for symbol, value in numbers.items()}
        self.parameter = taken.parameter.spelling.python
        self.size = start[self.parameter].size
        self.states: list[Arrays] = [start]
        self.inputs: list[Arrays] = [{}]
        self.now = 0
        self._meanings: dict[Basic, Meaning] = {}
        self._scalars: dict[_Key, Quantity] = {}
        self._known: dict[_Key, Quantity] = {}
        self._open: set[_Key] = set()

    def begin(self, inputs: Arrays) -> None:
        """The next step, with what is handed to it."""
        self.now += 1
        self.inputs.append(inputs)
        self._known.clear()

    def end(self, states: Arrays) -> None:
        """The kernel's arrays after the step."""
        self.states.append(states)

    def place(self, element: int) -> Place:
        """The present step at one component."""
        return Place(self, self.now, {}, element)

    def read(self, expr: Basic, place: Place) -> Quantity:
        """An expression of the declaration at a place."""
        if expr not in self._meanings:
            self._meanings[expr] = meaning(expr)
        return self._meanings[expr](place)

    def resumed(self, one: Definition) -> bool:
        """Whether a letter's past is read from the kernel's own arrays."""
        array = self.states[0].get(one.letter.spelling.python)
        moved = one.letter == self.anatomy.parameter
        whole = array is not None and array.size == self.size
        return whole and (moved or not one.sums_past)

    def value(self, letter: Sequence, time: int | None, place: Place) -> Quantity:
        """A letter at a time; without one, at the present step."""
        time = place.now if time is None else time
        one = self.anatomy.definitions.get(letter)
        if one is None:
            return self._input(letter, time, place)
        # before the first step all arrays are as they were handed over
        if time < max(self.now, 1) + one.offset and self.resumed(one):
            return self._recorded(one, time, place)
        key = (letter, time, place.element if letter in self.anatomy.driven else -1)
        memo = self._known if letter in self.anatomy.driven else self._scalars
        if key not in memo:
            if key in self._open:
                raise DeclarationError(f"{one.id} defines {letter} by itself, in a circle")
            self._open.add(key)
            memo[key] = self._evaluated(one, time, place)
            self._open.discard(key)
        return memo[key]

    def _recorded(self, one: Definition, time: int, place: Place) -> Quantity:
        before = max(time - one.offset, 0)
        array = self.states[before][one.letter.spelling.python]
        return exact(float(array.flat[place.element]))

    def _evaluated(self, one: Definition, time: int, place: Place) -> Quantity:
        there = Place(self, time - one.offset, {}, place.element)
        if there.now < 1 and one.initial is not None:
            return self.read(one.initial, there)
        result = self.read(one.right, there)
        if one.mixed and result.bounded:
            result = self.ops.averaged(result, [self.read(past, there) for past in one.mixed])
        if one.kept is None:
            return result
        return as_geometric_sum(result, self.value(one.kept, time, place))

    def gradient(self, place: Place) -> Quantity:
        """The gradient handed to the step, an example's own one under a sum over examples."""
        return self._handed(self.gradient_name, place.now, place)

    def _input(self, letter: Sequence, time: int, place: Place) -> Quantity:
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
        if isinstance(symbol, Count):
            return scalar(self.examples)
        return self.numbers[symbol]

    @property
    def examples(self) -> int:
        """How many examples the present step was handed."""
        return len(self.inputs[self.now][self.gradient_name]) if self.anatomy.per_example else 1

    def range(self, sigma: Sigma, place: Place) -> range:
        """The values of a sum's index: its bounds, or all examples."""
        if sigma.bounds is None:
            return range(1, self.examples + 1)
        low, high = (int(integer(one)(place)) for one in sigma.bounds)
        return range(low, high + 1)
