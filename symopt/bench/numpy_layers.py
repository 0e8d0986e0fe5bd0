"""Layers in plain NumPy, as one would write them down."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from symopt.bench.passes import Given, Passes


def passes(kind: str, given: Given, _threads: int) -> Passes | None:
    """NumPy's way to do this."""
    make = KINDS.get(kind)
    return make(given) if make else None


def _normalization(
    view: Callable[[Given], tuple[int, ...]],
    learned: Callable[[Given], tuple[int, ...]],
    axes: tuple[int, ...],
) -> Callable[[Given], Passes]:
    """The input as ``view``, parameters as ``learned``, statistics over ``axes`` of it."""

    def make(given: Given) -> Passes:
        shape, epsilon = view(given), given["epsilon"]
        x, dy = given.x.reshape(shape), given.dy.reshape(shape)
        gamma, beta = (given[key].reshape(learned(given)) for key in ("gamma", "beta"))
        shared = tuple(k for k, length in enumerate(gamma.shape) if length == 1)
        kept: dict[str, np.ndarray] = {}

        def forward() -> dict[str, Any]:
            centred = x - x.mean(axes, keepdims=True)
            kept["inverse"] = 1 / np.sqrt((centred**2).mean(axes, keepdims=True) + epsilon)
            kept["x_hat"] = centred * kept["inverse"]
            return {"y": (gamma * kept["x_hat"] + beta).reshape(given.x.shape)}

        def backward() -> dict[str, Any]:
            x_hat, owed = kept["x_hat"], gamma * dy
            plain = owed.mean(axes, keepdims=True)
            weighted = (owed * x_hat).mean(axes, keepdims=True)
            dx = kept["inverse"] * (owed - plain - x_hat * weighted)
            return {
                "dx": dx.reshape(given.x.shape),
                "dgamma": (dy * x_hat).sum(shared).reshape(given["gamma"].shape),
                "dbeta": dy.sum(shared).reshape(given["beta"].shape),
            }

        def inference() -> dict[str, Any]:
            return {"y": (gamma * x / math.sqrt(1 + epsilon) + beta).reshape(given.x.shape)}

        return Passes(forward, backward, inference)

    return make


def _flat(given: Given) -> tuple[int, ...]:
    return (*given.x.shape[:2], -1)


def _grouped(given: Given) -> tuple[int, ...]:
    groups = given["groups"]
    return (len(given.x), groups, given.x.shape[1] // groups, math.prod(given.x.shape[2:]))


def _smoothed(given: Given, low: float, high: float) -> Passes:
    z, labels = given.x, given.others[0]
    rows = np.arange(len(z))

    def both() -> dict[str, Any]:
        shifted = z - z.max(axis=1, keepdims=True)
        p = np.exp(shifted)
        total = p.sum(axis=1, keepdims=True)
        logarithms = shifted - np.log(total)
        q = np.full_like(z, low)
        q[rows, labels] = high
        loss = -(q * logarithms).sum(axis=1).mean()
        return {"y": loss, "dx": (p / total - q) / len(z)}

    return Passes(both=both)


def _smoothed_by_all(given: Given) -> Passes:
    alpha, count = given["alpha"], given.x.shape[1]
    return _smoothed(given, (1 - alpha) / count, alpha + (1 - alpha) / count)


def _smoothed_by_others(given: Given) -> Passes:
    alpha = given["alpha"]
    return _smoothed(given, (1 - alpha) / (given.x.shape[1] - 1), alpha)


def _left_out(given: Given) -> Passes:
    x, dy, p = given.x, given.dy, given["p"]
    draw = np.random.default_rng(0)
    scale, kept = np.float32(1 / (1 - p)), [np.ones(x.shape, bool)]

    def forward() -> dict[str, Any]:
        kept[0] = draw.random(x.shape, np.float32) >= p
        return {"y": x * kept[0] * scale}

    return Passes(forward, lambda: {"dx": dy * kept[0] * scale}, note="it draws other numbers")


def _matrix_product(given: Given) -> Passes:
    x, dy, W, b = given.x, given.dy, given["W"], given["b"]

    def backward() -> dict[str, Any]:
        return {"dx": dy @ W.T, "dW": x.T @ dy, "db": dy.sum(0)}

    return Passes(lambda: {"y": x @ W + b}, backward)


def _windows(given: Given) -> Passes:
    x, dy, W, b = given.x, given.dy, given["W"], given["b"]
    stride, padding = int(given["stride"]), int(given["padding"])
    sides = ((0, 0), (0, 0), (padding, padding), (padding, padding))

    def windows() -> np.ndarray:
        found = np.lib.stride_tricks.sliding_window_view(np.pad(x, sides), W.shape[2:], (2, 3))
        return found[:, :, ::stride, ::stride]

    def forward() -> dict[str, Any]:
        y = np.tensordot(windows(), W, ((1, 4, 5), (1, 2, 3)))
        return {"y": np.ascontiguousarray(y.transpose(0, 3, 1, 2)) + b[:, None, None]}

    def backward() -> dict[str, Any]:
        owed = np.tensordot(dy, W, (1, 0))
        dx = np.zeros_like(np.pad(x, sides))
        for a in range(W.shape[2]):
            for c in range(W.shape[3]):
                rows = slice(a, a + stride * dy.shape[2], stride)
                columns = slice(c, c + stride * dy.shape[3], stride)
                dx[:, :, rows, columns] += owed[..., a, c].transpose(0, 3, 1, 2)
        inner = slice(padding, dx.shape[2] - padding), slice(padding, dx.shape[3] - padding)
        return {
            "dx": dx[:, :, inner[0], inner[1]],
            "dW": np.tensordot(dy, windows(), ((0, 2, 3), (0, 2, 3))),
            "db": dy.sum((0, 2, 3)),
        }

    return Passes(forward, backward)


KINDS: dict[str, Callable[[Given], Passes]] = {
    "over_batch": _normalization(_flat, lambda _given: (1, -1, 1), (0, 2)),
    "over_elements": _normalization(lambda given: (len(given.x), -1), lambda _given: (1, -1), (1,)),
    "over_places": _normalization(_flat, lambda _given: (1, -1, 1), (2,)),
    "over_channel_groups": _normalization(
        _grouped, lambda given: (1, given["groups"], -1, 1), (2, 3)
    ),
    "smoothed_by_all": _smoothed_by_all,
    "smoothed_by_others": _smoothed_by_others,
    "left_out": _left_out,
    "matrix_product": _matrix_product,
    "windows": _windows,
}
