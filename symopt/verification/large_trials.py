"""Arrays with more of everything than a kernel could be right for by chance.

There are more examples, channels, groups, places and elements in a row than 64, and than the 1024
numbers that a kernel may add up at a time; see ``wide_numbers`` for how far it may be off.
"""

from __future__ import annotations

from itertools import cycle
from math import log

import numpy as np

from symopt.verification.cases import Setting, by_name
from symopt.verification.groups import Arrangement, arrangements
from symopt.verification.layer_anatomy import LayerAnatomy
from symopt.verification.layer_calls import Answer
from symopt.verification.layer_cases import Case
from symopt.verification.layer_subject import LayerSubject
from symopt.verification.trials import Trial
from symopt.verification.verdict import Tally
from symopt.verification.wide_groups import WideDeclared
from symopt.verification.wide_lines import Entangled
from symopt.verification.wide_numbers import Array, Wide

# the last three have enough elements for kernels to share them among threads
LARGE = ((33, 6), (7, 10, 230), (2, 70, 3, 3), (3, 8, 1500), (1100, 30), (30, 1100))
_WAYS = 2  # of dividing one array's channels into groups


def large_cases(
    anatomy: LayerAnatomy, setting: Setting, reductions: tuple[str, ...]
) -> tuple[Case, ...]:
    """The large arrays, channels divided into about as many groups as each has channels."""
    found: dict[tuple[int, ...], list[Arrangement]] = {}
    for one in arrangements(anatomy.layer, LARGE, bool(anatomy.learned)):
        found.setdefault(one.shape, []).append(one)
    several = [
        one
        for shape, ones in found.items()
        for one in sorted(ones, key=lambda one: abs(log((one.groups or 1) ** 2 / shape[1])))[:_WAYS]
    ]
    return tuple(
        Case(setting, one, "ordinary", how)
        for one, how in zip(several, cycle(reductions), strict=False)
    )


class LargeTrial(Trial):
    """One large array: forward, backward and inference, each number beside the declared one."""

    def __init__(
        self,
        anatomy: LayerAnatomy,
        subject: LayerSubject,
        tally: Tally,
        case: Case,
        random: np.random.Generator,
    ) -> None:
        super().__init__(anatomy, subject, tally, case, random)
        self.random, here = random, self.declared
        with np.errstate(all="ignore"):
            self.wide = WideDeclared(anatomy, case, here.numbers, here.ops, self.arrays)
        self.ops = self.wide.training.ops

    def judge(self) -> None:
        """Every number of every kernel, and the chain rule beside a difference."""
        with np.errstate(all="ignore"):
            forward = self.ask_forward()
            if forward is not None:
                self._forward(forward)
                if not forward.refused and not self.tally.refuted:
                    self._backward(forward)
            if self.subject.inference is not None and not self.tally.refuted:
                later = self.ask_inference()
                if later is not None:
                    name, steps = self.anatomy.output.spelling.python, self.steps
                    words = f"{self.tally.name}, inference, {name}"
                    self._compare(later, "inference", name, words, self.wide.inferred(steps))

    def _forward(self, answer: Answer) -> None:
        averages = (one.spelling.python for one in self.anatomy.averages)
        first, *others = self.subject.results
        for name in (*others, *averages, first):
            letter = self.letter(name)
            words = f"{self.anatomy.ids[letter]}, {name}"
            self._compare(answer, "forward", name, words, self.wide.trained(letter))

    def _backward(self, forward: Answer) -> None:
        answer = self.ask_backward(forward)
        found = self.wide.gradients(self.outer)
        for letter in found:
            along = self.random.normal(size=self.declared.shape(letter))
            assert not self.wide.differs(found[letter], letter, self.outer, along), (
                f"{self.tally.name}: the chain rule for large arrays gives another gradient by "
                f"{letter} than a central difference"
            )
        if answer is not None:
            for name in self.subject.gradients:
                words = f"{self.tally.name}, dL/d{name}"
                self._compare(answer, "backward", f"d{name}", words, found[self.letter(name)])

    def _compare(self, answer: Answer, what: str, name: str, words: str, declared: Wide) -> None:
        """One array beside what is declared of it; the worst of its numbers refutes the kernel."""
        known = declared.error < np.inf
        if answer.refused:
            if known.all():
                where = f"{self.tally.name}, {what}"
                message = f"{where}: the kernel refuses {answer.refused!r}; {self._inputs()}"
                self.tally.refute(where, message)
            return
        kernel = answer.arrays[name]
        off = abs(kernel.ravel().astype(np.longdouble) - declared.value)
        allowed = declared.error * self.ops.widening
        wrong = known & ~(off <= allowed)
        if not wrong.any():
            self.tally.many(int(known.sum()), int((~known).sum()))
            return
        far = np.where(wrong, np.where(np.isfinite(off), off / np.maximum(allowed, 5e-324), 0), -1)
        self._refute(kernel, int(far.argmax()), words, declared, allowed)

    def _refute(
        self, kernel: Array, place: int, words: str, declared: Wide, allowed: Array
    ) -> None:
        at = tuple(map(int, np.unravel_index(place, kernel.shape)))
        where = f"{words} at {', '.join(map(str, at))}" if at else words
        self.tally.refute(
            where,
            f"{where}: declared {float(declared.value[place])!r}, kernel "
            f"{float(kernel[at])!r}, where an error of {float(allowed[place]):.4g} is allowed; "
            f"{self._inputs()}",
        )

    def _inputs(self) -> str:
        numbers = {**by_name(self.case.setting.values), **self.seeded}
        words = ", ".join(f"{name} = {value!r}" for name, value in numbers.items())
        return f"with {words} ({self.case.words})" if words else f"({self.case.words})"


def judge_large(
    anatomy: LayerAnatomy,
    subject: LayerSubject,
    tally: Tally,
    case: Case,
    random: np.random.Generator,
) -> None:
    """One large case, where the layer's sums are of arrays."""
    try:
        trial = LargeTrial(anatomy, subject, tally, case, random)
    except Entangled:
        tally.note = f"{tally.name} was judged on small arrays alone: a sum reads two elements"
        return
    trial.judge()
