"""A tensor layer on large arrays: all outputs, and some entries of each gradient."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from symopt.verification.tensor_bounds import sum_of_products
from symopt.verification.tensor_cases import TensorCase
from symopt.verification.tensor_subject import TensorSubject
from symopt.verification.tensor_trials import TensorTrial
from symopt.verification.tensor_world import COUNT, SIZE, VALUE, Array, Way, wide
from symopt.verification.verdict import Point, Tally

_OUTPUTS, _ENTRIES = 300, 3
# the declared numbers are off themselves, by this share of the bound in double precision
_OWN = 2.0**-9


def judge_large(
    subject: TensorSubject, tally: Tally, case: TensorCase, random: np.random.Generator
) -> None:
    """Entries at random, and the last ones, beside what is declared in extended precision."""
    trial = TensorTrial(subject, tally, case, random)
    world, output = trial.world, trial.output
    extended = {one: x.astype(np.longdouble) for one, x in trial.arrays.items()}
    ways: list[tuple[dict[Any, Array], Way]] = [
        (extended, wide(VALUE)),
        ({one: abs(x) for one, x in extended.items()}, wide(SIZE)),
        ({one: np.ones(x.shape, np.int64) for one, x in trial.arrays.items()}, COUNT),
    ]
    forward, backward = trial.ask_forward(), trial.ask_backward()
    if forward is None or backward is None:
        return
    for answer in (forward, backward):
        if answer.refused:
            tally.refute(tally.name, f"{tally.name}: refused {answer.refused!r} ({case.words})")
            return
    found = [world.output(arrays, way) for arrays, way in ways]
    kernel = forward.arrays[output.spelling.python]
    for at in _places(kernel, random, _OUTPUTS):
        _beside(trial, world.layer.outline.id, at, kernel, [one[at] for one in found], 0)
    for letter in trial.differentiated():
        name = letter.spelling.python
        kernel = backward.arrays[f"d{name}"]
        for at in _places(kernel, random, _ENTRIES):
            step = np.zeros(kernel.shape, np.int64)
            step[at] = 1
            slopes = [world.slope(x, x[output], letter, step, way) for x, way in ways]
            _beside(trial, f"{tally.name}, dL/d{name}", at, kernel, slopes, 1)


def _places(array: Array, random: np.random.Generator, number: int) -> list[tuple[int, ...]]:
    last = tuple(length - 1 for length in array.shape)
    drawn = [tuple(int(random.integers(length)) for length in array.shape) for _ in range(number)]
    return list(dict.fromkeys([last, *drawn[1:]]))


def _beside(
    trial: TensorTrial, shown: str, at: tuple[int, ...], kernel: Array, row: list[Any], more: int
) -> None:
    value, size, count = row
    tally = trial.tally
    roundings = trial.world.roundings() + more
    high = sum_of_products(tally.form, float(value), size, count, roundings)
    rest = float(value - type(value)(float(value)))
    declared = high._replace(value=high.value + rest, error=high.error * (1 + _OWN))
    place = f"{shown} at {', '.join(map(str, at))}"
    tally.point(declared, float(kernel[at]), Point(place, partial(trial.words)))
