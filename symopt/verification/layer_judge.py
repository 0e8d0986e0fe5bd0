"""A layer's kernels beside its declaration: forward, backward and inference.

Every number is evaluated at 50 digits group by group, the groups found coordinate by coordinate;
a gradient is the central difference of Σ dy·y. Kernels are tried on the defaults, random and
extreme hyperparameters, on small groups in several shapes, and on each kind of data. On large
arrays all groups are evaluated at once in extended precision. A class is held against the
functions, and what has to be refused is handed over. What is random is drawn by the judge itself.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from itertools import product

import numpy as np

from symopt.declaration import Layer
from symopt.verification.as_written import AsWritten
from symopt.verification.cases import settings
from symopt.verification.chance import balanced
from symopt.verification.class_trials import judge_class
from symopt.verification.draw_trials import judge_draws
from symopt.verification.groups import arrangements
from symopt.verification.large_trials import judge_large, large_cases
from symopt.verification.layer_anatomy import layer_anatomy
from symopt.verification.layer_cases import SHAPES, Case, cases
from symopt.verification.layer_subject import LayerSubject
from symopt.verification.misfits import judge_arguments
from symopt.verification.quantity import FORMATS
from symopt.verification.spoilt import judge_spoilt
from symopt.verification.trials import Trial
from symopt.verification.verdict import Tally, Verdict

Progress = Callable[[int, int], None]

_SETTINGS = 2  # that a class is tried with: the defaults and a random one


def judge_layer(
    layer: Layer,
    subject: LayerSubject,
    dtype: str = "float32",
    seed: int = 0,
    progress: Progress | None = None,
) -> Verdict:
    """Whether a layer's kernels compute what its equations say, to within rounding.

    ``progress`` is called after each case with the number of cases done and of all. A kernel may
    raise ``ValueError`` where a declared value does not exist, such as 0/0, and nowhere else.

    Raises
    ------
    DeclarationError
        If an equation has no meaning for the judge.
    UsageError
        If a kernel takes or returns what the layer does not know.
    """
    anatomy = layer_anatomy(layer)
    tally = Tally(layer.name, dtype, FORMATS[dtype])
    random = np.random.default_rng([seed, zlib.crc32(layer.name.encode())])
    usual, *others = settings(anatomy.hyperparameters, layer.default_values, random)
    even = balanced(anatomy.drawn, anatomy.hyperparameters, AsWritten(tally.form), random)
    tried = (usual, *even, *others)
    arranged = tuple(arrangements(layer, SHAPES, bool(anatomy.learned)))
    all_cases = cases(tried, arranged, subject.reductions, random)
    for done, case in enumerate(all_cases, 1):
        Trial(anatomy, subject, tally, case, random).judge()
        if progress is not None:
            progress(done, len(all_cases))
        if tally.refuted:
            return tally.verdict()
    judge_spoilt(anatomy, subject, tally, all_cases, random)
    for case in large_cases(anatomy, tried[0], subject.reductions):
        if not tally.refuted:
            judge_large(anatomy, subject, tally, case, random)
    for setting, one in product(tried[:_SETTINGS], arranged):
        if not tally.refuted:
            case = Case(setting, one, "ordinary", subject.reductions[-1])
            judge_class(anatomy, subject, tally, case, random)
            judge_draws(anatomy, subject, tally, case, random)
            judge_arguments(anatomy, subject, tally, case, random)
    return tally.verdict()
