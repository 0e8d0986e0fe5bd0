"""The numbers in our own exp, log, tanh and erf: polynomials, and how an argument is reduced.

A library's functions are called for one element at a time; these hold no branch and no call, so
that a compiler computes several at once. How they compute stands in the templates of their names;
every number in them is computed here. Numbers are given as text that a program can hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from symopt.program.chebyshev import EXACT, interpolant


@dataclass(frozen=True)
class Real:
    """A dtype: the digits of its numbers, the bits of their exponents, and how to round to it.

    ``degrees`` are those of the polynomials, by function: the lowest with which the polynomial's
    own error is small beside one rounding of the result.
    """

    name: str
    whole: str
    digits: int
    exponent_bits: int
    degrees: dict[str, int]

    @property
    def bias(self) -> int:
        """What is added to an exponent to store it; also the largest one."""
        return int(2 ** (self.exponent_bits - 1) - 1)

    @property
    def rounder(self) -> Any:
        """1.5·2^(digits - 1): a small number added to it is rounded to a whole one."""
        return EXACT.mpf(1.5) * 2 ** (self.digits - 1)

    def text(self, number: Any) -> str:
        """The shortest text of the nearest number of this dtype."""
        return str(getattr(np, self.name)(float(number)))

    def bits(self, number: Any) -> int:
        """The nearest number of this dtype as its bits are read as a whole one."""
        held = np.array(float(self.text(number)), self.name)
        return int(held.view(self.whole))

    def split(self, number: Any) -> tuple[Any, Any]:
        """A number as the sum of two: a multiple of the first by an exponent has no rounding."""
        mantissa, exponent = EXACT.frexp(number)
        kept = self.digits - self.exponent_bits - 1
        high = EXACT.ldexp(EXACT.floor(EXACT.ldexp(mantissa, kept)), exponent - kept)
        return high, number - high


REALS = {
    one.name: one
    for one in (
        Real("float32", "int32", 24, 8, {"exp": 4, "log": 8, "tanh": 4, "erf": 7, "erfc": 9}),
        Real("float64", "int64", 53, 11, {"exp": 9, "log": 20, "tanh": 11, "erf": 15, "erfc": 26}),
    )
}

# where tanh and erf are no longer computed from their series at 0, but from an exponential
TANH_NEAR, ERF_NEAR = 0.625, 1.0
# how far beyond its last argument an exponential is followed
MARGIN = 0.0625
# by how many powers of two it is lifted where it is no normal number: more than there are digits
LIFT = 64


@cache
def exponential(dtype: str) -> dict[str, Any]:
    """e^x = 2^n·e^r with |r| ≤ ½·log 2, and e^r = 1 + r + r²·q(r)."""
    real, two = REALS[dtype], EXACT.mpf(2)
    high, low = real.split(EXACT.log(2))
    # n is rounded from a product, so r may lie a little beyond its bounds
    reach = EXACT.log(2) / 2 * (1 + two**-20)
    return {
        **_words(real),
        # half the smallest number, and twice the largest power of two; a little beyond either
        "lowest": real.text(EXACT.log(two ** (1 - real.bias - real.digits)) - MARGIN),
        "highest": real.text(EXACT.log(two ** (real.bias + 1)) + MARGIN),
        "shift": real.text(real.rounder + real.bias - 1),
        "normal": real.text((3 - real.bias) * EXACT.log(2)),
        "lift": str(LIFT),
        "lowered": real.text(two**-LIFT),
        "per_log_two": real.text(1 / EXACT.log(2)),
        "log_two_high": real.text(high),
        "log_two_low": real.text(low),
        "q": _polynomial(
            real, lambda r: EXACT.hyp1f1(1, 3, r) / 2, -reach, reach, real.degrees["exp"]
        ),
    }


@cache
def exponential_to_one(dtype: str) -> dict[str, Any]:
    """e^x for x ≤ 0: no power of two above 1 is wanted, so that all may be lifted alike.

    2^(n - 1 + lift) is a normal number for the lowest n; the polynomial is lowered as much, and
    their product rounded once, also where it is no normal number.
    """
    real, two = REALS[dtype], EXACT.mpf(2)
    lift = real.digits + 1
    return {
        **exponential(dtype),
        "shift": real.text(real.rounder + real.bias - 1 + lift),
        "lowered": real.text(two ** (1 - lift)),
    }


@cache
def logarithm(dtype: str) -> dict[str, Any]:
    """log x = n·log 2 + log(1 + r) with 1 + r in [√½, √2), and log(1 + r) = r - r²/2 + r³·q(r)."""
    real, two = REALS[dtype], EXACT.mpf(2)
    high, low = real.split(EXACT.log(2))
    ends = EXACT.sqrt(two) / 2 - 1, EXACT.sqrt(two) - 1
    return {
        **_words(real),
        "normal": real.text(two ** (1 - real.bias)),
        "lift": real.text(two**real.digits),
        "lifted": real.text(-real.digits),
        "first": str(real.bits(EXACT.sqrt(two) / 2)),
        "rounder": real.text(real.rounder),
        "rounder_bits": str(real.bits(real.rounder)),
        "log_two_high": real.text(high),
        "log_two_low": real.text(low),
        "q": _polynomial(real, lambda r: EXACT.hyp2f1(1, 3, 4, -r) / 3, *ends, real.degrees["log"]),
    }


@cache
def hyperbolic(dtype: str) -> dict[str, Any]:
    """tanh x = x + x³·q(x²) near 0, and 1 - 2·e^-2x/(1 + e^-2x) beyond."""
    real = REALS[dtype]

    def q(z: Any) -> Any:
        root = EXACT.sqrt(z)
        return (EXACT.tanh(root) / root - 1) / z

    return {
        **_words(real),
        "near": real.text(TANH_NEAR),
        "q": _polynomial(real, q, 0, EXACT.mpf(TANH_NEAR) ** 2, real.degrees["tanh"]),
    }


@cache
def error_function(dtype: str) -> dict[str, Any]:
    """erf x = x + x·q(x²) near 0, and 1 - e^(-p(x - near)) beyond, until it is 1.

    Powers of the distance from where p begins: there its terms are small, and there e^-p is large.
    """
    real = REALS[dtype]
    end = EXACT.mpf(ERF_NEAR)
    while EXACT.erfc(end) > EXACT.mpf(2) ** (-real.digits - 1):
        end += EXACT.mpf(1) / 64

    def q(z: Any) -> Any:
        root = EXACT.sqrt(z)
        return EXACT.erf(root) / root - 1

    def p(w: Any) -> Any:
        return -EXACT.log(EXACT.erfc(w + ERF_NEAR))

    return {
        **_words(real),
        "near": real.text(ERF_NEAR),
        "end": real.text(end),
        "q": _polynomial(real, q, 0, EXACT.mpf(ERF_NEAR) ** 2, real.degrees["erf"]),
        "p": _polynomial(real, p, 0, end - ERF_NEAR, real.degrees["erfc"]),
    }


def rank(dtype: str) -> dict[str, str]:
    """How the bits of numbers order them: where the sign stands, and the largest whole number."""
    real = REALS[dtype]
    sign = real.digits + real.exponent_bits - 1
    return {**_words(real), "sign": str(sign), "last": str(2**sign - 1)}


def _words(real: Real) -> dict[str, str]:
    return {"real": real.name, "whole": real.whole, "mantissa": str(real.digits - 1)}


def _polynomial(
    real: Real, function: Callable[[Any], Any], low: Any, high: Any, degree: int
) -> list[str]:
    """The coefficients as text, highest power first, as Horner's scheme takes them in."""
    return [real.text(one) for one in reversed(interpolant(function, low, high, degree))]
