"""How far a kernel may be off in a sum of products: the count of roundings, in any order.

A sum of T products of f factors each, carried out in any order, by products that are fused with
additions or not, passes each product through at most n = T − 1 + f roundings, besides those of the
number that stands before it. With u the unit roundoff and S the sum of the products' magnitudes it
is off by at most n·u/(1 − n·u)·S (Higham, Accuracy and Stability of Numerical Algorithms, 3.1), and
by f subnormal numbers for each product, where no factor is larger than 1. Two roundings are granted
besides, for a sum that is kept in two parts or stored in between.
"""

from __future__ import annotations

from fractions import Fraction
from math import inf
from typing import Any

from symopt.verification.quantity import HIGH, UNBOUNDED, Format, Quantity


def sum_of_products(form: Format, value: Any, size: Any, count: Any, roundings: int) -> Quantity:
    """A declared sum with its bound, from its value, its size and the number of its products."""
    size, count = float(size), int(count)
    if not size < form.largest / 4:
        return UNBOUNDED
    exact = HIGH.mpf(value.numerator) / value.denominator if isinstance(value, Fraction) else (
        HIGH.mpf(value))  # fmt: skip
    steps = count - 1 + roundings + 2 if count else 0
    share = steps * form.unit
    allowed = share / (1 - share) * size if share < 0.5 else inf
    return Quantity(exact, size, allowed + count * roundings * form.tiny)
