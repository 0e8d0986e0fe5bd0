"""Sums, products, quotients and roots with a bound of what rounding may do to them.

The bound, in units u of the kernel's format (half an ulp of 1), where |x| with its error e stands
for any number a kernel may hold in the place of x:

* a sum of n terms is carried out in some order in n - 1 additions; no partial sum exceeds the sum
  of the terms' magnitudes S, so it is off by at most the terms' own errors and (n - 1)·u·S. Twice
  that is granted, for a kernel that distributes a factor over the terms;
* a product of n factors is off by Π(|x| + e) - Π|x| and (n - 1)·u·Π(|x| + e), again granted twice:
  a division may be carried out as a reciprocal and a product. Each product may fall below the
  normal numbers, which costs at most the smallest number, times what follows;
* 1/x is off by e/(|x|(|x| - e)), and unbounded where the error reaches x;
* √x by max |√(x ± e) - √x|, and by two roundings;
* a sum of numbers of the format is never subnormal and inexact, and 0·x, x + 0 and ±1·x are exact;
* a scalar (no array in it) is evaluated in double precision as it is written and rounded once to
  the kernel's format; where every partial result is a double it is exact.

A kernel may carry out b·v + (1 - b)·x as v + (1 - b)·(x - v): x - v is off by u(|x| + |v|), the
product with the rounded weight by two more roundings of it, the sum by one of the result. So an
equation that multiplies its own past is granted 3u(|v| + S) besides, and its magnitude is at
least |v|, a term of that form.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symopt.verification.quantity import (
    FLOAT64,
    HIGH,
    SCALAR_ZERO,
    UNBOUNDED,
    UNDEFINED,
    ZERO,
    Format,
    Quantity,
    unknown,
)

# an error this close to the denominator leaves nothing of a quotient
_NEARLY_ALL = 0.999


@dataclass(frozen=True)
class Arithmetic:
    """The operations of kernels whose arrays have the format ``data``."""

    data: Format

    def format(self, scalar: bool) -> Format:
        """Double precision for scalars, the arrays' format otherwise."""
        return FLOAT64 if scalar else self.data

    def lifted(self, x: Quantity) -> Quantity:
        """A scalar as an operand beside arrays: rounded once to their format."""
        if not x.scalar or not x.bounded:
            return x._replace(scalar=False)
        extent = x.extent
        if x.error == 0 and self.data.holds(x.value):
            return Quantity(x.value, extent, 0.0)
        error = x.error + self.data.unit * (extent + x.error) + self.data.tiny
        return self.settled(x.value, extent, error, False)

    def aligned(self, operands: Sequence[Quantity]) -> tuple[bool, Sequence[Quantity]]:
        """Whether all operands are scalars, and else the operands with none left."""
        scalars = sum(x.scalar for x in operands)
        if scalars == len(operands):
            return True, operands
        return False, [self.lifted(x) for x in operands] if scalars else operands

    def settled(self, value: Any, size: float, error: float, scalar: bool) -> Quantity:
        """A result, or nothing known of it where it may exceed the largest finite number."""
        if size + error <= self.format(scalar).largest:
            return Quantity(value, size, error, scalar)
        return UNBOUNDED

    def add(self, terms: Sequence[Quantity], roundings: int = 2) -> Quantity:
        """The sum, each addition granted so many roundings of the terms' magnitudes."""
        scalar, terms = self.aligned(terms)
        error = sum(x.error for x in terms)
        if not error < math.inf:
            return unknown(error)
        terms = [x for x in terms if x.value or x.error]
        if len(terms) < 2:
            return terms[0] if terms else SCALAR_ZERO if scalar else ZERO
        value = sum((x.value for x in terms), HIGH.zero)
        size = sum(x.size for x in terms)
        if scalar and error == 0 and _sums_exactly(terms):
            return Quantity(value, size, 0.0, True)
        reach = size
        if scalar:
            # one addition of doubles is off by a rounding of its result, not of its operands
            reach = float(abs(value)) if len(terms) == 2 else sum(x.extent for x in terms)
        rounded = roundings * (len(terms) - 1) * self.format(scalar).unit * (reach + error)
        return self.settled(value, size, error + rounded, scalar)

    def multiply(self, factors: Sequence[Quantity]) -> Quantity:
        """The product, in any order of its factors."""
        scalar, factors = self.aligned(factors)
        unsure = sum(x.error for x in factors)
        if not unsure < math.inf:
            return unknown(unsure)
        if any(x.exactly_zero for x in factors):
            return SCALAR_ZERO if scalar else ZERO
        value, size, extent, error, reach, count = HIGH.one, 1.0, 1.0, 0.0, 1.0, -1
        for x in factors:
            value = value * x.value
            own = x.extent
            error = error * (own + x.error) + extent * x.error
            extent *= own
            size *= x.size
            reach *= max(1.0, own + x.error)
            count += x.error != 0 or abs(x.value) != 1
        form = self.format(scalar)
        if not reach <= form.largest:
            return UNBOUNDED
        if count > 0 and not (scalar and unsure == 0 and _multiplies_exactly(factors)):
            error += 2 * count * form.unit * (extent + error) + count * form.tiny * reach
        return self.settled(value, size, error, scalar)

    def reciprocal(self, x: Quantity) -> Quantity:
        """1/x; not defined at an exact zero."""
        if not x.bounded:
            return UNBOUNDED  # one over an infinity is finite
        if x.exactly_zero:
            return UNDEFINED
        form = self.format(x.scalar)
        extent = float(abs(x.value))
        if x.error >= _NEARLY_ALL * extent or extent * form.largest < 1:
            return UNBOUNDED
        value = 1 / x.value
        error = x.error / extent / (extent - x.error)
        if not (x.error == 0 and form.holds(value)):
            error += 2 * form.unit * (1 / extent + error) + form.tiny
        # what cancelled in x is lost from 1/x too, so its magnitude goes along
        return self.settled(value, x.size / extent / extent, error, x.scalar)

    def chain(self, items: Sequence[tuple[Quantity, bool]]) -> Quantity:
        """A product whose marked factors divide: exact where each partial result is."""
        if all(x.scalar and x.error == 0 for x, _ in items):
            value, holds = HIGH.one, True
            for x, divides in items:
                if not holds or (divides and not x.value):
                    break
                value = value / x.value if divides else value * x.value
                holds = FLOAT64.holds(value)
            else:
                if holds:
                    return Quantity(value, float(abs(value)), 0.0, True)
        return self.multiply([self.reciprocal(x) if divides else x for x, divides in items])

    def root(self, x: Quantity) -> Quantity:
        """The square root; not defined below zero."""
        if not x.bounded:
            return unknown(x.error)
        if x.value < 0:
            return UNDEFINED if -x.value > x.error else UNBOUNDED
        form, value = self.format(x.scalar), HIGH.sqrt(x.value)
        extent, root = float(x.value), float(value)
        if x.error == 0 and (not x.value or (x.scalar and form.holds(value))):
            return Quantity(value, root, 0.0, x.scalar)
        if extent > x.error:
            error = x.error / (root + math.sqrt(extent - x.error))
        elif x.extent <= extent * (1 + 1e-9):
            error = math.sqrt(extent + x.error)  # no term is negative, so no kernel goes below 0
        else:
            return UNBOUNDED
        size = x.size / root if root else math.sqrt(x.size)
        return self.settled(value, size, error + 2 * form.unit * (root + error), x.scalar)

    def undecided(self, left: Quantity, right: Quantity) -> int | None:  # noqa: ARG002  # by default, whichever the two are
        """How two numbers compare between which rounding decides."""
        return None

    def averaged(self, result: Quantity, past: Sequence[Quantity]) -> Quantity:
        """The value of an equation that multiplies its own past, in either form."""
        if not result.bounded:
            return result
        sizes = sum(x.extent for x in past)
        if not sizes < math.inf:
            return UNBOUNDED
        allowed = 3 * self.format(result.scalar).unit * (sizes + result.extent)
        size = max(result.size, sizes)
        return self.settled(result.value, size, result.error + allowed, result.scalar)


