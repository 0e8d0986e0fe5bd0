"""Sums without an end ⇒ what their first n terms come to: r^n is gone where |r| < 1."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from sympy import Sum, Symbol, oo

from symopt.proof.polynomial import (
    POWER,
    SYMBOL,
    Letter,
    Monomial,
    Polynomial,
    TooHard,
    constant,
    minus,
    plus,
    product,
)
from symopt.proof.sums import total
from symopt.proof.work import Work, depends


def total_or_limit(expr: Sum, work: Work) -> Polynomial:
    """The normal form of a sum, also of one without an end where it is found as a limit."""
    if not any(limit[2] is oo for limit in expr.limits if len(limit) == 3):
        return total(expr, work)
    if len(expr.limits) > 1:
        raise TooHard("several sums without an end")
    ((index, low, _),) = expr.limits
    last = Symbol(f"n#{next(work.names)}", integer=True, positive=True)
    inner = replace(work, steps=[])  # no line is about a number of terms that nobody asked for
    partial = total(Sum(expr.args[0], (index, low, low + last - 1)), inner)
    found = constant(0)
    for monomial, value in partial.terms.items():
        if not depends_on(monomial, last):
            found = plus(found, Polynomial({monomial: value}))
        elif not _vanishes(monomial, last, work):
            raise TooHard("a sum without an end, whose limit is not known")
    return work.note("limit of the first n terms", expr, found)


def _vanishes(monomial: Monomial, last: Symbol, work: Work) -> bool:
    """Whether n^a·r^n·… tends to 0: a power of what is below 1 in size, and no other growth."""
    falling = False
    for letter, e in monomial:
        if not depends(letter, frozenset((last,))):
            continue
        if letter.kind == SYMBOL and letter.expr == last:
            continue
        if not _falls(letter, last, e, work):
            return False
        falling = True
    return falling


def _falls(letter: Letter, last: Symbol, e: Fraction, work: Work) -> bool:
    """Whether b^(e·n·M) tends to 0, M a product of what is positive."""
    if letter.kind != POWER or (e.denominator != 1 and work.facts.signs(letter.of[0]) != {1}):
        return False
    base, exponent = letter.of
    ((monomial, _),) = exponent.terms.items()
    others = tuple(pair for pair in monomial if pair[0].expr != last)
    if {one.expr: k for one, k in monomial}.get(last) != 1:
        return False
    if work.facts.signs(product(others)) != {1} or depends_on(others, last):
        return False
    one = constant(1)
    if e < 0:
        return work.facts.signs(minus(base, one)) == {1}
    least = base if others else plus(one, base)
    return all(work.facts.signs(gap) == {1} for gap in (minus(one, base), least))


def depends_on(several: Monomial, last: Symbol) -> bool:
    """Whether a product holds a letter in any of its letters."""
    return any(depends(letter, frozenset((last,))) for letter, _ in several)
