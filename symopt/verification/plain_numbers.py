"""The arithmetic of plain numbers: doubles computed as they are written, infinities exact.

∞ − ∞ and 0·∞ do not exist; one over an infinity is 0. Where a factor may be zero within its error,
nothing is known of its product with an infinity.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from symopt.verification.arithmetic import Arithmetic
from symopt.verification.quantity import (
    FLOAT64,
    HIGH,
    SCALAR_ZERO,
    UNBOUNDED,
    UNDEFINED,
    Format,
    Quantity,
    scalar,
)

Pair = tuple[Quantity, Quantity]


def _signs(numbers: Sequence[Quantity]) -> set[int]:
    """The signs of those that are infinite."""
    return {int(HIGH.sign(x.value)) for x in numbers if x.infinite}


@dataclass(frozen=True)
class PlainNumbers(Arithmetic):
    """The operations of code over floats.

    Comparisons that rounding decides are collected in ``open``, and take the order that
    ``answers`` has for them.
    """

    data: Format = FLOAT64
    answers: dict[Pair, int] = field(default_factory=dict, compare=False)
    open: list[Pair] = field(default_factory=list, compare=False)

    def undecided(self, left: Quantity, right: Quantity) -> int | None:
        """How two numbers compare between which rounding decides."""
        if (left, right) not in self.answers:
            self.open.append((left, right))
        return self.answers.get((left, right))

    def add(self, terms: Sequence[Quantity], roundings: int = 2) -> Quantity:
        """The sum; none of infinities of both signs."""
        signs = _signs(terms)
        if not signs or not all(x.bounded for x in terms):
            return super().add(terms, roundings)
        return UNDEFINED if len(signs) == 2 else scalar(signs.pop() * HIGH.inf)

    def multiply(self, factors: Sequence[Quantity]) -> Quantity:
        """The product; none of zero and an infinity, be it that others exceed all doubles."""
        if not all(x.bounded for x in factors):
            return super().multiply(factors)
        if not _signs(factors):
            reach = math.prod(max(1.0, x.extent + x.error) for x in factors)
            return super().multiply(factors) if reach <= self.data.largest else UNBOUNDED
        if any(x.exactly_zero for x in factors):
            return UNDEFINED
        if any(abs(x.value) <= x.error for x in factors):
            return UNBOUNDED
        sign = 1
        for x in factors:
            sign *= int(HIGH.sign(x.value))
        return scalar(sign * HIGH.inf)

    def reciprocal(self, x: Quantity) -> Quantity:
        """1/x, which is 0 for an infinity."""
        return SCALAR_ZERO if x.infinite else super().reciprocal(x)

    def root(self, x: Quantity) -> Quantity:
        """The square root."""
        if not x.infinite:
            return super().root(x)
        return x if x.value > 0 else UNDEFINED

    def settled(self, value: object, size: float, error: float, scalar: bool) -> Quantity:
        """A result; an infinite one without error is exact."""
        if size == math.inf and error == 0:
            return Quantity(value, size, error, scalar)
        return super().settled(value, size, error, scalar)

    def averaged(self, result: Quantity, past: Sequence[Quantity]) -> Quantity:  # noqa: ARG002  # computed as written, the past has no part in it
        """The value of an equation that multiplies its own past: as it is written."""
        return result
