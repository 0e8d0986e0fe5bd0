"""Arrays that do not fit are refused, and how an array lies in memory does not matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symopt.verification.layer_anatomy import LayerAnatomy
from symopt.verification.layer_calls import Answer, Arrays
from symopt.verification.layer_cases import Case
from symopt.verification.layer_subject import LayerSubject
from symopt.verification.trials import Trial
from symopt.verification.verdict import Tally


def _strided(array: np.ndarray) -> np.ndarray:
    """Every second number of an array twice as long."""
    wide = np.repeat(array, 2, axis=-1)
    wide[..., 1::2] = np.nan
    return wide[..., ::2]


def _backwards(array: np.ndarray) -> np.ndarray:
    """The same numbers from the last to the first in memory."""
    turned = (slice(None, None, -1),) * array.ndim
    return np.ascontiguousarray(array[turned])[turned]


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "in Fortran's order": np.asfortranarray,
    "every second number of a longer one": _strided,
    "with negative strides": _backwards,
}


def judge_arguments(
    anatomy: LayerAnatomy,
    subject: LayerSubject,
    tally: Tally,
    case: Case,
    random: np.random.Generator,
) -> None:
    """Each kernel on arrays laid out otherwise, and on one that does not fit the others.

    Nothing is asked of a subject that does not check what it is handed.
    """
    if subject.checks and not tally.refuted:
        trial = Trial(anatomy, subject, tally, case, random)
        forward = trial.ask_forward()
        if forward is None or forward.refused:
            return
        known = {**trial.known(), **{x: forward.arrays[x] for x in subject.results[1:]}}
        updated = {one.spelling.python for one in anatomy.averages}
        kernels = [
            ("forward", subject.forward, subject.forward_arguments, updated),
            ("backward", subject.backward, subject.backward_arguments, set()),
            ("inference", subject.inference, subject.inference_arguments, set()),
        ]
        for what, kernel, names, written in kernels:
            if kernel is not None and not tally.refuted:
                handed = {x: known[x] for x in names}
                _Kernel(what, kernel, handed, written, updated, tally, case).judge()


class _Kernel:
    """One kernel, and arguments that fit."""

    def __init__(
        self,
        what: str,
        kernel: Callable[..., Any],
        handed: dict[str, Any],
        written: set[str],
        averages: set[str],
        tally: Tally,
        case: Case,
    ) -> None:
        self.where = f"{tally.name}, {what}"
        self.kernel, self.handed, self.written = kernel, handed, written
        self.averages = averages
        self.tally, self.case = tally, case
        self.arrays: Arrays = {x: y for x, y in handed.items() if isinstance(y, np.ndarray)}

    def judge(self) -> None:
        """Other layouts, other shapes and dtypes, and channels that cannot be divided."""
        plain = self._called({})
        if plain.refused:
            return  # there is no value on these arrays
        for words, laid_out in LAYOUTS.items():
            given = {
                x: laid_out(y) for x, y in self.arrays.items() if x not in self.written and y.ndim
            }
            found = self._called(given)
            if found.refused:
                self._refute(f"arrays {words} are refused: {found.refused}")
            elif any(a.tobytes() != found.arrays[x].tobytes() for x, a in plain.arrays.items()):
                self._refute(f"arrays {words} are read wrongly")
        for name, array in self.arrays.items():
            for other in self._misfits(array, name in self.averages):
                words = f"{name} of shape {other.shape} and {other.dtype}"
                self._refusing({name: other}, f"{words} beside x of {self.case.arrangement.shape}")
        if "groups" in self.handed:
            count = self.case.arrangement.shape[1] + 1
            self._refusing({"groups": count}, f"{count} groups of {count - 1} channels")

    def _misfits(self, array: np.ndarray, average: bool) -> Iterator[np.ndarray]:
        """Arrays of another shape, where another array says that it is one; of another dtype.

        A running average may be kept in float64 whatever the dtype of the data is.
        """
        alike = [x for x, y in self.arrays.items() if y.shape == array.shape]
        if array.shape != self.case.arrangement.shape or len(alike) > 1:
            if array.shape[::-1] != array.shape:
                yield array.reshape(array.shape[::-1])
            *before, last = array.shape or (1,)
            yield np.resize(array, (*before, last + 1))
        if len(self.arrays) > 1:
            other = "float32" if array.dtype == "float64" else "float64"
            yield array.astype("float16" if average else other)

    def _refusing(self, changed: dict[str, Any], words: str) -> None:
        handed = {**self.handed, **changed}
        copies = {x: y.copy() if x in self.arrays else y for x, y in handed.items()}
        try:
            self.kernel(**copies)
        except ValueError:
            for name in self.arrays:
                if copies[name].tobytes() != handed[name].tobytes():
                    self._refute(f"{words} are refused, but {name} has changed")
            return
        self._refute(f"{words} are not refused")

    def _called(self, changed: Arrays) -> Answer:
        """The results, and the running averages as updated."""
        handed = {x: y.copy() if x in self.arrays else y for x, y in self.handed.items()}
        handed |= changed
        try:
            found = self.kernel(**handed)
        except ValueError as error:
            return Answer({}, str(error))
        results = found if isinstance(found, tuple) else (found,)
        arrays = {str(k): np.asarray(one) for k, one in enumerate(results)}
        return Answer(arrays | {x: handed[x] for x in self.written & set(handed)})

    def _refute(self, words: str) -> None:
        self.tally.refute(self.where, f"{self.where}: {words} ({self.case.words})")
