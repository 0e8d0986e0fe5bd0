"""Numbers as points have them: exact fractions, and 50 digits where a root or a limit came in."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from typing import Any

import mpmath
from mpmath import mp

DIGITS = 50
# what is closer to zero than this may be zero, so that no sign and no quotient is taken of it
DOUBTFUL = mpmath.mpf(10) ** -32

Number = Any  # Fraction, or mpf and mpc of mpmath


class Undefined(Exception):
    """There is no value at this point, or none that can be told from rounding."""


class Unknown(Exception):
    """Of some part it is not known how to compute it; the text names it."""


def floating(value: Number) -> Number:
    """The number at the digits that mpmath works with."""
    return mp.mpf(value.numerator) / value.denominator if isinstance(value, Fraction) else value


def finite(value: Number) -> Number:
    """A real number as such; one without an imaginary part that is no rounding has none."""
    if isinstance(value, mpmath.mpc) and abs(value.imag) <= DOUBTFUL * abs(value.real):
        value = value.real
    if not mpmath.isfinite(value):
        raise Undefined
    return value


def together(one: Number, other: Number) -> tuple[Number, Number]:
    """Two numbers of one kind: fractions if both are."""
    if isinstance(one, Fraction) != isinstance(other, Fraction):
        return floating(one), floating(other)
    return one, other


def plus(one: Number, other: Number) -> Number:
    """The sum, exact if both are."""
    left, right = together(one, other)
    found = left + right
    return finite(found) if isinstance(found, mpmath.mpc) else found


def times(one: Number, other: Number) -> Number:
    """The product, exact if both are."""
    left, right = together(one, other)
    found = left * right
    return finite(found) if isinstance(found, mpmath.mpc) else found


def power(base: Number, exponent: Number) -> Number:
    """The principal value of a power, exact where it is rational; 0⁰ is 1."""
    if isinstance(exponent, Fraction) and isinstance(base, Fraction):
        if base == 0:
            if exponent < 0:
                raise Undefined
            return Fraction(exponent == 0)
        if exponent.denominator == 1 and abs(exponent) < 4000:
            return base ** int(exponent)
        if exponent.denominator == 2 and base > 0:
            roots = isqrt(base.numerator), isqrt(base.denominator)
            if roots[0] ** 2 == base.numerator and roots[1] ** 2 == base.denominator:
                return Fraction(*roots) ** int(exponent * 2)
    left, right = floating(base), floating(exponent)
    if isinstance(exponent, Fraction) and exponent.denominator == 1 and exponent > 0:
        return finite(left ** int(exponent))
    if abs(left) < DOUBTFUL:
        if left == 0 and mpmath.im(right) == 0 and right > 0:
            return Fraction(0)
        raise Undefined
    return finite(mpmath.power(left, right))


def real(value: Number) -> Number:
    """The value if it is a real number."""
    if isinstance(value, mpmath.mpc):
        raise Undefined
    return value


def sense(value: Number) -> int:
    """The sign of a real number, where it is beyond rounding."""
    known = real(value)
    if isinstance(known, Fraction):
        return (known > 0) - (known < 0)
    if abs(known) < DOUBTFUL:
        raise Undefined
    return 1 if known > 0 else -1


def whole(value: Number) -> int:
    """The whole number, where it is one."""
    if not isinstance(value, Fraction) or value.denominator != 1:
        raise Undefined
    return int(value)
