"""The arithmetic of layers, in which a difference is taken where it is written.

A layer centres its input before it squares it, and the bound must tell this from a kernel that
squares first: Σ(x − μ)²/m is off by roundings of (x − μ)², Σx²/m − μ² by roundings of μ². So what
cancels in a sum does not widen the bound of what is made of the result. In units u of the format:

* a sum of n terms, of which no partial sum exceeds the sum S of the terms as they are, is granted
  3(n − 1)·u·S. Its n − 1 additions are off by (n − 1)·u·S, and a factor drawn into it by a
  reciprocal and a product of each term, by 2u·S, which is no more than twice that;
* of two numbers of the kernel's own arrays the sum is rounded once, whatever they are. What more
  is granted is for sums and products that it stands in: exp(z − M) is exp of one rounding of z − M,
  however large z and M are, and a·(z − M) may be a·z − a·M;
* a root whose argument may be zero or below has no bound, as nothing says that no term of the
  argument is negative.

Errors are told in ulps of a ``size``: the value, and how much it moves for each ulp by which what
cancelled in it may move. For a sum these are the terms' magnitudes, for (x − μ)² with x near μ they
are 2(x − μ)(|x| + |μ|), where all signs positive would give (|x| + |μ|)².
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from symopt.verification.arithmetic import Arithmetic
from symopt.verification.quantity import UNBOUNDED, Quantity


def settled(x: Quantity) -> Quantity:
    """A number whose magnitude is that of its value, as whoever reads it finds it."""
    return x._replace(size=float(abs(x.value))) if x.bounded else x


def _operand(x: Quantity) -> Quantity:
    """A number as a term or a factor, with what may be lost by drawing that into it."""
    return settled(x._replace(error=x.error + x.drawn, drawn=0.0))


@dataclass(frozen=True)
class AsWritten(Arithmetic):
    """The operations of kernels that draw factors into sums, but take each difference first.

    Quotients of arrays by what is exactly zero are kept in ``by_zero``.
    """

    by_zero: list[Quantity] = field(default_factory=list, compare=False)

    def add(self, terms: Sequence[Quantity], roundings: int = 3) -> Quantity:
        """The sum, each addition granted so many roundings of the terms as they are."""
        found = super().add([_operand(x) for x in terms], roundings)
        if len(terms) == 2 and found.bounded and not any(x.error or x.drawn for x in terms):
            error = 0.0 if self.data.holds(found.value) else self.data.unit * abs(found.value)
            lost = max(0.0, found.error - float(error))
            found = found._replace(error=found.error - lost, drawn=lost)
        return self._sized(found, math.fsum(x.size for x in terms))

    def multiply(self, factors: Sequence[Quantity]) -> Quantity:
        """The product, in any order of its factors."""
        found = super().multiply([_operand(x) for x in factors])
        value, beyond = 1.0, 0.0
        for x in factors:
            own = float(abs(x.value))
            beyond = beyond * (own + self._ulp * (x.size - own)) + value * (x.size - own)
            value *= own
        return self._sized(found, value + beyond)

    def reciprocal(self, x: Quantity) -> Quantity:
        """1/x; not defined at an exact zero."""
        if x.exactly_zero and not x.scalar:
            self.by_zero.append(x)
        found, own = super().reciprocal(settled(x)), float(abs(x.value))
        return self._sized(found, x.size / own / own) if found.bounded else found

    def root(self, x: Quantity) -> Quantity:
        """The square root; not defined below zero, and without a bound where it may be."""
        if x.bounded and not x.exactly_zero and x.error >= abs(x.value):
            return UNBOUNDED
        found = super().root(settled(x))
        if not found.bounded or not x.value:
            return found
        value, root = float(x.value), float(found.value)
        beyond = x.size - value
        return self._sized(found, root + beyond / (root + math.sqrt(value + self._ulp * beyond)))

    def averaged(self, result: Quantity, past: Sequence[Quantity]) -> Quantity:
        """The value of an equation that multiplies its own past, in either form."""
        return super().averaged(result, [settled(x) for x in past])

    @property
    def _ulp(self) -> float:
        return 2 * self.data.unit

    def _sized(self, found: Quantity, size: float) -> Quantity:
        """The same number with a size, where that is in range."""
        return found._replace(size=size) if found.bounded and size < math.inf else found
