"""Linear relations that cannot hold together, found by taking out one unknown after the other."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symopt.proof.polynomial import Monomial, Polynomial, plus, scaled

_MOST = 160

# 0 < poly, or 0 ≤ poly where the second part is false
_Inequality = tuple[Polynomial, bool]


def impossible(relations: Sequence[tuple[Polynomial, frozenset[int]]]) -> bool:
    """Whether polynomials cannot have all of these signs, their monomials taken as unknowns.

    A ``False`` says nothing: products of relations are not tried.
    """
    if any(not signs for _, signs in relations):
        return True
    rows = [row for poly, signs in relations for row in _rows(poly, signs)]
    while True:
        rows = list(dict.fromkeys(rows))
        if any(_fails(one) for one in rows):
            return True
        unknowns = {monomial for poly, _ in rows for monomial in poly.terms if monomial}
        if not unknowns or len(rows) > _MOST:
            return False
        rows = _without(min(unknowns, key=lambda one: _cost(one, rows)), rows)


def _rows(poly: Polynomial, signs: frozenset[int]) -> list[_Inequality]:
    found = []
    if -1 not in signs:
        found.append((poly, 0 not in signs))
    if 1 not in signs:
        found.append((scaled(poly, -1), 0 not in signs))
    return found


def _fails(row: _Inequality) -> bool:
    value = row[0].number
    return value is not None and (value < 0 or (value == 0 and row[1]))


def _cost(unknown: Monomial, rows: Sequence[_Inequality]) -> tuple[int, str]:
    signs = [poly.terms[unknown] > 0 for poly, _ in rows if unknown in poly.terms]
    return signs.count(True) * signs.count(False), str(unknown)


def _without(unknown: Monomial, rows: Sequence[_Inequality]) -> list[_Inequality]:
    kept = [row for row in rows if unknown not in row[0].terms]
    above = [row for row in rows if row[0].terms.get(unknown, Fraction(0)) > 0]
    below = [row for row in rows if row[0].terms.get(unknown, Fraction(0)) < 0]
    for more, strict in above:
        for less, also in below:
            both = plus(scaled(more, -less.terms[unknown]), scaled(less, more.terms[unknown]))
            kept.append((both, strict or also))
    return kept
