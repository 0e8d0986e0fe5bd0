"""A number with what a kernel may get wrong in it: its value, its magnitude, a bound of its error.

Values are kept at 50 digits. Magnitudes and bounds are doubles: each operation on them rounds by
one part in 10^16, for which the judge widens every bound by 2^-40 before it compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan
from typing import Any, NamedTuple

from mpmath.ctx_mp import MPContext

HIGH = MPContext()  # a context of our own: nobody else's precision changes
HIGH.dps = 50

WIDENING = 1 + 2.0**-40


@dataclass(frozen=True)
class Format:
    """A binary floating-point format: its unit roundoff u, its smallest and largest numbers."""

    name: str
    digits: int
    lowest: int
    highest: int

    @property
    def unit(self) -> float:
        """The largest relative error of one rounding, half the distance from 1 to its successor."""
        return float(2.0**-self.digits)

    @property
    def tiny(self) -> float:
        """The smallest positive number, a subnormal one."""
        return float(2.0**self.lowest)

    @property
    def largest(self) -> float:
        """The largest finite number."""
        return float((2 - 2.0 ** (1 - self.digits)) * 2.0 ** (self.highest - 1))

    def holds(self, value: Any) -> bool:
        """Whether the format has exactly this number.

        >>> FLOAT32.holds(HIGH.mpf(0.5)), FLOAT32.holds(HIGH.mpf(0.1))
        (True, False)
        """
        _, mantissa, exponent, bits = value._mpf_
        if not mantissa:
            return not exponent  # infinities and nan have a mantissa of 0, and an exponent
        return bits <= self.digits and exponent >= self.lowest and bits + exponent <= self.highest


FLOAT32 = Format("float32", 24, -149, 128)
FLOAT64 = Format("float64", 53, -1074, 1024)
FORMATS = {one.name: one for one in (FLOAT32, FLOAT64)}


class Quantity(NamedTuple):
    """An exact ``value``, its ``size`` with all signs positive, and how far a kernel may be off.

    A ``scalar`` depends on no array and is computed in double precision. The error is infinite
    where no bound holds, and not a number where the value does not exist (0/0). What is ``drawn``
    is lost besides in a sum or a product, which a kernel may draw into this one.
    """

    value: Any
    size: float
    error: float
    scalar: bool = False
    drawn: float = 0.0

    @property
    def bounded(self) -> bool:
        """Whether the value exists and the kernel's distance from it has a bound."""
        return self.error < inf

    @property
    def extent(self) -> float:
        """The size that bounds are relative to; scalars are evaluated as they are written."""
        return float(abs(self.value)) if self.scalar else self.size

    @property
    def infinite(self) -> bool:
        """Whether this is an infinity for certain, which only plain numbers are told to be."""
        return bool(HIGH.isinf(self.value))

    @property
    def exactly_zero(self) -> bool:
        """Whether any kernel has zero here."""
        return not self.value and self.error == 0


ZERO = Quantity(HIGH.zero, 0.0, 0.0)
SCALAR_ZERO = Quantity(HIGH.zero, 0.0, 0.0, True)
UNBOUNDED = Quantity(HIGH.zero, inf, inf)
UNDEFINED = Quantity(HIGH.zero, inf, nan)


def unknown(error: float) -> Quantity:
    """What a sum or a product with such an operand is: non-finite for certain, or anything."""
    return UNDEFINED if error != error else UNBOUNDED


def exact(number: float) -> Quantity:
    """A number of the kernel's own array; an infinite one tells nothing."""
    value = HIGH.mpf(number)
    return Quantity(value, abs(number), 0.0) if abs(number) < inf else UNBOUNDED


def scalar(value: Any) -> Quantity:
    """A hyperparameter or a constant, rounded to double precision where that has to be.

    An infinity is exact; an array cannot be told to hold it, so among arrays nothing is known.
    """
    found = HIGH.mpf(value)
    size = float(abs(found))
    exact = FLOAT64.holds(found) or HIGH.isinf(found)
    return Quantity(found, size, 0.0 if exact else FLOAT64.unit * size, True)
