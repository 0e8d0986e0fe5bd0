"""One case of a tensor layer: each function is called, each of its numbers laid beside its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from symopt.declaration.outline import Outline
from symopt.notation import Sequence
from symopt.verification.layer_calls import Answer, Call
from symopt.verification.tensor_bounds import roundings, sum_of_products
from symopt.verification.tensor_cases import TensorCase, drawn, exact
from symopt.verification.tensor_subject import TensorSubject
from symopt.verification.tensor_world import COUNT, SIZE, VALUE, Array, World
from symopt.verification.verdict import Point, Tally

# whether a product that is no number stands at a place of the output, or of a gradient by a letter
Lost = Callable[[Sequence | None, tuple[int, ...]], bool]


@dataclass
class TensorTrial:
    """One case with its arrays by letter, that of dL/dy by the output's letter."""

    subject: TensorSubject
    tally: Tally
    case: TensorCase
    random: np.random.Generator
    arrays: dict[Any, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.arrays = self.arrays or drawn(self.case, self.tally.dtype, self.random)

    @property
    def world(self) -> World:
        """The declared sum at the case's sizes."""
        return self.case.world

    @property
    def outline(self) -> Outline:
        """The layer's letters."""
        return self.world.layer.outline

    @cached_property
    def output(self) -> Sequence:
        """The letter of the output."""
        letter: Sequence = self.outline.output.base
        return letter

    def known(self) -> dict[str, Any]:
        """All that a function may be handed, by name."""
        arrays = {_name(one): self.arrays[one] for one in self.outline.arrays}
        numbers = {str(one): int(x) if one.is_integer else float(x)
                   for one, x in self.world.numbers.items()}  # fmt: skip
        return {**numbers, **arrays, f"d{_name(self.output)}": self.arrays[self.output]}

    def ask_forward(self) -> Answer | None:
        """The forward function's answer."""
        shapes = {_name(self.output): self.world.shape(self.output)}
        call = Call("forward", self.subject.forward, self.subject.forward_arguments, shapes)
        return call.ask(self.known(), self.tally)

    def ask_backward(self) -> Answer | None:
        """The backward function's answer."""
        shapes = {f"d{_name(one)}": self.world.shape(one) for one in self.differentiated()}
        call = Call("backward", self.subject.backward, self.subject.backward_arguments, shapes)
        return call.ask(self.known(), self.tally)

    def differentiated(self) -> tuple[Sequence, ...]:
        """The letters by which backward returns gradients, in its order."""
        letters = {_name(one): one for one in self.outline.arrays}
        return tuple(letters[one] for one in self.subject.gradients)

    def judge(self, lost: Lost | None = None) -> None:
        """Every number of both functions; at ``lost`` places it is to be no finite one."""
        forward, backward = self.ask_forward(), self.ask_backward()
        if forward is None or backward is None:
            return
        self.compare("forward", forward, self.output, self.outputs(), lost)
        for letter in self.differentiated():
            if not self.tally.refuted:
                self.compare("backward", backward, letter, self.gradients(letter), lost)

    # what is declared

    @cached_property
    def _exact(self) -> dict[Any, np.ndarray]:
        return exact({one: np.nan_to_num(x, posinf=0.0, neginf=0.0)
                      for one, x in self.arrays.items()})  # fmt: skip

    @cached_property
    def _sizes(self) -> dict[Any, np.ndarray]:
        return {one: abs(x) for one, x in self._exact.items()}

    @cached_property
    def _ones(self) -> dict[Any, np.ndarray]:
        return {one: np.ones(x.shape, np.int64) for one, x in self.arrays.items()}

    def outputs(self) -> Iterator[tuple[tuple[int, ...], Any, Any, Any]]:
        """Each place of the output with its value, its size and the number of its products."""
        found = [self.world.output(arrays, way) for arrays, way in self._ways()]
        for at in np.ndindex(found[0].shape):
            yield (at, *(one[at] for one in found))

    def gradients(self, letter: Sequence) -> Iterator[tuple[tuple[int, ...], Any, Any, Any]]:
        """Each place of a gradient likewise: the slope of Σ dy·y as the entry there grows."""
        slopes = [
            self.world.slopes(arrays, arrays[self.output], letter, way)
            for arrays, way in self._ways()
        ]
        for at in np.ndindex(self.world.shape(letter)):
            step = unit_at(self.world.shape(letter), at)
            yield (at, *(slope(step) for slope in slopes))

    def _ways(self) -> list[tuple[dict[Any, Array], Any]]:
        return [(self._exact, VALUE), (self._sizes, SIZE), (self._ones, COUNT)]

    # beside it

    def compare(
        self,
        what: str,
        answer: Answer,
        letter: Sequence,
        rows: Iterator[tuple[tuple[int, ...], Any, Any, Any]],
        lost: Lost | None = None,
    ) -> None:
        """Number by number; a function that refuses what fits is wrong."""
        name = _name(letter) if what == "forward" else f"d{_name(letter)}"
        where = f"{self.tally.name}, {what}"
        if answer.refused:
            self.tally.refute(where, f"{where}: refused {answer.refused!r} ({self.case.words})")
            return
        steps = roundings(self.outline.equation.right) + (what == "backward")
        shown = self.outline.id if what == "forward" else f"{self.tally.name}, dL/d{_name(letter)}"
        for at, value, size, count in rows:
            number = float(answer.arrays[name][at])
            place = f"{shown} at {', '.join(map(str, at))}"
            if lost is not None and lost(letter if what == "backward" else None, at):
                if np.isfinite(number):
                    message = f"{place}: {number!r}, where an entry that is read is none"
                    self.tally.refute(place, f"{message}; {self.words()}")
                continue
            declared = sum_of_products(self.tally.form, value, size, count, steps)
            self.tally.point(declared, number, Point(place, self.words))

    def words(self) -> str:
        """What was handed over, as a reader would type it where it is short."""
        shown = {name: x for name, x in self.known().items() if isinstance(x, np.ndarray)}
        listed = [f"{name} = {x.tolist()}" for name, x in shown.items() if x.size <= 12]
        return f"with {', '.join(listed)} ({self.case.words})" if listed else f"({self.case.words})"


def _name(letter: Sequence) -> str:
    name: str = letter.spelling.python
    return name


def spoilt(trial: TensorTrial, letter: Sequence, bad: float) -> None:
    """One entry that is no number: wherever it is read nothing is, and all else is as before.

    Where it meets a zero beyond an array it is not read: there is no such product.
    """
    shape = trial.arrays[letter].shape
    if not np.prod(shape):
        return
    at = tuple(int(trial.random.integers(length)) for length in shape)
    arrays = {one: x.copy() for one, x in trial.arrays.items()}
    arrays[letter][at] = bad
    world, output = trial.world, trial.output
    ones = {one: np.ones(x.shape, np.int64) for one, x in arrays.items()}
    more = {**ones, letter: ones[letter].copy()}
    more[letter][at] += 1

    outputs = world.output(more, COUNT) - world.output(ones, COUNT)
    slopes = {
        one: [world.slopes(x, x[output], one, COUNT) for x in (ones, more)]
        for one in trial.differentiated()
    }

    def lost(by: Sequence | None, place: tuple[int, ...]) -> bool:
        """Whether a product at this place holds the entry."""
        if by is None:
            return letter != output and bool(outputs[place])
        step = unit_at(world.shape(by), place)
        before, after = (slope(step) for slope in slopes[by])
        return bool(before != after)

    TensorTrial(trial.subject, trial.tally, trial.case, trial.random, arrays).judge(lost)


def unit_at(shape: tuple[int, ...], at: tuple[int, ...]) -> np.ndarray:
    """An array that is 1 at one place and 0 elsewhere."""
    found = np.zeros(shape, np.int64)
    found[at] = 1
    return found


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "in Fortran's order": np.asfortranarray,
    "every second number of a longer one": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "with negative strides": lambda x: np.ascontiguousarray(x[..., ::-1])[..., ::-1],
}


def laid_out(trial: TensorTrial) -> None:
    """Both functions on arrays that lie in memory otherwise."""
    for layout in LAYOUTS.values():
        if not trial.tally.refuted:
            arrays = {one: layout(x) for one, x in trial.arrays.items()}
            TensorTrial(trial.subject, trial.tally, trial.case, trial.random, arrays).judge()
