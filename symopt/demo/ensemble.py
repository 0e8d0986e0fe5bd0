"""The ensemble that dropout trains, measured: the mean of many drawings beside inference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ensemble:
    """The mean output of so many ``members``, with how far chance may have put it off.

    ``mean`` and its ``standard_error`` have the shape of the output, in float64. ``deviation`` is
    the largest distance of a mean from inference, and ``in_errors`` the largest of these in
    standard errors of their own element; both are NaN where an output is.
    """

    members: int
    mean: np.ndarray
    standard_error: np.ndarray
    deviation: float
    in_errors: float


def ensemble(
    output: Callable[[int], np.ndarray], inference: np.ndarray, members: int, first: int = 0
) -> Ensemble:
    """The members' outputs at the steps from ``first`` on, one drawing each, beside inference.

    >>> halves = ensemble(lambda step: np.array([2.0 * (step % 2), 1.0]), np.ones(2), 100)
    >>> print(halves.mean, halves.deviation)
    [1. 1.] 0.0

    Raises
    ------
    ValueError
        For fewer than two members, of which no error is known, and for outputs of other shapes.
    """
    if members < 2:
        raise ValueError(f"an ensemble of {members} has no standard error; take 2 members or more")
    mean, squares = np.zeros(inference.shape), np.zeros(inference.shape)
    for count in range(1, members + 1):
        one = np.asarray(output(first + count - 1), np.float64)
        if one.shape != inference.shape:
            raise ValueError(
                f"a member's output has shape {one.shape}, but that of inference {inference.shape}"
            )
        off = one - mean
        mean += off / count
        squares += off * (one - mean)  # from the mean before and after, so that nothing cancels
    error = np.sqrt(squares / (members - 1) / members)
    apart = abs(mean - inference)
    with np.errstate(divide="ignore", invalid="ignore"):
        in_errors = np.where(apart == 0, 0.0, apart / error)
    return Ensemble(
        members, mean, error, float(apart.max(initial=0.0)), float(in_errors.max(initial=0.0))
    )
