"""Examples with labels: scikit-learn's digits, or a user's file, split once and for all."""

from __future__ import annotations

import csv
import hashlib
import zipfile
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

import numpy as np

from symopt.demo import digits
from symopt.errors import UsageError
from symopt.runtime.checkpoints import arrays_of

HELD_BACK = 0.2
FEWEST = 10


@dataclass(frozen=True)
class Data:
    """Examples to train with and to validate with: numbers, and labels from 0 on."""

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    classes: int

    @property
    def inputs(self) -> tuple[int, ...]:
        """The shape of one example."""
        shape: tuple[int, ...] = self.x_train.shape[1:]
        return shape

    def reshaped(self, inputs: tuple[int, ...]) -> Data:
        """The same with the numbers of each example in another shape: rows as images.

        Raises
        ------
        UsageError
            If a shape of another size is asked for.
        """
        if prod(inputs) != prod(self.inputs):
            raise UsageError(
                f"the examples of {self.name} have shape {self.inputs}, which is no {inputs}; "
                f"declare the network with inputs={self.inputs}"
            )
        return replace(
            self,
            x_train=self.x_train.reshape(-1, *inputs),
            x_validation=self.x_validation.reshape(-1, *inputs),
        )

    @property
    def digest(self) -> str:
        """Sixteen hex digits that tell these examples from others."""
        found = hashlib.sha256()
        for one in (self.x_train, self.y_train, self.x_validation, self.y_validation):
            found.update(f"{one.dtype}{one.shape}".encode() + np.ascontiguousarray(one).tobytes())
        return found.hexdigest()[:16]

    def astype(self, dtype: str) -> Data:
        """The same with numbers of another dtype."""
        return replace(
            self,
            x_train=self.x_train.astype(dtype),
            x_validation=self.x_validation.astype(dtype),
        )

    def first(self, examples: int) -> Data:
        """The same with few examples to train with, and all to validate with.

        Raises
        ------
        UsageError
            If there are not so many, or too few to train with.
        """
        if not 2 <= examples <= len(self.x_train):
            raise UsageError(
                f"{self.name} has {len(self.x_train)} examples to train with, of which {examples} "
                "were asked for; take 2 or more, and no more than there are"
            )
        return replace(self, x_train=self.x_train[:examples], y_train=self.y_train[:examples])


def load_digits() -> Data:
    """1437 images of 64 pixels to train with, and 360 to validate with."""
    found = digits.load()
    return Data("digits", found.x_train, found.y_train, found.x_test, found.y_test, 10)


def load_file(path: Path) -> Data:
    """The examples of an .npz file with arrays x and y, or of a .csv file, labels last.

    A fifth of them is held back, always the same. Each number has the mean taken off that it has
    in training, and is divided by its spread there.

    Raises
    ------
    UsageError
        For a file that is missing or malformed, holds a NaN or one class only, or too little.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path}; give an .npz or a .csv file with examples")
    readers = {".npz": _from_npz, ".csv": _from_csv}
    if path.suffix not in readers:
        raise UsageError(f"{path} is neither an .npz nor a .csv file; convert it to one of them")
    x, labels = readers[path.suffix](path)
    _check(path, x, labels)
    names, y = np.unique(labels, return_inverse=True)
    if len(names) < 2:
        raise UsageError(f"{path} holds the one class {names[0]} only; there is nothing to learn")
    order = np.random.default_rng(0).permutation(len(x))
    held = order[: max(1, round(HELD_BACK * len(x)))]
    train = order[len(held) :]
    with np.errstate(over="ignore", invalid="ignore"):
        mean, spread = x[train].mean(axis=0), x[train].std(axis=0)
    if not np.isfinite(spread).all():
        raise UsageError(f"{path} holds numbers too large to be squared; scale them down")
    # a column that is the same everywhere has no spread but what rounding makes
    flat = spread <= len(train) * np.finfo(float).eps * abs(mean)
    x = (x - mean) / np.where(flat | (spread == 0), 1.0, spread)
    y = y.astype(np.int64)
    return Data(path.name, x[train], y[train], x[held], y[held], len(names))


def _from_npz(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        with path.open("rb") as handle:
            arrays = arrays_of(handle)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path} is no whole .npz file ({error}); save it anew") from error
    missing = [key for key in ("x", "y") if key not in arrays]
    if missing:
        known = ", ".join(arrays) or "nothing"
        raise UsageError(
            f"{path} has no array {missing[0]}, but {known}; save it with "
            "np.savez(file, x=examples, y=labels)"
        )
    return arrays["x"], arrays["y"]


def _from_csv(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Rows of numbers, the last column a label; a first line without any number is a heading."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            rows = [(reader.line_num, row) for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is no text with commas ({error}); save it as .csv") from error
    if rows and _is_heading(rows[0][1], [row[-1] for _, row in rows[1:]]):
        rows = rows[1:]
    if not rows:
        raise UsageError(f"{path} holds no examples; write a row for each, its label last")
    width = len(rows[0][1])
    values = np.empty((len(rows), max(width - 1, 0)))
    for place, (line, row) in enumerate(rows):
        if len(row) != width or width < 2:
            raise UsageError(
                f"{path}, line {line}: {len(row)} columns, where {max(width, 2)} are needed; mend "
                "the line"
            )
        if not row[-1].strip():
            raise UsageError(f"{path}, line {line} has no label; mend the line")
        for column, one in enumerate(row[:-1]):
            if not _is_number(one):
                raise UsageError(
                    f"{path}, line {line}, column {column + 1}: '{one}' is no number; mend the line"
                )
            values[place, column] = float(one)
    return values, _labels([row[-1].strip() for _, row in rows])


def _is_heading(first: list[str], labels: list[str]) -> bool:
    """Whether a first line names columns: no number in it, or no label like those below."""
    words = not any(_is_number(one) for one in first[:-1])
    return words or (not _is_number(first[-1]) and bool(labels) and all(map(_is_number, labels)))


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _labels(words: list[str]) -> np.ndarray:
    """Labels as whole numbers where all are numbers, else as words."""
    try:
        return np.array([int(one) for one in words], np.int64)
    except (ValueError, OverflowError):
        pass
    if not all(map(_is_number, words)):
        return np.array(words)
    numbers = np.array([float(one) for one in words])
    # beyond 2⁵³ not every whole number is a float
    whole = (numbers == np.round(numbers)).all() and (abs(numbers) <= 2**53).all()
    return numbers.astype(np.int64) if whole else numbers


def _check(path: Path, x: np.ndarray, labels: np.ndarray) -> None:
    if x.dtype.kind not in "fiub" or x.ndim < 2:
        raise UsageError(
            f"{path}: x is {x.dtype} of shape {x.shape}; give numbers of shape (N, …), a row or an "
            "image for each example"
        )
    if labels.ndim != 1 or len(labels) != len(x):
        raise UsageError(
            f"{path}: y has shape {labels.shape} for {len(x)} examples; give one label for each"
        )
    if labels.dtype.kind not in "iuU":
        raise UsageError(
            f"{path}: the labels are {labels.dtype}, such as {labels.tolist()[0]!r}; give whole "
            "numbers or words"
        )
    if len(x) < FEWEST:
        raise UsageError(f"{path} holds {len(x)} examples; give {FEWEST} or more")
    wrong = np.argwhere(~np.isfinite(x.astype(np.float64)))
    if len(wrong):
        place = ", ".join(map(str, wrong[0]))
        value = x[tuple(wrong[0])]
        raise UsageError(f"{path}: x[{place}] is {value}; leave the example out, or mend it")