def as_geometric_sum(response: Quantity, kept: Quantity) -> Quantity:
    """The response C to a constant, which a kernel may take from what is kept, P.

    The closed form C/(1 − P)·(1 − P) loses what cancels in 1 − P: its error is C/(1 − P) times that
    of P and a rounding of either term.
    """
    gap = float(abs(1 - kept.value))
    if not gap or not response.bounded:
        return response
    size, unit = float(abs(response.value)), FLOAT64.unit
    lost = size / gap * (kept.error + 2 * unit * (1 + float(abs(kept.value))))
    return response._replace(error=response.error + lost + 4 * unit * size)


def as_slope_of_geometric_sum(
    ops: Arithmetic, slope: Quantity, kept_slope: Quantity, response: Quantity, kept: Quantity
) -> Quantity:
    """The slope of such a response, which a kernel may take as dK·(1 − P) − K·dP, C being K(1 − P).

    Both terms may be multiplied by numbers of the arrays before they are subtracted.
    """
    gap = 1 - kept.value
    if not gap or not (slope.bounded and kept_slope.bounded and response.bounded):
        return slope
    through = response.value / gap * kept_slope.value
    terms = float(abs(slope.value + through) + abs(through))
    found = ops.lifted(slope)
    lost = 4 * ops.data.unit * terms
    return found._replace(size=max(found.size, terms), error=found.error + lost)


def _sums_exactly(terms: Sequence[Quantity]) -> bool:
    total = HIGH.zero
    for x in terms:
        total = total + x.value
        if not FLOAT64.holds(total):
            return False
    return True


def _multiplies_exactly(factors: Sequence[Quantity]) -> bool:
    total = HIGH.one
    for x in factors:
        total = total * x.value
        if not FLOAT64.holds(total):
            return False
    return True
