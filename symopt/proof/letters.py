"""Letters made of polynomials: bases of roots and quotients, powers, absolute values, signs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

from sympy import Abs, Integer, Pow, sign

from symopt.proof.polynomial import (
    ABSOLUTE,
    BASE,
    POWER,
    PRIME,
    SENSE,
    Letter,
    Monomial,
    Polynomial,
    leading,
    product,
    scaled,
    single,
    times,
)


@dataclass(frozen=True)
class Signed:
    """What an absolute value or a sign is of: a polynomial, its letter, and |that letter|."""

    poly: Polynomial
    own: Letter
    absolute: Letter | None = None


def base_letter(poly: Polynomial) -> Letter:
    """A polynomial of several terms as a letter, for powers that are not multiplied out."""
    return Letter(BASE, f"({poly.text})", poly.expr, poly)


def prime_letter(prime: int) -> Letter:
    """A prime number, for its roots."""
    return Letter(PRIME, str(prime), Integer(prime), prime)


def minus_one(power: Fraction) -> Polynomial:
    """A power of −1; I is the one half."""
    return single(prime_letter(-1), power)


def power_letter(base: Polynomial, exponent: Polynomial) -> Letter:
    """A power with a symbolic exponent."""
    rank = f"({base.text})^({exponent.text})"
    return Letter(POWER, rank, Pow(base.expr, exponent.expr), (base, exponent))


def content(poly: Polynomial, signed: bool) -> tuple[Fraction, Monomial, Polynomial]:
    """A number, a product of letters and what is left, of which it is the product.

    What is left has whole coprime numbers and no common letter; with ``signed`` its leading
    number is positive.
    """
    values = poly.terms.values()
    number = Fraction(
        gcd(*(one.numerator for one in values)), lcm(*(one.denominator for one in values))
    )
    if signed and poly.terms[leading(poly)] < 0:
        number = -number
    least: dict[Letter, Fraction] = {}
    for letter in poly.letters():
        least[letter] = min(dict(key).get(letter, Fraction(0)) for key in poly.terms)
    common = tuple((letter, e) for letter, e in least.items() if e)
    rest = times(poly, product((letter, -e) for letter, e in common))
    if len(rest.terms) != len(poly.terms):  # what was taken out let some of the rest be put in
        number_, more, rest = content(rest, signed)
        return number_, (*common, *more), rest
    return number, common, scaled(rest, 1 / number)


def absolute_letter(poly: Polynomial) -> tuple[Letter, Letter]:
    """|p| as a letter, and the letter of p."""
    own = _own(poly)
    made = Letter(ABSOLUTE, f"|{own.rank}|", Abs(own.expr), Signed(poly, own))
    return made, own


def sense_letter(poly: Polynomial) -> Letter:
    """The sign of p as a letter."""
    absolute, own = absolute_letter(poly)
    return Letter(SENSE, f"sign({own.rank})", sign(own.expr), Signed(poly, own, absolute))


def _own(poly: Polynomial) -> Letter:
    if len(poly.terms) == 1:
        ((monomial, value),) = poly.terms.items()
        if value == 1 and len(monomial) == 1 and monomial[0][1] == 1:
            return monomial[0][0]
    return base_letter(poly)


def parts(poly: Polynomial) -> tuple[Fraction, list[tuple[Polynomial, Fraction]]]:
    """A number and factors with their powers: letters, and what is left of a sum."""
    number, monomial, rest = content(poly, signed=True)
    found = [(single(letter), e) for letter, e in monomial]
    value = rest.number
    if value is not None:
        return number * value, found
    return number, [*found, (rest, Fraction(1))]
