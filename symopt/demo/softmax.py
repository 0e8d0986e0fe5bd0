"""A softmax classifier: one affine layer, its loss, and the gradients of the loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FEATURES, CLASSES = 64, 10

Arrays = Sequence[np.ndarray]


def start(dtype: str) -> list[np.ndarray]:
    """Weights of shape (64, 10) and a bias of shape (10,), all zero: every digit equally likely."""
    return [np.zeros((FEATURES, CLASSES), dtype), np.zeros(CLASSES, dtype)]


def loss(params: Arrays, x: np.ndarray, y: np.ndarray) -> float:
    """The mean cross entropy; of equally likely digits it is log 10.

    >>> round(loss(start("float64"), np.ones((1, FEATURES)), np.array([3])), 6)
    2.302585
    """
    return _loss_and_residual(params, x, y)[0]


def accuracy(params: Arrays, x: np.ndarray, y: np.ndarray) -> float:
    """The share of images whose likeliest digit is the one they show."""
    weights, bias = params
    return float(np.mean(np.argmax(x @ weights + bias, axis=1) == y))


def mean_gradients(params: Arrays, x: np.ndarray, y: np.ndarray) -> tuple[float, list[np.ndarray]]:
    """The mean loss, and its gradients: shapes (64, 10) and (10,)."""
    value, residual = _loss_and_residual(params, x, y)
    return value, [x.T @ residual / x.dtype.type(len(x)), residual.mean(axis=0)]


def example_gradients(
    params: Arrays, x: np.ndarray, y: np.ndarray
) -> tuple[float, list[np.ndarray]]:
    """The mean loss, and each example's own gradients: shapes (m, 64, 10) and (m, 10)."""
    value, residual = _loss_and_residual(params, x, y)
    return value, [x[:, :, None] * residual[:, None, :], residual]


def _loss_and_residual(params: Arrays, x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean loss, and by example its derivative with respect to the scores: p − y."""
    weights, bias = params
    scores = x @ weights + bias
    # the largest score taken off, no exponential overflows
    scores -= scores.max(axis=1, keepdims=True)
    residual = np.exp(scores)
    total = residual.sum(axis=1, keepdims=True)
    rows = np.arange(len(x))
    value = float(np.mean(np.log(total[:, 0]) - scores[rows, y]))
    residual /= total
    residual[rows, y] -= x.dtype.type(1)
    return value, residual
