"""A number that is none at one element: it is not hidden, and other elements do not see it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from symopt.verification.step_numbers import Moved
from symopt.verification.vjp_trials import VjpTrial

_COPIES, _MIDDLE = 3, 1


def judge_spoilt_step(trial: VjpTrial) -> None:
    """The gradient with a NaN in each array and in each adjoint, where all is finite without.

    What the chain rule reads it for must be no finite number, and no other element may change.
    """
    element = next(filter(trial.plain, range(trial.size)), None)
    if element is not None and not trial.tally.refuted:
        _Spoilt(trial, element).judge()


class _Spoilt:
    """Copies of one element, of which the middle one is spoilt."""

    def __init__(self, trial: VjpTrial, element: int) -> None:
        self.trial, self.element = trial, element
        self.arrays, self.adjoints = (
            {name: self._copied(one) for name, one in several.items()}
            for several in (trial.arrays, trial.adjoints)
        )

    def _copied(self, one: np.ndarray) -> np.ndarray:
        if not self.trial.of_elements(one):
            return one
        return np.repeat(one[..., [self.element]], _COPIES, axis=-1)

    def judge(self) -> None:
        """Each number by itself."""
        clean = self.trial.ask(self.arrays, self.adjoints)
        for name, row, touched in self._numbers():
            if clean is None or self.trial.tally.refuted:
                return
            several = [
                {key: one.copy() if key == name else one for key, one in arrays.items()}
                for arrays in (self.arrays, self.adjoints)
            ]
            for arrays in several:
                if name in arrays:
                    arrays[name][(*row, _MIDDLE)] = np.nan
            found = self.trial.ask(*several)
            if found is not None:
                self._compare(name, clean, found, touched)

    def _numbers(self) -> Iterator[tuple[str, tuple[int, ...], set[Moved]]]:
        """Where a number may stand, and the letters whose gradients read it."""
        trial = self.trial
        # what cancels within an equation need not be read
        chain = trial.gradients.lines.opened(trial.one.new.values())
        made = [trial.one.new[source] for source in trial.judged.made.values()]
        taken = trial.judged.vjp.arguments
        for name in self.arrays:
            letters = [pair for pair in trial.letters(name) if name in taken]
            for row, letter in letters[:1]:
                yield name, row, chain.touched(letter, made)
        for name, source in trial.judged.made.items():
            if trial.of_elements(trial.adjoints[f"d{name}"]):
                letter = trial.one.new[source]
                yield f"d{name}", (), chain.reached([letter]) - {letter}

    def _compare(
        self, name: str, clean: dict[str, Any], found: dict[str, Any], touched: set[Moved]
    ) -> None:
        trial = self.trial
        for key, one in found.items():
            for row, letter in trial.letters(key):
                line, before = one[row], clean[key][row]
                beside = np.arange(_COPIES) != _MIDDLE
                if line[beside].tobytes() != before[beside].tobytes():
                    self._refute(name, key, "of other elements changes")
                if letter in touched and math.isfinite(line[_MIDDLE]):
                    self._refute(name, key, f"hides it behind {float(line[_MIDDLE])!r}")
            if key in trial.run.named and math.isfinite(one):
                moving = trial.numbers.tangents.get(trial.number(key), {})
                if any(y in touched and by.value for y, by in moving.items()):
                    self._refute(name, key, f"hides it behind {float(one)!r}")

    def _refute(self, name: str, key: str, words: str) -> None:
        where = f"{self.trial.where}, dL/d{key}"
        message = f"{where}: with {name} = nan at one element the gradient {words}; "
        self.trial.tally.refute(where, message + self.trial.words([self.element]))
