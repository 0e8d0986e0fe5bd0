"""Layers by hand in C: what the machine can do, as long as memory is all that holds it up."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from symopt.bench.c_limits import library
from symopt.bench.passes import Given, Passes


def passes(kind: str, given: Given, threads: int) -> Passes | None:
    """The limit's way to do this, where there is a compiler and a kernel."""
    found, make = library(threads), KINDS.get(kind)
    return make(found, given) if found is not None and make else None


def _call(function: Any, *arguments: Any) -> Callable[[], None]:
    """A function with its arguments turned into C's, once; arrays are kept with it."""
    turned = [_turned(one) for one in arguments]

    def call(_kept: Any = arguments) -> None:
        function(*turned)

    return call


def _turned(one: Any) -> Any:
    if isinstance(one, np.ndarray):
        return ctypes.c_void_p(one.ctypes.data)
    return ctypes.c_float(one) if isinstance(one, float) else ctypes.c_long(one)


def _normalization(
    name: str, groups: int, sizes: tuple[int, ...], found: Any, given: Given
) -> Passes:
    """``name`` forward and backward, statistics of so many groups, sizes as C wants them."""
    gamma, beta, epsilon = given["gamma"], given["beta"], float(given["epsilon"])
    y, dx = np.empty_like(given.x), np.empty_like(given.x)
    mean, variance = np.empty(groups, np.float32), np.empty(groups, np.float32)
    dgamma, dbeta = np.empty_like(gamma), np.empty_like(beta)
    ahead = _call(
        getattr(found, f"{name}_forward"), given.x, gamma, beta, y, mean, variance, epsilon, *sizes
    )
    statistics, made = (mean, variance), (dx, dgamma, dbeta)
    back = _call(
        getattr(found, f"{name}_backward"),
        given.x,
        gamma,
        given.dy,
        *statistics,
        *made,
        epsilon,
        *sizes,
    )

    def forward() -> dict[str, Any]:
        ahead()
        return {"y": y}

    def backward() -> dict[str, Any]:
        back()
        return {"dx": dx, "dgamma": dgamma, "dbeta": dbeta}

    return Passes(forward, backward)


def _over_batch(found: Any, given: Given) -> Passes:
    rows, channels = given.x.shape[:2]
    length = math.prod(given.x.shape[2:])
    y, mean, variance = (
        np.empty_like(given.x),
        np.zeros(channels, np.float32),
        np.ones(channels, np.float32),
    )
    run = _call(
        found.planes_inference,
        given.x,
        given["gamma"],
        given["beta"],
        y,
        mean,
        variance,
        float(given["epsilon"]),
        rows,
        channels,
        length,
    )

    def inference() -> dict[str, Any]:
        run()
        return {"y": y}

    name, sizes = (
        ("columns", (rows, channels)) if length == 1 else ("planes", (rows, channels, length))
    )
    both = _normalization(name, channels, sizes, found, given)
    return Passes(both.forward, both.backward, inference)


def _over_elements(found: Any, given: Given) -> Passes:
    rows = len(given.x)
    return _normalization("rows", rows, (rows, given.x.size // rows), found, given)


def _stripes(found: Any, given: Given, splits: int) -> Passes:
    rows, channels = len(given.x) * splits, given.x.shape[1] // splits
    length = math.prod(given.x.shape[2:])
    return _normalization("stripes", rows, (rows, splits, channels, length), found, given)


def _smoothed(found: Any, given: Given, low: float, high: float) -> Passes:
    rows, classes = given.x.shape
    loss, dz = np.empty(rows, np.float32), np.empty_like(given.x)
    labels = np.ascontiguousarray(given.others[0], np.int64)
    run = _call(found.smoothed, given.x, labels, loss, dz, high, low, rows, classes)

    def both() -> dict[str, Any]:
        run()
        return {"y": loss.mean(), "dx": dz}

    return Passes(both=both)


def _smoothed_by_all(found: Any, given: Given) -> Passes:
    alpha, count = float(given["alpha"]), given.x.shape[1]
    return _smoothed(found, given, (1 - alpha) / count, alpha + (1 - alpha) / count)


def _smoothed_by_others(found: Any, given: Given) -> Passes:
    alpha = float(given["alpha"])
    return _smoothed(found, given, (1 - alpha) / (given.x.shape[1] - 1), alpha)


def _left_out(found: Any, given: Given) -> Passes:
    y = np.empty_like(given.x)
    run = _call(found.left_out, given.x, y, float(given["p"]), 0, 0, given.x.size)

    def forward() -> dict[str, Any]:
        run()
        return {"y": y}

    return Passes(forward, note="it draws other numbers")


KINDS: dict[str, Callable[[Any, Given], Passes]] = {
    "over_batch": _over_batch,
    "over_elements": _over_elements,
    "over_places": lambda found, given: _stripes(found, given, given.x.shape[1]),
    "over_channel_groups": lambda found, given: _stripes(found, given, given["groups"]),
    "smoothed_by_all": _smoothed_by_all,
    "smoothed_by_others": _smoothed_by_others,
    "left_out": _left_out,
}
