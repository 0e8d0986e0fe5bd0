"""scikit-learn's handwritten digits, split once and for all."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from symopt.errors import UsageError

TESTED = 360
BRIGHTEST = 16.0


@dataclass(frozen=True)
class Digits:
    """Images of 8 by 8 pixels in [0, 1], a row each, and the digits that they show."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    def astype(self, dtype: str) -> Digits:
        """The same with images of another dtype."""
        return replace(self, x_train=self.x_train.astype(dtype), x_test=self.x_test.astype(dtype))


def load() -> Digits:
    """1437 images to train with and 360 to test with, always the same, in float64.

    Raises
    ------
    UsageError
        If scikit-learn, which holds the images, is not installed.
    """
    try:
        # an extra: only this command needs it
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise UsageError(
            "symopt train needs scikit-learn, from which it takes the digits; "
            "pip install 'symopt[demo]'"
        ) from error
    found = load_digits()
    x, y = np.ascontiguousarray(found.data / BRIGHTEST), found.target.astype(np.intp)
    # shuffled, as the file goes by writers
    order = np.random.default_rng(0).permutation(len(x))
    test, train = order[:TESTED], order[TESTED:]
    return Digits(x[train], y[train], x[test], y[test])
