"""A tensor layer on large arrays: all outputs, and some entries of each gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from symopt.verification.tensor_bounds import roundings, sum_of_products
from symopt.verification.tensor_cases import TensorCase
from symopt.verification.tensor_subject import TensorSubject
from symopt.verification.tensor_trials import TensorTrial, unit_at
from symopt.verification.tensor_world import COUNT, SIZE, VALUE, Array, Way, wide
from symopt.verification.verdict import Point, Tally

_OUTPUTS, _ENTRIES = 300, 3
# the declared numbers are off themselves, by as many roundings of extended precision as are granted
_OWN_UNIT = float(np.finfo(np.longdouble).eps) / 2
# and a difference by so many roundings of what is subtracted
_DIFFERENCE = 64 * _OWN_UNIT


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
        _beside(trial, world.layer.outline.id, at, kernel, [one[at] for one in found])
    for letter in trial.differentiated():
        name = letter.spelling.python
        kernel = backward.arrays[f"d{name}"]
        slopes = [world.slopes(x, x[output], letter, way) for x, way in ways]
        reach = world.reach(ways[1][0], ways[1][0][output], letter, ways[1][1])
        for at in _places(kernel, random, _ENTRIES):
            step = unit_at(kernel.shape, at)
            row = [slope(step) for slope in slopes]
            shown = f"{tally.name}, dL/d{name}"
            _beside(trial, shown, at, kernel, row, 1, float(reach(step)) * _DIFFERENCE)


def _places(array: Array, random: np.random.Generator, number: int) -> list[tuple[int, ...]]:
    last = tuple(length - 1 for length in array.shape)
    drawn = [tuple(int(random.integers(length)) for length in array.shape) for _ in range(number)]
    return list(dict.fromkeys([last, *drawn[1:]]))


def _beside(
    trial: TensorTrial,
    shown: str,
    at: tuple[int, ...],
    kernel: Array,
    row: list[Any],
    more: int = 0,
    own: float = 0.0,
) -> None:
    value, size, count = row
    tally = trial.tally
    steps = roundings(trial.outline.equation.right) + more
    high = sum_of_products(tally.form, float(value), size, count, steps)
    rest = float(value - type(value)(float(value)))
    allowed = high.error * (1 + 4 * _OWN_UNIT / tally.form.unit) + own
    declared = high._replace(value=high.value + rest, error=allowed)
    place = f"{shown} at {', '.join(map(str, at))}"
    tally.point(declared, float(kernel[at]), Point(place, trial.words))
