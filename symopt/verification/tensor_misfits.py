"""What does not fit a tensor layer: arrays of other shapes and dtypes, numbers out of range."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symopt.verification.cases import admits
from symopt.verification.tensor_trials import TensorTrial

Change = tuple[str, Any, str]


def judge_misfits(trial: TensorTrial) -> None:
    """Each function is handed one argument that does not fit the others, one after the other."""
    subject = trial.subject
    functions = (
        ("forward", subject.forward, subject.forward_arguments),
        ("backward", subject.backward, subject.backward_arguments),
    )
    for what, function, names in functions:
        known = trial.known()
        handed = {name: known[name] for name in names}
        for name, value, words in _changes(trial, handed):
            if not trial.tally.refuted:
                _refusing(trial, what, function, {**handed, name: value}, f"{name} {words}")


def _changes(trial: TensorTrial, handed: dict[str, Any]) -> Iterator[Change]:
    arrays = {name: one for name, one in handed.items() if isinstance(one, np.ndarray)}
    for name, one in arrays.items():
        yield name, one[None], "with an axis more"
        yield name, one.tolist(), "as a list"
        if len(arrays) > 1:
            other = "float32" if one.dtype == "float64" else "float64"
            yield name, one.astype(other), f"of {other}"
        yield name, one.astype("float16"), "of float16"
        for axis in _tied(trial, name, tuple(arrays)):
            yield name, np.repeat(one, 2, axis=axis), f"twice as long along axis {axis}"
    for one in trial.world.numbers:
        if str(one) in handed:
            for value in (-1, 0, 0.5, float("nan"), "1", True, 1e300):
                if not _fits(one, value):
                    yield str(one), value, f"= {value!r}"
    yield from _too_short(trial, handed)


def _fits(one: Any, value: Any) -> bool:
    if isinstance(value, str | bool) or value != value:
        return False
    if one.is_integer and (value != int(value) or value > 2**31):
        return False
    return admits(one.domain, int(value) if one.is_integer else value)


def _tied(trial: TensorTrial, name: str, others: tuple[str, ...]) -> Iterator[int]:
    """The axes of an array whose length another array tells as well, or all the others together."""
    outline = trial.outline
    shapes = {one.spelling.python: outline.shapes[one] for one in outline.arrays}
    shapes[f"d{trial.output.spelling.python}"] = outline.output_shape
    for axis, length in enumerate(shapes[name]):
        elsewhere = [x for key in others if key != name for x in shapes[key]]
        elsewhere += [x for k, x in enumerate(shapes[name]) if k != axis]
        derived = length in {outline.ranges[one] for one in outline.sought}
        long = trial.world.length(length) > 0
        if long and (length in elsewhere or derived or not length.is_Symbol):
            yield axis


def _too_short(trial: TensorTrial, handed: dict[str, Any]) -> Iterator[Change]:
    """Inputs without a place along an axis that an index of the output has to reach into."""
    outline = trial.outline
    for letter in outline.inputs:
        name = letter.spelling.python
        for axis, length in enumerate(outline.shapes[letter]):
            alone = any(length == outline.ranges[one] for one in outline.ranges
                        if one not in outline.sought)  # fmt: skip
            if alone or name not in handed or outline.margins[letter][axis] != (0, 0):
                continue
            empty = np.take(handed[name], [], axis=axis)
            yield name, empty, f"empty along axis {axis}"


def _refusing(
    trial: TensorTrial, what: str, function: Callable[..., Any], handed: dict[str, Any], words: str
) -> None:
    where = f"{trial.tally.name}, {what}"
    copies = {x: y.copy() if isinstance(y, np.ndarray) else y for x, y in handed.items()}
    try:
        function(**copies)
    except ValueError:
        for name, one in handed.items():
            if isinstance(one, np.ndarray) and one.tobytes() != copies[name].tobytes():
                trial.tally.refute(where, f"{where}: {words} is refused, but {name} has changed")
        return
    except (TypeError, IndexError, OverflowError, AttributeError) as error:
        shown = f"{type(error).__name__}: {error}"
        trial.tally.refute(where, f"{where}: {words} fails with {shown} ({trial.case.words})")
        return
    trial.tally.refute(where, f"{where}: {words} is not refused ({trial.case.words})")
