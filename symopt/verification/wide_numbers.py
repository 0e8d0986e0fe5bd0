"""Sums, products and functions of whole arrays in extended precision, with what a kernel may lose.

Numbers are ``np.longdouble``; beside each stands how far a kernel may be off, counted as in
``as_written``: with u the unit roundoff of the kernel's format,

* a sum of n terms, in any order, is off by at most the terms' own errors and (n − 1)·u·S, where S
  is the sum of the terms' magnitudes; 3(n − 1)·u·S are granted, for factors drawn into it;
* a product of n factors by 2(n − 1)·u of itself and what the factors' errors make of it;
* a quotient and a root by two roundings, a library function by four, each beside what the
  argument's error makes of it; a number that may lie on either side of a kink has no bound.

The same counts hold for the numbers here with the unit u' of extended precision in place of u. A
bound grows at least in proportion to the unit, so what is found here is off by no more than u'/u of
the bound, by which every bound is widened: by one part in 2048 for double precision where extended
precision has 64 bits, by all of it where it is no more than double precision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from symopt.verification.quantity import HIGH, Format, Quantity

Array = Any  # an array of ``np.longdouble``, or one such number
Function = Callable[[Any], Any]

_REAL = np.longdouble
_LIBRARY = 4
_OWN_UNIT = float(np.finfo(_REAL).eps) / 2
_ERF_TERMS, _ERF_IS_ONE = 150, 7.0


class Wide(NamedTuple):
    """An array of numbers, and how far a kernel may be off at each: infinite where no bound is."""

    value: Array
    error: Array


class Shares(NamedTuple):
    """What is still to be summed: the sum so far, its terms' magnitudes, errors and their count."""

    value: Array
    size: Array
    error: Array
    terms: int


def wide(array: Any) -> Wide:
    """Numbers of the kernel's own arrays."""
    value = np.asarray(array).astype(_REAL)
    return Wide(value, np.zeros_like(value))


def extended(number: Any) -> Any:
    """A number of 50 digits in extended precision."""
    first = float(number)
    return _REAL(first) + _REAL(float(number - HIGH.mpf(first)))


class WideArithmetic:
    """The operations of kernels whose arrays have the format ``data``."""

    def __init__(self, data: Format) -> None:
        self.data = data
        self.unit = _REAL(data.unit)
        self.tiny = _REAL(data.tiny)

    @property
    def widening(self) -> float:
        """By how much every bound is widened before it is compared."""
        return (1 + _OWN_UNIT / self.data.unit) * (1 + 2.0**-40)

    def lifted(self, x: Quantity) -> Wide:
        """A number that is already lifted to the arrays' format."""
        if not x.bounded:
            return Wide(_REAL(0), _REAL(np.inf))
        return Wide(extended(x.value), _REAL(x.error))

    def share(self, x: Wide, axis: int | None = None) -> Shares:
        """The terms of a sum: one number each, or all along an axis."""
        if axis is None:
            return Shares(x.value, abs(x.value), x.error, 1)
        parts = [one.sum(axis=axis, keepdims=True) for one in (x.value, abs(x.value), x.error)]
        return Shares(parts[0], parts[1], parts[2], x.value.shape[axis])

    def total(self, shares: Sequence[Shares]) -> Wide:
        """The sum of all of them in any order."""
        value, size, error = (sum(one[k] for one in shares) for k in range(3))
        count = sum(one.terms for one in shares) - 1
        return self._settled(value, error + 3 * count * self.unit * (size + error))

    def add(self, terms: Sequence[Wide]) -> Wide:
        """The sum, element by element."""
        return self.total([self.share(x) for x in terms])

    def multiply(self, factors: Sequence[Wide]) -> Wide:
        """The product, in any order of its factors."""
        value, error = factors[0]
        reach = np.maximum(1, abs(value) + error)
        for x in factors[1:]:
            error = error * (abs(x.value) + x.error) + abs(value) * x.error
            value = value * x.value
            reach = reach * np.maximum(1, abs(x.value) + x.error)
        count = len(factors) - 1
        rounded = 2 * count * self.unit * (abs(value) + error) + count * self.tiny * reach
        return self._settled(value, error + rounded)

    def reciprocal(self, x: Wide) -> Wide:
        """1/x; without a bound where the error reaches x."""
        extent = abs(x.value)
        value = 1 / x.value
        error = np.where(x.error < extent, x.error / extent / (extent - x.error), np.inf)
        return self._settled(value, error + 2 * self.unit * (abs(value) + error) + self.tiny)

    def root(self, x: Wide) -> Wide:
        """The square root; without a bound where its argument may be zero or below."""
        value = np.sqrt(x.value)
        error = x.error / (value + np.sqrt(np.maximum(x.value - x.error, 0)))
        error = np.where((x.value > x.error) | ((x.value == 0) & (x.error == 0)), error, np.inf)
        error = np.where(x.value == 0, x.error, error)
        return self._settled(value, error + 2 * self.unit * (value + error))

    def rising(self, function: Function, x: Wide) -> Wide:
        """A monotone function."""
        value = function(x.value)
        ends = (function(x.value - x.error), function(x.value + x.error))
        error = np.maximum(*(abs(end - value) for end in ends))
        return self.rounded(value, error)

    def rounded(self, value: Array, error: Array) -> Wide:
        """A library function's value, with what the errors of its arguments make of it."""
        granted = _LIBRARY * self.unit * (abs(value) + error) + self.tiny
        return self._settled(value, error + granted)

    def power(self, base: Wide, exponent: Wide) -> Wide:
        """Any power of what is certainly positive."""
        value = base.value**exponent.value
        corners = [
            (base.value + one * base.error) ** (exponent.value + other * exponent.error)
            for one in (-1, 1)
            for other in (-1, 1)
        ]
        error = np.max([abs(one - value) for one in corners], axis=0)
        return self.rounded(value, np.where(base.value > base.error, error, np.inf))

    def averaged(self, result: Wide, past: Wide) -> Wide:
        """The value of an equation that multiplies its own past, as a·v + (1 − a)·x or not."""
        granted = 3 * self.unit * (abs(past.value) + past.error + abs(result.value))
        return self._settled(result.value, result.error + granted)

    def _settled(self, value: Array, error: Array) -> Wide:
        """A result; nothing is known of it where it may exceed the largest finite number."""
        known = abs(value) + error <= self.data.largest
        return Wide(value, np.where(known, error, np.inf).astype(_REAL))


def erf(ops: WideArithmetic, x: Wide) -> Wide:
    """The error function, with three roundings of extended precision for each term of its series.

    >>> from symopt.verification.quantity import FLOAT64
    >>> float(erf(WideArithmetic(FLOAT64), wide(0.5)).value)
    0.5204998778130465
    """
    found = ops.rising(_erf, x)
    return found._replace(error=found.error + 3 * (_ERF_TERMS + 40) * _OWN_UNIT * abs(found.value))


def _erf(x: Any) -> Any:
    """The error function as 2/√π·exp(−x²)·Σ 2ᵏx²ᵏ⁺¹/(1·3·…·(2k + 1)), in which nothing cancels.

    The terms are those of a Poisson law of mean x², whose tail past 40 + 3x² is nothing here.
    """
    near = np.clip(x, -_ERF_IS_ONE, _ERF_IS_ONE)
    term = total = near
    last = _ERF_TERMS * float(np.max(near * near, initial=0)) / _ERF_IS_ONE**2
    for k in range(1, 40 + int(last)):
        term = term * (2 * near * near / (2 * k + 1))
        total = total + term
    return 2 / np.sqrt(4 * np.arctan(_REAL(1))) * np.exp(-near * near) * total
