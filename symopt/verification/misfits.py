"""Arrays and labels that do not fit are refused; how an array lies in memory does not matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symopt.notation import Sequence
from symopt.verification.layer_anatomy import LayerAnatomy
from symopt.verification.layer_calls import Answer, Arrays
from symopt.verification.layer_cases import Case
from symopt.verification.layer_subject import LayerSubject
from symopt.verification.reductions import REDUCTION, TO_ONE
from symopt.verification.trials import Trial
from symopt.verification.verdict import Tally


def _strided(array: np.ndarray) -> np.ndarray:
    """Every second number of an array twice as long."""
    wide = np.repeat(array, 2, axis=-1)
    wide[..., 1::2] = np.nan if array.dtype.kind == "f" else np.iinfo(array.dtype).max
    return wide[..., ::2]


def _backwards(array: np.ndarray) -> np.ndarray:
    """The same numbers from the last to the first in memory."""
    turned = (slice(None, None, -1),) * array.ndim
    return np.ascontiguousarray(array[turned])[turned]


_OTHER_LABELS = "int32"
_NO_REDUCTION = "median"

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
                _Kernel(what, kernel, handed, written, trial, tally, case).judge()


def _of_elements(anatomy: LayerAnatomy) -> set[str]:
    """The names of the arrays that have a number for each element of the input."""
    letters = {x for x, one in anatomy.letters.items() if isinstance(one, Sequence)}
    letters -= {one.spelling.python for one in anatomy.learned}
    return letters | {f"d{one}" for one in letters}


class _Kernel:
    """One kernel, and arguments that fit."""

    def __init__(
        self,
        what: str,
        kernel: Callable[..., Any],
        handed: dict[str, Any],
        written: set[str],
        trial: Trial,
        tally: Tally,
        case: Case,
    ) -> None:
        self.where = f"{tally.name}, {what}"
        self.kernel, self.handed, self.written = kernel, handed, written
        self.averages = {one.spelling.python for one in trial.anatomy.averages}
        self.each = _of_elements(trial.anatomy) & set(handed)
        self.outer = f"d{trial.anatomy.output.spelling.python}"
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
            for other in self._misfits(name, array):
                words = f"{name} of shape {other.shape} and {other.dtype}"
                self._refusing({name: other}, f"{words} beside x of {self.case.arrangement.shape}")
            if array.dtype.kind in "iu":
                self._judge_labels(name, array, plain)
        if REDUCTION in self.handed:
            self._refusing({REDUCTION: _NO_REDUCTION}, f"a reduction {_NO_REDUCTION!r}")
            if self.outer in self.handed:
                several = {REDUCTION: TO_ONE[0], self.outer: self.handed[self.outer]}
                self._refusing(several, f"{self.outer} of several numbers by the {TO_ONE[0]}")
        if "groups" in self.handed:
            count = self.case.arrangement.shape[1] + 1
            self._refusing({"groups": count}, f"{count} groups of {count - 1} channels")

    def _judge_labels(self, name: str, array: np.ndarray, plain: Answer) -> None:
        """Labels of any whole-numbered type are read; those of no element are refused."""
        size = len(next(iter(self.case.arrangement.members.values())))
        other = self._called({name: array.astype(_OTHER_LABELS)})
        if other.refused:
            self._refute(f"{name} of {_OTHER_LABELS} are refused: {other.refused}")
        elif any(a.tobytes() != other.arrays[x].tobytes() for x, a in plain.arrays.items()):
            self._refute(f"{name} of {_OTHER_LABELS} are read wrongly")
        for number in (size, -1):
            wrong = array.copy()
            wrong.flat[-1] = number
            self._refusing({name: wrong}, f"{name} that hold {number}, of {size} elements,")

    def _misfits(self, name: str, array: np.ndarray) -> Iterator[np.ndarray]:
        """Arrays of another shape or dtype, where another array says that it is one.

        A running average may be kept in float64 whatever the dtype of the data is, and labels in
        any type of whole numbers, but not as floats.
        """
        if name not in self.each or len(self.each) > 1:
            if array.shape[::-1] != array.shape:
                yield array.reshape(array.shape[::-1])
            *before, last = array.shape or (1,)
            yield np.resize(array, (*before, last + 1))
        floats = [x for x, y in self.arrays.items() if y.dtype.kind == "f"]
        if len(floats) > 1 or array.dtype.kind != "f":
            other = "float32" if array.dtype == "float64" else "float64"
            yield array.astype("float16" if name in self.averages else other)

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
        except Exception as error:  # whatever a kernel stumbles over is no refusal
            self._refute(f"{words}: {type(error).__name__} in place of a refusal: {error}")
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
