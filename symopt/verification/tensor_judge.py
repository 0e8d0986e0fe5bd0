"""A tensor layer's functions and class beside its declaration.

The declared sum is evaluated by itself: exactly at small sizes, in extended precision where blocks
and sums are long. Gradients are slopes of Σ dy·y, from differences. Data are of several kinds, with
an entry that is no number in each array, laid out in memory in any way; what does not fit has to be
refused with nothing changed, and a class is held against its functions.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np

from symopt.declaration import TensorLayer
from symopt.verification.quantity import FORMATS
from symopt.verification.tensor_cases import large_case, tensor_cases
from symopt.verification.tensor_class import judge_class
from symopt.verification.tensor_large import judge_large
from symopt.verification.tensor_misfits import judge_misfits
from symopt.verification.tensor_subject import TensorSubject
from symopt.verification.tensor_trials import TensorTrial, laid_out, spoilt
from symopt.verification.verdict import Tally, Verdict

Progress = Callable[[int, int], None]
_BAD = (float("nan"), float("inf"))


def judge_tensor(
    layer: TensorLayer,
    subject: TensorSubject,
    dtype: str = "float32",
    seed: int = 0,
    progress: Progress | None = None,
) -> Verdict:
    """Whether a layer's functions compute what its equation says, to within rounding.

    ``progress`` is called after each case with the number of cases done and of all.
    """
    tally = Tally(layer.name, dtype, FORMATS[dtype])
    random = np.random.default_rng([seed, zlib.crc32(layer.name.encode())])
    cases = tensor_cases(layer, random)
    if not cases:
        tally.refute(layer.name, f"{layer.name} has an output at no small sizes that were tried")
        return tally.verdict()
    for done, case in enumerate(cases, 1):
        TensorTrial(subject, tally, case, random).judge()
        if progress is not None:
            progress(done, len(cases))
        if tally.refuted:
            return tally.verdict()
    for case in cases[:3]:
        trial = TensorTrial(subject, tally, case, random)
        for letter in (*trial.outline.arrays, trial.output):
            for bad in _BAD:
                if not tally.refuted:
                    spoilt(trial, letter, bad)
    if not tally.refuted:
        laid_out(TensorTrial(subject, tally, cases[1], random))
    large = large_case(layer, random)
    if large is not None and not tally.refuted:
        judge_large(subject, tally, large, random)
    for case in cases[:2]:
        if not tally.refuted:
            judge_misfits(TensorTrial(subject, tally, case, random))
            judge_class(TensorTrial(subject, tally, case, random))
    return tally.verdict()
