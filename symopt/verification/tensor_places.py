"""Whole numbers of a tensor layer as arrays: the places of indices, and what is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add, mul
from typing import Any

import numpy as np
from sympy import Add, Basic, Integer, Mul, Pow

from symopt.errors import DeclarationError

Array = Any


def along(length: int, axis: int, depth: int) -> Array:
    """The places 1 … length along one axis of several."""
    shape = [1] * depth
    shape[axis] = length
    return np.arange(1, length + 1).reshape(shape)


def whole(expr: Basic, known: Mapping[Any, Any]) -> Any:
    """A whole number, or an array of such."""
    if expr in known:
        return known[expr]
    if isinstance(expr, Integer):
        return int(expr)
    parts = [whole(part, known) for part in expr.args]
    if isinstance(expr, Add | Mul):
        return reduce(add if isinstance(expr, Add) else mul, parts)
    if isinstance(expr, Pow):
        return parts[0] ** parts[1]
    raise DeclarationError(f"{expr} is no whole number")
