"""⌊n + x⌋ ⇒ n + ⌊x⌋ for whole n: what is known to be a whole number stands before the brackets."""

from __future__ import annotations

from math import floor as whole_part

from sympy import ceiling, floor

from symopt.proof.polynomial import (
    ONE,
    OTHER,
    Letter,
    Monomial,
    Polynomial,
    TooHard,
    constant,
    minus,
    plus,
    scaled,
    single,
)
from symopt.proof.work import Work


def floor_of(expr: floor, work: Work) -> Polynomial:
    """The largest whole number that is not above a real one."""
    return work.note("whole numbers apart", expr, _floor(work.normal(expr.args[0]), work))


def ceiling_of(expr: ceiling, work: Work) -> Polynomial:
    """The smallest whole number that is not below a real one: ⌈x⌉ = −⌊−x⌋."""
    below = _floor(scaled(work.normal(expr.args[0]), -1), work)
    return work.note("whole numbers apart", expr, scaled(below, -1))


def _floor(of: Polynomial, work: Work) -> Polynomial:
    if work.facts.signs(of) is None:
        raise TooHard(f"the whole part of {of.expr}, which may be no real number")
    whole, rest = constant(0), constant(0)
    for monomial, value in of.terms.items():
        term = Polynomial({monomial: value})
        if not monomial:
            whole = plus(whole, constant(whole_part(value)))
            rest = plus(rest, constant(value - whole_part(value)))
        elif value.denominator == 1 and _is_whole(monomial):
            whole = plus(whole, term)
        else:
            rest = plus(rest, term)
    if rest.number is not None:  # at least 0, and below 1
        return whole
    never_less = -1 not in (work.facts.signs(rest) or {-1})
    if never_less and work.facts.signs(minus(ONE, rest)) == {1}:
        return whole
    node = floor(rest.expr, evaluate=False)
    return plus(whole, single(Letter(OTHER, str(node), node)))


def _is_whole(monomial: Monomial) -> bool:
    return all(letter.expr.is_integer and e.denominator == 1 and e > 0 for letter, e in monomial)
