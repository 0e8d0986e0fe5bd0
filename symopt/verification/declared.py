"""What a layer's equations say of the arrays of one case, group by group."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from sympy import Basic

from symopt.notation import Label, Sequence, Statistic
from symopt.verification.as_written import AsWritten
from symopt.verification.differences import FINE, STEP, slope, trusted
from symopt.verification.group_world import Letters
from symopt.verification.groups import Key
from symopt.verification.layer_anatomy import LayerAnatomy, Parts
from symopt.verification.layer_cases import Case
from symopt.verification.quantity import Format, Quantity, exact, scalar
from symopt.verification.reductions import handed, reduced
from symopt.verification.unrolled import entry

Arrays = dict[str, np.ndarray]


class Entry(NamedTuple):
    """One number of an array: where it stands, what it is, and the groups it depends on."""

    at: Key
    declared: Quantity
    groups: tuple[Key, ...]


class Declared:
    """The declared numbers beside one call of each kernel."""

    def __init__(self, anatomy: LayerAnatomy, case: Case, form: Format, arrays: Arrays) -> None:
        self.anatomy = anatomy
        self.arrangement = case.arrangement
        self.case = case
        self.arrays = arrays
        self.ops = AsWritten(form)
        self.numbers: dict[Basic, Quantity] = {
            one: scalar(value) for one, value in case.setting.values.items()
        }
        for one in anatomy.scales:
            self.numbers[one.letter] = one.value(self.ops, self.numbers)

    def shape(self, letter: Basic) -> tuple[int, ...]:
        """The shape of a letter's array."""
        if letter in self.anatomy.learned:
            return self.arrangement.parameter_shape
        if letter == self.anatomy.output and self.case.one_number:
            return ()
        if isinstance(letter, Statistic | Label):
            return self.arrangement.statistic_shape
        return self.arrangement.shape

    def place(self, letter: Basic, key: Key, at: Key) -> Key:
        """Where an element of a group finds a letter in its array."""
        if letter in self.anatomy.learned:
            return self.arrangement.parameter(at)
        return key if isinstance(letter, Statistic | Label) else at

    def letters(self, key: Key) -> Letters:
        """A group's letters as they are handed over."""
        members, taken = self.arrangement.members[key], self.anatomy
        known = dict(self.numbers)
        known.update((count, scalar(len(members))) for count in taken.counts)
        for letter in (*taken.outside, *taken.averages):
            array = self.arrays[letter.spelling.python]
            for k, at in enumerate(members):
                plain = entry(letter, k) if isinstance(letter, Sequence) else letter
                known[plain] = exact(float(array[self.place(letter, key, at)]))
        for label in taken.labels:  # arrays count from 0, equations from 1
            known[label] = exact(1.0 + self.arrays[label.spelling.python][key])
        return Letters(self.ops, known)

    def parts(self, key: Key) -> Parts:
        """The equations for a group of this size."""
        return self.anatomy.parts(len(self.arrangement.members[key]))

    def trained(self) -> dict[Key, Letters]:
        """The letters of each group after a forward pass."""
        found = {key: self.letters(key) for key in self.arrangement.members}
        for key, letters in found.items():
            self.parts(key).forward.run(letters)
        return found

    def inferred(self, steps: int) -> dict[Key, Letters]:
        """The letters of each group at inference, running averages corrected where asked."""
        found = {key: self.letters(key) for key in self.arrangement.members}
        for one in self.anatomy.corrections:
            responses = one.responses(steps, self.ops, self.numbers)
            for letters in found.values():
                letters.known[one.corrected] = one.value(letters.known[one.average], responses)
        for key, letters in found.items():
            self.parts(key).later.run(letters)
        return found

    def entries(self, letter: Basic, groups: dict[Key, Letters]) -> Iterator[Entry]:
        """Each number of a letter that an equation defines; the new one of a running average."""
        if letter == self.anatomy.output and self.case.one_number:
            losses = [letters.known[letter] for letters in groups.values()]
            yield Entry((), reduced(self.ops, losses, self.case.reduction), tuple(groups))
            return
        for key, letters in groups.items():
            if isinstance(letter, Sequence):
                for k, at in enumerate(self.arrangement.members[key]):
                    yield Entry(at, letters.known[entry(letter, k)], (key,))
            else:
                (line,) = self.parts(key).training.of(letter)
                yield Entry(key, letters.known[line.letter], (key,))

    def gradients(
        self, outer: Any, groups: dict[Key, Letters]
    ) -> Callable[[Basic], Iterator[Entry]]:
        """The gradients, by letter; a parameter's is summed over all elements that share it."""
        slopes = {key: self._slopes(key, letters, outer) for key, letters in groups.items()}

        def of(letter: Basic) -> Iterator[Entry]:
            shares: dict[Key, list[tuple[Quantity, Key]]] = {}
            for key, members in self.arrangement.members.items():
                plain = dict.fromkeys(
                    (
                        entry(letter, k) if isinstance(letter, Sequence) else letter,
                        self.place(letter, key, at),
                    )
                    for k, at in enumerate(members)
                )
                for one, at in plain:
                    shares.setdefault(at, []).append((slopes[key](one), key))
            for at, found in shares.items():
                total = self.ops.add([share for share, _ in found])
                yield Entry(at, total, tuple(dict.fromkeys(key for _, key in found)))

        return of

    def _handed(self, key: Key, outer: Any) -> dict[Basic, Quantity]:
        """The gradient by each plain letter of a group's output."""
        letter = self.anatomy.output
        if isinstance(letter, Sequence):
            members = enumerate(self.arrangement.members[key])
            return {entry(letter, k): exact(float(outer[at])) for k, at in members}
        if self.case.one_number:
            groups = len(self.arrangement.members)
            return {letter: handed(self.ops, outer, groups, self.case.reduction)}
        return {letter: exact(float(outer[key]))}

    def _slopes(self, key: Key, letters: Letters, outer: Any) -> Callable[[Basic], Quantity]:
        """The gradient by each plain letter of a group, as far as this group goes."""
        fine, outputs = self.parts(key).fine, self._handed(key, outer)
        chained = self.parts(key).chain.gradients(letters.place, outputs)
        bounded = all(x.bounded for x in letters.known.values())
        weights = {one: FINE.mpf(dy.value) for one, dy in outputs.items()}
        inputs = {one: FINE.mpf(x.value) for one, x in self._inputs(key, letters).items()}
        here = fine.values(inputs) if bounded else {}
        by = STEP * self._spread(key)

        def gradient(letter: Basic) -> Quantity:
            found = chained.get(letter)
            if found is None:
                return exact(0.0)
            if not found.bounded or not bounded:
                return found
            sides = ({**inputs, letter: inputs[letter] + side} for side in (-by, by))
            below, above = map(fine.values, sides)
            differences = [slope(below, here, above, weights, by)]
            what = f"{self.anatomy.layer.name}, dL/d{letter}"
            at_kink = partial(fine.at_kink, here)
            return trusted(found, differences, self.ops.data.tiny, fine.smooth, at_kink, what)

        return gradient

    def _inputs(self, key: Key, letters: Letters) -> dict[Basic, Quantity]:
        defined = {line.letter for line in self.parts(key).training.lines}
        return {one: x for one, x in letters.known.items() if one not in defined}

    def _spread(self, key: Key) -> Any:
        """How far a group's data are apart; where all are one number, how large it is."""
        members = self.arrangement.members[key]
        spread = 0.0
        for letter in self.anatomy.given:
            here = [float(self.arrays[letter.spelling.python][at]) for at in members]
            spread = max(spread, max(here) - min(here)) or max(map(abs, here))
        return FINE.mpf(spread or 1.0)
