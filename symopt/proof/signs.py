"""Signs and absolute values of polynomials, by their factors."""

from __future__ import annotations

from fractions import Fraction

from symopt.proof.letters import absolute_letter, base_letter, parts, sense_letter
from symopt.proof.polynomial import ONE, Polynomial, constant, minus, product, scaled, single, times
from symopt.proof.work import Split, Work


def sense(poly: Polynomial, work: Work) -> int | Polynomial:
    """The sign of a real polynomial: a number, or a product of letters inside of sums.

    Raises
    ------
    Split
        Where it is open and no index of a sum is in it.
    """
    known = work.facts.signs(poly)
    if known is not None and len(known) == 1:
        return next(iter(known))
    number, factors = parts(poly) if not poly.zero else (Fraction(0), [])
    if not number:
        return 0
    total: Polynomial = constant(1 if number > 0 else -1)
    for one, e in factors:
        own = work.facts.signs(one)
        if own == {1}:
            continue
        if own is not None and len(own) == 1 and e.denominator == 1:
            total = scaled(total, next(iter(own)) ** int(e % 2 or 2))
            continue
        if work.here(one):
            raise Split(one)
        total = times(total, single(sense_letter(one), e % 2 or 2))
    value = total.number
    return total if value is None else int(value)


def as_polynomial(found: int | Polynomial) -> Polynomial:
    """A number or a polynomial as a polynomial."""
    return constant(found) if isinstance(found, int) else found


def absolute(poly: Polynomial, work: Work) -> Polynomial | None:
    """|p| for a real p, by factors; nothing where p may be no real number."""
    if poly.zero:
        return poly
    if work.facts.signs(poly) is None:
        return None
    number, factors = parts(poly)
    total = constant(abs(number))
    for one, e in factors:
        signs = work.facts.signs(one)
        if signs is None:
            return None
        if -1 not in signs or (e.denominator == 1 and e % 2 == 0):
            total = times(total, _power(one, e))
        elif 1 not in signs:
            total = times(total, scaled(_power(one, e), -1))
        elif work.here(one):
            raise Split(one)
        else:
            total = times(total, single(absolute_letter(one)[0], e))
    return total


def _power(one: Polynomial, e: Fraction) -> Polynomial:
    if len(one.terms) == 1:
        ((monomial, _),) = one.terms.items()
        return product((letter, k * e) for letter, k in monomial)
    return single(base_letter(one), e)


def negated(poly: Polynomial) -> Polynomial:
    """1 − p."""
    return minus(ONE, poly)
