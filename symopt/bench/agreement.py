"""Whether contestants give the same answers, within what rounding allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Agreement:
    """The largest difference from the reference, and what rounding allows."""

    difference: float
    bound: float

    @property
    def ok(self) -> bool:
        """Whether it is within the bound; a NaN is not."""
        return self.difference <= self.bound


def agreement(
    found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray], bounds: Mapping[str, float]
) -> Agreement:
    """The worst of the arrays, relative to its own bound; of a longer one the first elements.

    >>> agreement({"y": np.array([1.5])}, {"y": np.array([1.0])}, {"y": 0.25}).ok
    False
    """
    worst = Agreement(0.0, 0.0)
    for key, one in found.items():
        known = expected[key]
        head = one.reshape(-1)[: known.size].astype("float64")
        if head.size != known.size:
            return Agreement(float("inf"), bounds[key])
        difference = float(np.max(np.abs(head - known.reshape(-1)), initial=0.0))
        now = Agreement(difference, bounds[key])
        if not now.ok or worst.bound == 0.0 or difference / now.bound > _share(worst):
            worst = now
        if not now.ok:
            return now
    return worst


def _share(one: Agreement) -> float:
    return one.difference / one.bound if one.bound else 0.0
