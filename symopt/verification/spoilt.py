"""One number of the input that is none: it is not hidden, and other groups do not see it."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from sympy import Basic

from symopt.notation import Sequence
from symopt.verification.chains import Chain
from symopt.verification.differences import FINE, Fine
from symopt.verification.groups import Key
from symopt.verification.layer_anatomy import LayerAnatomy
from symopt.verification.layer_calls import Answer, Arrays
from symopt.verification.layer_cases import Case
from symopt.verification.layer_subject import LayerSubject
from symopt.verification.trials import Table, Trial
from symopt.verification.unrolled import Unrolled, entry
from symopt.verification.verdict import Point, Tally

_BAD = (math.nan, math.inf, -math.inf)


def judge_spoilt(
    anatomy: LayerAnatomy,
    subject: LayerSubject,
    tally: Tally,
    tried: tuple[Case, ...],
    random: np.random.Generator,
) -> None:
    """Forward and backward with one bad number in one group of several elements.

    What depends on it must be no finite number either: in the forward pass wherever the
    equations, read in IEEE arithmetic, have none, and in the backward pass wherever the chain
    rule reads a NaN. All other numbers are as declared.
    """
    case = max(tried, key=_room)  # the first of several: the defaults
    for letter in anatomy.given:
        for bad in _BAD:
            if not tally.refuted:
                _Spoilt(anatomy, subject, tally, case, random, letter, bad).judge()


def _room(case: Case) -> tuple[bool, int, int]:
    """Whether there are groups to compare and elements to spoil, and how many."""
    members = case.arrangement.members
    size = min(map(len, members.values()))
    apart = len(members) > 1 and not case.one_number
    return apart and size > 1, case.kind == "ordinary", len(members)


class _Spoilt:
    """One bad number at one element."""

    def __init__(
        self,
        anatomy: LayerAnatomy,
        subject: LayerSubject,
        tally: Tally,
        case: Case,
        random: np.random.Generator,
        letter: Sequence,
        bad: float,
    ) -> None:
        self.anatomy, self.tally, self.bad = anatomy, tally, bad
        self.name = letter.spelling.python
        self.group: Key = next(reversed(case.arrangement.members))
        members = case.arrangement.members[self.group]
        self.element = len(members) // 2
        self.at = members[self.element]
        self.plain = entry(letter, self.element)

        def spoil(arrays: Arrays) -> None:
            arrays[self.name][self.at] = bad

        self.trial = Trial(anatomy, subject, tally, case, random, spoil)

    def judge(self) -> None:
        """Forward, and backward for a NaN."""
        forward = self.trial.ask_forward()
        if forward is None:
            return
        lost = self._lost_forward()
        self._compare("forward", self.trial.forward_table(), forward, lost)
        if math.isnan(self.bad) and not self.tally.refuted:
            backward = self.trial.ask_backward(forward)
            if backward is not None:
                lines = self._lines()
                outputs = [line.letter for line in lines.of(self.anatomy.output)]
                touched = Chain(lines.differentiated).touched(self.plain, outputs)
                lost = partial(self._reads, touched)
                self._compare("backward", self.trial.backward_table(), backward, lost)

    def _lost_forward(self) -> Callable[[Basic, Key], bool]:
        """Whether the equations have no finite number for a letter at a place."""
        declared, lines = self.trial.declared, self._lines()
        inputs = {one: FINE.mpf(x.value) for one, x in declared.letters(self.group).known.items()}
        inputs[self.plain] = FINE.mpf(self.bad)
        known = Fine(lines.equations).values(inputs)

        def lost(letter: Basic, at: Key) -> bool:
            for line in lines.of(letter):
                place = self._place(line.element)
                if (place or self.group) == at:
                    return not FINE.isfinite(known[line.letter])
            return False

        return lost

    def _lines(self) -> Unrolled:
        """The group's lines, in which an element that its label does not pick out is not read."""
        taken, arrays = self.anatomy, self.trial.arrays
        labels = {x: 1 + int(arrays[x.spelling.python][self.group]) for x in taken.labels}
        return self.trial.declared.parts(self.group).training.labelled(labels)

    def _place(self, element: int | None) -> Key | None:
        members = self.trial.case.arrangement.members[self.group]
        return None if element is None else members[element]

    def _reads(self, touched: set[Basic], letter: Basic, at: Key) -> bool:
        """Whether the gradient by a letter at a place reads the bad number."""
        members = self.trial.case.arrangement.members[self.group]
        for k, one in enumerate(members):
            plain = entry(letter, k) if isinstance(letter, Sequence) else letter
            if self.trial.declared.place(letter, self.group, one) == at and plain in touched:
                return True
        return False

    def _compare(
        self, what: str, table: Table, answer: Answer, lost: Callable[[Basic, Key], bool]
    ) -> None:
        if answer.refused:
            where = f"{self.tally.name}, {what}"
            message = f"{where}: the kernel refuses {answer.refused!r}; {self._words()}"
            self.tally.refute(where, message)
            return
        for name, (words, entries) in table.items():
            letter = self.trial.letter(name.removeprefix("d") if what == "backward" else name)
            for at, declared, groups in entries:
                place = f"{words} at {', '.join(map(str, at))}" if at else words
                kernel = float(answer.arrays[name][at])
                if self.group not in groups:
                    self.tally.point(declared, kernel, Point(place, self._words))
                elif lost(letter, at) and math.isfinite(kernel):
                    message = f"{place}: the kernel hides {self.bad} behind {kernel!r}; "
                    self.tally.refute(place, message + self._words())

    def _words(self) -> str:
        place = ", ".join(map(str, self.at))
        return f"with {self.name} = {self.bad} at {place} ({self.trial.case.words})"
