"""One case of a layer: each kernel is called, each of its numbers laid beside what is declared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from typing import Any

import numpy as np
from sympy import Basic

from symopt.errors import UsageError, nearest
from symopt.verification.cases import by_name
from symopt.verification.chance import settled_draws
from symopt.verification.declared import Declared, Entry
from symopt.verification.group_world import Letters
from symopt.verification.groups import Key
from symopt.verification.layer_anatomy import LayerAnatomy
from symopt.verification.layer_calls import Answer, Arrays, Call
from symopt.verification.layer_cases import STEPS, Case, data, labels, outer_gradient
from symopt.verification.layer_subject import LayerSubject
from symopt.verification.reductions import REDUCTION
from symopt.verification.verdict import Point, Tally

# of each array: what its numbers are called, and what is declared of them
Table = dict[str, tuple[str, Iterable[Entry]]]


class Trial:
    """One case with its arrays, which ``spoil`` may change before they are handed over."""

    def __init__(
        self,
        anatomy: LayerAnatomy,
        subject: LayerSubject,
        tally: Tally,
        case: Case,
        random: np.random.Generator,
        spoil: Callable[[Arrays], None] = lambda _: None,
    ) -> None:
        self.anatomy = anatomy
        self.subject = subject
        self.tally = tally
        self.case = case
        self.arrays: Arrays = {}
        self.seeded: dict[str, int] = {}
        self.steps = int(random.choice(STEPS))
        self.declared = Declared(anatomy, case, tally.form, self.arrays)
        self._draw(random)
        self.outer = self._outer(random)
        spoil(self.arrays)

    @cached_property
    def trained(self) -> dict[Key, Letters]:
        """What is declared of each group after a forward pass."""
        return self.declared.trained()

    def _draw(self, random: np.random.Generator) -> None:
        """Data of the case's kind, and random parameters and running averages."""
        taken = self.anatomy
        if taken.drawn:
            shape, here = self.case.arrangement.shape, self.declared
            self.seeded, values = settled_draws(taken.drawn, shape, here.ops, here.numbers, random)
            self.arrays |= {name: one.astype(self.tally.dtype) for name, one in values.items()}
        for letter in taken.given:
            self.arrays[letter.spelling.python] = data(self.case, self.tally.dtype, random)
        for label in taken.labels:
            self.arrays[label.spelling.python] = labels(self.case.arrangement, random)
        for letter in (*taken.learned, *taken.averages):
            found = random.normal(size=self.declared.shape(letter))
            if letter in taken.averages and letter.is_nonnegative:
                found = 0 * found if self.case.kind == "zero" else np.abs(found)
            for one in taken.corrections:
                if one.average == letter:
                    made = one.responses(self.steps, self.declared.ops, self.declared.numbers)
                    found = np.vectorize(partial(one.raw, responses=made))(found)
            self.arrays[letter.spelling.python] = np.asarray(found).astype(self.tally.dtype)

    def _outer(self, random: np.random.Generator) -> Any:
        """The gradient by the output."""
        if self.case.one_number:
            return float(random.normal())
        return outer_gradient(self.declared.shape(self.anatomy.output), self.tally.dtype, random)

    def known(self) -> dict[str, Any]:
        """All that a kernel may be handed, by name."""
        more = {f"d{self.anatomy.output.spelling.python}": self.outer, "t": self.steps}
        more[REDUCTION] = self.case.reduction
        if self.case.arrangement.groups is not None:
            more["groups"] = self.case.arrangement.groups
        return {**by_name(self.case.setting.values), **self.arrays, **more, **self.seeded}

    def letter(self, name: str) -> Basic:
        """A letter of the layer by its Python name.

        Raises
        ------
        UsageError
            If there is none of this name.
        """
        letters = self.anatomy.letters
        if name not in letters:
            raise UsageError(f"{self.tally.name} has no {name}; {nearest(name, letters)}")
        return letters[name]

    def ask_forward(self) -> Answer | None:
        """The forward kernel's answer, the running averages that it updated included."""
        names = tuple(one.spelling.python for one in self.anatomy.averages)
        shapes = {x: self.declared.shape(self.letter(x)) for x in self.subject.results}
        handed = self.subject.forward_arguments
        updated = tuple(x for x in names if x in handed)
        for name in names:
            if name not in handed:
                where = self.anatomy.ids[self.letter(name)]
                message = f"{where}: the forward pass does not take {name}, which it is to update"
                self.tally.refute(where, message)
        call = Call("forward", self.subject.forward, handed, shapes, updated)
        return call.ask(self.known(), self.tally)

    def ask_backward(self, forward: Answer) -> Answer | None:
        """The backward kernel's answer, handed what the forward kernel returned."""
        subject = self.subject
        shapes = {f"d{x}": self.declared.shape(self.letter(x)) for x in subject.gradients}
        known = {**self.known(), **{x: forward.arrays[x] for x in subject.results[1:]}}
        call = Call("backward", subject.backward, subject.backward_arguments, shapes)
        return call.ask(known, self.tally)

    def ask_inference(self) -> Answer | None:
        """The inference kernel's answer."""
        assert self.subject.inference is not None
        shapes = {self.anatomy.output.spelling.python: self.declared.shape(self.anatomy.output)}
        arguments = self.subject.inference_arguments
        call = Call("inference", self.subject.inference, arguments, shapes)
        return call.ask(self.known(), self.tally)

    def judge(self) -> None:
        """Every number of every kernel in this case."""
        declared = self.forward_table()  # an equation without a meaning comes before any kernel
        forward = self.ask_forward()
        if forward is not None:
            self.compare("forward", declared, forward)
            by_zero = self._refusing("forward", forward)
            if by_zero and self.subject.checks and not self.tally.refuted:
                self._backward_by_zero()
            if not forward.refused and not self.tally.refuted:
                backward = self.ask_backward(forward)
                if backward is not None:
                    self.compare("backward", self.backward_table(), backward)
        if self.subject.inference is not None and not self.tally.refuted:
            later = self.ask_inference()
            if later is not None:
                self.compare("inference", self.inference_table(), later)
                self._refusing("inference", later)

    def _refusing(self, what: str, answer: Answer) -> bool:
        """Whether something was divided by zero since the last time, where kernels refuse."""
        divisors = self.declared.ops.by_zero
        found = bool(divisors)
        divisors.clear()
        if found and self.subject.checks and not answer.refused:
            where = f"{self.tally.name}, {what}"
            inputs = self.words(what, tuple(self.case.arrangement.members))
            self.tally.refute(where, f"{where}: the kernel divides by zero, unrefused; {inputs}")
        return found

    def _backward_by_zero(self) -> None:
        """The backward kernel on the declared statistics of what was refused, where it divides."""
        arrays: Arrays = {}
        for name in self.subject.results[1:]:
            letter = self.letter(name)
            arrays[name] = np.zeros(self.declared.shape(letter), self.tally.dtype)
            for at, declared, _ in self.declared.entries(letter, self.trained):
                if not declared.bounded:
                    return
                arrays[name][at] = float(declared.value)
        self.declared.gradients(self.outer, self.trained)
        if self.declared.ops.by_zero:
            answer = self.ask_backward(Answer(arrays))
            if answer is not None:
                self._refusing("backward", answer)
        self.declared.ops.by_zero.clear()

    def forward_table(self) -> Table:
        """What forward returns and updates; the output last, as the others tell why it is wrong."""
        averages = (one.spelling.python for one in self.anatomy.averages)
        first, *others = self.subject.results
        letters = {name: self.letter(name) for name in (*others, *averages, first)}
        return {
            name: (f"{self.anatomy.ids[one]}, {name}", self.declared.entries(one, self.trained))
            for name, one in letters.items()
        }

    def backward_table(self) -> Table:
        """The gradients."""
        of = self.declared.gradients(self.outer, self.trained)
        return {
            f"d{name}": (f"{self.tally.name}, dL/d{name}", of(self.letter(name)))
            for name in self.subject.gradients
        }

    def inference_table(self) -> Table:
        """The output once training is over."""
        name = self.anatomy.output.spelling.python
        entries = self.declared.entries(self.anatomy.output, self.declared.inferred(self.steps))
        return {name: (f"{self.tally.name}, inference, {name}", entries)}

    def compare(self, what: str, table: Table, answer: Answer) -> None:
        """Array by array, number by number; to refuse is right where some value does not exist."""
        rows = [(name, words, one) for name, (words, found) in table.items() for one in found]
        if answer.refused and all(one.declared.bounded for _, _, one in rows):
            where = f"{self.tally.name}, {what}"
            inputs = self.words(what, tuple(self.trained))
            self.tally.refute(where, f"{where}: the kernel refuses {answer.refused!r}; {inputs}")
        for name, words, (at, declared, groups) in rows:
            place = f"{words} at {', '.join(map(str, at))}" if at else words
            point = Point(place, partial(self.words, what, groups))
            if not answer.refused:
                self.tally.point(declared, float(answer.arrays[name][at]), point)
            elif not declared.bounded:
                self.tally.point(declared, math.nan, point)

    def words(self, what: str, groups: tuple[Key, ...]) -> str:
        """What a kernel was handed for these groups, as a reader would type it."""
        taken, members = self.anatomy, self.case.arrangement.members
        averages = taken.averages if what != "backward" else ()
        words = []
        for letter in (*taken.outside, *taken.labels, *averages):
            name = letter.spelling.python
            here = [self.declared.place(letter, key, at) for key in groups for at in members[key]]
            words.append(f"{name} = {_shown(self.arrays[name], here)}")
        if what == "backward":
            words.append(f"d{taken.output.spelling.python} = {self._outer_words(groups)}")
        words += [
            f"{name} = {value!r}" for name, value in by_name(self.case.setting.values).items()
        ]
        words += [f"{name} = {value}" for name, value in self.seeded.items()]
        if what == "inference" and taken.corrections:
            words.append(f"t = {self.steps}")
        return f"with {', '.join(words)} ({self.case.words})"

    def _outer_words(self, groups: tuple[Key, ...]) -> str:
        """The gradient by the output for these groups."""
        if self.case.one_number:
            return repr(self.outer)
        members, letter = self.case.arrangement.members, self.anatomy.output
        here = [self.declared.place(letter, key, at) for key in groups for at in members[key]]
        return _shown(self.outer, here)


def _shown(array: np.ndarray, places: list[Key]) -> str:
    """An array's numbers at these places, each once."""
    found = [array[at].item() for at in dict.fromkeys(places)]
    return repr(found[0] if len(found) == 1 else found)
