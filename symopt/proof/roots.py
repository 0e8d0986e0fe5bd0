"""Roots of polynomials: √(x²) is |x|, and √(a·b) is √a·√b only where signs allow it."""

from __future__ import annotations

from fractions import Fraction

from sympy import Dummy, Expr, Integer, Mul, Pow, factor_list, factorint

from symopt.proof.letters import base_letter, content, minus_one, prime_letter
from symopt.proof.polynomial import (
    ONE,
    POWER,
    SENSE,
    Letter,
    Polynomial,
    constant,
    plus,
    product,
    rational,
    scaled,
    single,
    times,
)
from symopt.proof.signs import absolute
from symopt.proof.work import Work

# sums with more terms than these are not factored
_MOST = 30


def root(base: Polynomial, q: Fraction, work: Work) -> Polynomial:
    """The principal value of a power that is no whole one."""
    number, factors = factors_of(base)
    outside, sign, rest = _positive_root(abs(number), q), 1 if number > 0 else -1, ONE
    for one, e in factors:
        signs = work.facts.signs(one)
        if signs is not None and -1 not in signs:
            outside = times(outside, _of_positive(one, e * q))
        elif signs is None or e.denominator != 1:
            rest = times(rest, _powered(one, e))
        else:
            even = e - e % 2
            if even:
                size = absolute(one, work)
                assert size is not None  # signs are known, so that it is real
                outside = times(outside, _powered_size(size, even * q))
            if e % 2 and 1 not in signs:
                outside, sign = times(outside, _powered(scaled(one, -1), q)), -sign
            elif e % 2:
                rest = times(rest, one)
    if rest == ONE:
        return outside if sign > 0 else times(outside, minus_one(q))
    inner = scaled(rest, sign)
    return times(outside, _powered(inner, q))


def _powered(one: Polynomial, q: Fraction) -> Polynomial:
    """A power of a single letter, or of a sum as a letter."""
    if len(one.terms) == 1:
        ((monomial, value),) = one.terms.items()
        plain = len(monomial) == 1 and monomial[0][0].kind not in (POWER, SENSE)
        if value == 1 and plain and monomial[0][1] == 1:
            return single(monomial[0][0], q)
    # a root of b^t is b^(t/2) for positive b only
    return single(base_letter(one), q)


def _of_positive(one: Polynomial, q: Fraction) -> Polynomial:
    """A power of what is never negative: that of a letter, as exponents add up then."""
    if len(one.terms) == 1:
        ((monomial, _),) = one.terms.items()
        if monomial[0][0].kind != SENSE:
            return product((letter, e * q) for letter, e in monomial)
    return single(base_letter(one), q)


def _powered_size(size: Polynomial, q: Fraction) -> Polynomial:
    """A power of an absolute value, which is a product of positive parts."""
    if len(size.terms) == 1:
        ((monomial, value),) = size.terms.items()
        return times(_positive_root(value, q), product((one, e * q) for one, e in monomial))
    return single(base_letter(size), q)


def _positive_root(value: Fraction, q: Fraction) -> Polynomial:
    found = ONE
    for of, sense in ((value.numerator, 1), (value.denominator, -1)):
        for prime, k in factorint(of).items():
            if prime != 1:
                found = times(found, single(prime_letter(int(prime)), sense * int(k) * q))
    return found


def factors_of(base: Polynomial) -> tuple[Fraction, list[tuple[Polynomial, Fraction]]]:
    """A number and irreducible factors with their powers, of which the base is the product."""
    number, monomial, rest = content(base, signed=False)
    found = [(single(letter), e) for letter, e in monomial]
    if rest.number is not None:
        return number * rest.number, found
    several = _factored(rest)
    if several is None:
        return number, [*found, (rest, Fraction(1))]
    value, factors = several
    return number * value, [*found, *factors]


def _factored(poly: Polynomial) -> tuple[Fraction, list[tuple[Polynomial, Fraction]]] | None:
    plain = all(e.denominator == 1 and e > 0 for key in poly.terms for _, e in key)
    if not plain or len(poly.terms) > _MOST:
        return None
    marks = {letter: Dummy(f"z{k}") for k, letter in enumerate(poly.letters())}
    back = {mark: letter for letter, mark in marks.items()}
    marked: Expr = sum(
        (
            Mul(rational(value), *(Pow(marks[one], int(e)) for one, e in key))
            for key, value in poly.terms.items()
        ),
        Integer(0),
    )
    number, factors = factor_list(marked, *marks.values())
    return Fraction(int(number.p), int(number.q)), [
        (_read(one, back), Fraction(int(k))) for one, k in factors
    ]


def _read(expr: Expr, letters: dict[Dummy, Letter]) -> Polynomial:
    """A polynomial in marks as one in letters."""
    order = list(letters)
    total = constant(0)
    for powers, value in expr.as_poly(*order).terms():
        factors = ((letters[mark], Fraction(int(k))) for mark, k in zip(order, powers, strict=True))
        term = product((one, e) for one, e in factors if e)
        total = plus(total, scaled(term, Fraction(int(value.p), int(value.q))))
    return total
