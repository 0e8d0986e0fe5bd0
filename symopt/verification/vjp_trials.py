"""The gradient of a step, or of the point of its gradient, beside what the equations say of it.

All adjoints are handed in at once for some elements, those of one new value alone for others, so
that no way through the step drowns in another. Gradients by numbers are judged for all elements
together, for each by itself, and for more than a kernel may add up at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symopt.notation import Statistic
from symopt.verification.one_step import Source
from symopt.verification.quantity import HIGH, exact
from symopt.verification.replay import Arrays
from symopt.verification.rule_runs import Run
from symopt.verification.rule_subject import Vjp
from symopt.verification.step_equations import StepEquations
from symopt.verification.step_gradients import Gradient, StepGradients
from symopt.verification.step_numbers import Moment, Moved, StepNumbers
from symopt.verification.verdict import Point, Tally
from symopt.verification.vjp_calls import asked

Places = Sequence[int] | np.ndarray

_PERIOD = 18  # of the kinds of numbers in arrays of starts and gradients
_MANY, _REPEATED = 2500, 54


@dataclass(frozen=True)
class Judged:
    """A gradient that is judged, by its ``name``.

    ``made`` are the new values that it is of, by the names of their arrays; ``held`` says which
    arrays hold what was before the step, ``carried`` which of them are single numbers. The numbers
    in ``unnamed`` arrays are none of the declaration's own names, and are told by what they are.
    With ``blind`` there is one more, of which nothing is known.
    """

    name: str
    vjp: Vjp
    equations: StepEquations
    made: Mapping[str, Source]
    held: Mapping[Source, str]
    carried: Mapping[Source, str]
    unnamed: Mapping[str, Source]
    blind: bool


class VjpTrial:
    """One gradient at the present step of a run, before the kernel takes it."""

    def __init__(self, judged: Judged, run: Run, tally: Tally, random: np.random.Generator) -> None:
        self.judged, self.run, self.tally = judged, run, tally
        self.one = judged.equations.one
        self.where = f"{tally.name}, {judged.name}"
        self.arrays: Arrays = {**run.arrays, **run.inputs}
        carried = {x: float(self.arrays[name][0]) for x, name in judged.carried.items()}
        self.numbers = StepNumbers(judged.equations, run.replay, carried, bool(judged.unnamed))
        self.gradients = StepGradients(
            self.where, self.numbers, run.replay, self.arrays, judged.held
        )
        self.size = run.replay.size
        self.adjoints = self._drawn(random)

    def _drawn(self, random: np.random.Generator) -> Arrays:
        """An adjoint for each new value: of all at once at first, then of one alone in turn."""
        parameter = self.run.arrays[self.run.replay.parameter]
        taken = [x for x in self.run.arrays if f"d{x}" in self.judged.vjp.arguments]
        found = {name: np.zeros_like(self.run.arrays[name]) for name in taken}
        for name in self.judged.made:
            like = self.run.arrays.get(name, parameter)
            found[name] = random.normal(size=like.shape).astype(like.dtype)
        several = [name for name in self.judged.made if found[name].size == self.size]
        block = np.arange(self.size) // _PERIOD
        turn = (block + random.integers(len(several))) % len(several)
        for place, name in enumerate(several):
            found[name][(block > 0) & (turn != place)] = 0.0
        return {f"d{name}": one for name, one in found.items()}

    @cached_property
    def shares(self) -> list[Gradient]:
        """What each element adds to the gradients."""
        made = {x: self.one.new[y] for x, y in self.judged.made.items() if y in self.one.data}
        return [
            self.gradients.of_element(
                e,
                {x: float(self.adjoints[f"d{name}"].flat[e]) for name, x in made.items()},
            )
            for e in range(self.size)
        ]

    @cached_property
    def own(self) -> Gradient:
        """What the new numbers add to the gradients."""
        made = {x: self.one.new[y] for x, y in self.judged.made.items() if y not in self.one.data}
        return self.gradients.of_numbers(
            {letter: float(self.adjoints[f"d{name}"][0]) for name, letter in made.items()}
        )

    def plain(self, element: int) -> bool:
        """Whether all adjoints of an element are handed in, and all its gradients are bounded."""
        several = (one for one in self.adjoints.values() if self.of_elements(one))
        gradients = (*self.shares[element].values(), *self.own.values())
        return all(one[element] for one in several) and all(x.bounded for x in gradients)

    def judge(self) -> None:
        """All elements at once, then the numbers' gradients through each."""
        missing = [x for x in self.judged.made if f"d{x}" not in self.judged.vjp.arguments]
        if missing:
            message = f"{self.where}: the function takes no adjoint of {missing[0]}"
            self.tally.refute(self.where, message)
            return
        self._judge_at(range(self.size))
        for element in range(self.size):
            if not self.tally.refuted:
                found = self._asked([element])
                if found is not None:
                    self._judge_numbers(found, [element])

    def judge_many(self) -> None:
        """The same elements again and again, so that blocks of a loop begin at different ones."""
        if not self.tally.refuted:
            self._judge_at(np.arange(_MANY) % min(_REPEATED, self.size))

    def _judge_at(self, places: Places) -> None:
        found = self._asked(places)
        if found is not None:
            self._judge_elements(found, places)
            self._judge_numbers(found, places)

    def _asked(self, places: Places) -> dict[str, Any] | None:
        """The function's answer for some elements in a row."""

        def picked(one: np.ndarray) -> np.ndarray:
            whole = self.of_elements(one)
            return np.ascontiguousarray(one[..., places]) if whole else one

        return self.ask(
            {name: picked(one) for name, one in self.arrays.items()},
            {name: picked(one) for name, one in self.adjoints.items()},
        )

    def ask(self, arrays: Arrays, adjoints: Arrays) -> dict[str, Any] | None:
        """The function's answer."""
        return asked(self.where, self.judged.vjp, self.run, arrays, adjoints, self.tally)

    def of_elements(self, one: np.ndarray) -> bool:
        """Whether an array has a number for each element."""
        return one.shape[-1:] == (self.size,)

    def _judge_elements(self, found: dict[str, Any], places: Places) -> None:
        """The gradients by arrays, number by number."""
        for name in found:
            for row, letter in self.letters(name):
                for place, element in enumerate(places):
                    declared = self.shares[element].get(letter, exact(0.0))
                    point = self._point(name, row, [element])
                    self.tally.point(declared, float(found[name][(*row, place)]), point)

    def letters(self, name: str) -> Iterator[tuple[tuple[int, ...], Moved]]:
        """The letters for an element of an array, each with where it stands before the element."""
        if name not in self.arrays or not self.of_elements(self.arrays[name]):
            return
        given = {each: letter for letter, (x, each) in self.one.given.items() if x == name}
        old = [self.one.old.get(x) for x, held in self.judged.held.items() if held == name]
        for each in range(len(self.arrays[name])) if self.arrays[name].ndim > 1 else (None,):
            row = () if each is None else (each,)
            yield row, given.get(each) or (old[0] if old else None)

    def _judge_numbers(self, found: dict[str, Any], places: Places) -> None:
        """The gradients by hyperparameters and by single numbers that are carried along.

        How an unnamed number shares with the hyperparameters what it hands on is the kernel's
        own: it may hold P and take 1 - P. So both are put together by how the number moves.
        """
        carried = {name: self.one.old.get(x) for x, name in self.judged.carried.items()}
        for name in found:
            if name in carried:
                self._judge_number(name, carried[name], float(found[name][0]), places)
            elif name in self.run.named and not self.judged.blind:
                letter = self.number(name)
                whole = self._with_unnamed(letter, HIGH.mpf(float(found[name])), found)
                self._judge_number(name, letter, whole, places)
        for x in self.numbers.moved:
            if isinstance(x, Moment) and not self.judged.blind:
                whole = self._with_unnamed(x, HIGH.zero, found)
                self._judge_number(f"t at step {x.step}", x, whole, places)

    def number(self, name: str) -> Statistic | None:
        """The letter of a hyperparameter, where the step reads it."""
        letters = {x.spelling.python: letter for x, letter in self.one.numbers.items()}
        return letters.get(name)

    def _with_unnamed(self, x: Moved | None, direct: Any, found: dict[str, Any]) -> float:
        """A gradient by a number, with what goes through unnamed numbers from before the step."""
        moving = self.numbers.tangents.get(x, {})
        for name, source in self.judged.unnamed.items():
            by = moving.get(self.one.old.get(source))
            if by is not None and name in found:
                direct += HIGH.mpf(float(found[name][0])) * by.value
        return float(direct)

    def _judge_number(self, name: str, x: Moved | None, kernel: float, places: Places) -> None:
        terms = [self.shares[e][x] for e in places if x in self.own]
        declared = self.numbers.ops.add([*terms, self.own.get(x, exact(0.0))])
        self.tally.point(declared, kernel, self._point(name, (), places))

    def _point(self, name: str, row: tuple[int, ...], places: Places) -> Point:
        now = self.run.replay.now
        example = f", example {row[0]}" if row else ""
        place = f", element {places[0]}" if len(places) == 1 else ""
        where = f"{self.where}, dL/d{name}, step {now}{example}{place}"
        return Point(where, lambda: self.words(places))

    def words(self, places: Places) -> str:
        """What the function was handed, as a reader would type it; of many elements, how many."""
        words, many = [f"t = {self.run.replay.now}"], len(places) > 1
        for name, one in {**self.arrays, **self.adjoints}.items():
            if name in self.judged.vjp.arguments and not many:
                here = one[..., places[0]] if self.of_elements(one) else one[0]
                words.append(f"{name} = {here.tolist()!r}")
        words += [f"{name} = {value!r}" for name, value in self.run.named.items()]
        elements = f"{len(places)} elements, " if many else ""
        return f"with {', '.join(words)} ({elements}{self.run.setting.word} hyperparameters)"
