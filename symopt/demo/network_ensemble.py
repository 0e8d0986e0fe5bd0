"""The ensemble behind a network whose layers draw at random: its mean beside inference."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from symopt.demo.ensemble import ensemble
from symopt.runtime.model import Model


@dataclass(frozen=True)
class EnsembleOutcome:
    """How far the mean of some drawings is off inference: of the scores, and of probabilities.

    All are root mean squares over examples and outputs. What chance alone does to a mean of so
    many ``members`` stands beside each: scores that are linear in what is drawn are off by no more,
    probabilities, which are not, by a little more.
    """

    members: int
    scores: float
    scores_by_chance: float
    probabilities: float
    probabilities_by_chance: float


def measured(model: Model, x: np.ndarray, members: int) -> EnsembleOutcome:
    """The mean over so many drawings on these examples, beside the output of inference."""
    still = model.predict(x)
    scores = _off(lambda: model.member(x), still, members)
    shares = _off(lambda: _probabilities(model.member(x)), _probabilities(still), members)
    return EnsembleOutcome(members, *scores, *shares)


def _off(
    output: Callable[[], np.ndarray], inference: np.ndarray, members: int
) -> tuple[float, float]:
    found = ensemble(lambda _step: output(), inference, members)
    return _size(found.mean - inference), _size(found.standard_error)


def _size(off: np.ndarray) -> float:
    return math.sqrt(float(np.mean(off**2)))


def _probabilities(scores: np.ndarray) -> np.ndarray:
    # the largest score taken off, no exponential overflows
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
