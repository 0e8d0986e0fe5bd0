"""Where in a network the first number stood that is not finite."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from symopt.derivation.network_shapes import Stage


def first_not_finite(
    x: np.ndarray, objective: float, stages: Sequence[Stage], layers: Sequence[Any],
    outputs: Sequence[np.ndarray],
) -> str:  # fmt: skip
    """What is wrong with a step whose loss or averages are not finite, and what to do about it."""
    word = "NaN" if math.isnan(objective) else "infinite"
    head = f"the loss is {word}" if not math.isfinite(objective) else "numbers are too large"
    if not np.isfinite(x).all():
        return f"{head}; so is the input already, mend the data"
    for stage, layer, output in zip(stages, layers, outputs, strict=True):
        if not all(np.isfinite(one).all() for one in layer.parameters.values()):
            return f"{head}; the parameters of {stage.name} are not finite, make α smaller"
        if not all(np.isfinite(one).all() for one in layer.averages.values()):
            return f"{head}; the running averages of {stage.name} are not finite, scale the data"
        if not np.isfinite(output).all():
            return (
                f"{head}; the output of {stage.name} is the first that is not finite, make α "
                "smaller"
            )
    return f"{head}, though every layer's output is finite; make α or the penalties smaller"
