"""Roots within roots: √(3 + 2·√2) is 1 + √2, and √(p + 2·√(p·q) + q) is √p + √q."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

from sympy import Pow, sqrt, sqrtdenest

from symopt.proof.polynomial import (
    Monomial,
    Polynomial,
    minus,
    plus,
    product,
    rational,
    times,
)
from symopt.proof.signs import absolute
from symopt.proof.work import Work

# sums with more terms are not looked into
_MOST = 4


def denested(base: Polynomial, work: Work) -> Polynomial | None:
    """√p without a root in it, where p is a square of roots; nothing if none is found."""
    fractional = any(e.denominator > 1 for key in base.terms for _, e in key)
    if not fractional or not 2 <= len(base.terms) <= _MOST:
        return None
    found = _of_number(base, work) if base.expr.is_number else _of_two_roots(base, work)
    if found is None or times(found, found) != base:
        return None
    return absolute(found, work)


def _of_number(base: Polynomial, work: Work) -> Polynomial | None:
    found = sqrtdenest(sqrt(base.expr))
    plain = all(power.base.is_Rational and power.base > 0 for power in found.atoms(Pow))
    return work.normal(found) if plain else None


def _of_two_roots(base: Polynomial, work: Work) -> Polynomial | None:
    """√p ± √q where a third term is ±2·√(p·q)."""
    if len(base.terms) != 3:
        return None
    for first, second, _ in permutations(base.terms, 3):
        one, other = (_root(key, base.terms[key], work) for key in (first, second))
        if one is None or other is None:
            return None
        for found in (plus(one, other), minus(one, other)):
            if times(found, found) == base:
                return found
    return None


def _root(monomial: Monomial, value: Fraction, work: Work) -> Polynomial | None:
    """The root of one term, all letters of which are at least 0."""
    signs = [work.facts.of_letter(letter) for letter, _ in monomial]
    if value <= 0 or any(one is None or -1 in one for one in signs):
        return None
    number = work.normal(sqrt(rational(value)))
    return times(number, product((letter, e / 2) for letter, e in monomial))
