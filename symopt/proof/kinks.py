"""Absolute values, signs, largest and smallest, and case distinctions ⇒ one case, or indicators."""

from __future__ import annotations

from fractions import Fraction

from sympy import Abs, And, Basic, Eq, Heaviside, Max, Min, Ne, Not, Or, Piecewise, sign
from sympy.core.relational import Relational

from symopt.proof.polynomial import (
    ONE,
    OTHER,
    ZERO,
    Letter,
    Polynomial,
    TooHard,
    constant,
    minus,
    plus,
    scaled,
    single,
    times,
)
from symopt.proof.signs import absolute, as_polynomial, negated, sense
from symopt.proof.work import Vanishes, Work

HALF = Fraction(1, 2)


def absolute_value(expr: Abs, work: Work) -> Polynomial:
    """|u|, by cases where u has a sign that is open."""
    of = work.normal(expr.args[0])
    found = absolute(of, work)
    if found is None:
        inner = Abs(of.expr)
        return single(Letter(OTHER, str(inner), inner))
    return work.note("sign of what is inside", expr, found)


def sign_of(expr: sign, work: Work) -> Polynomial:
    """sign(u), by cases where it is open."""
    of = work.normal(expr.args[0])
    if work.facts.signs(of) is None:
        inner = sign(of.expr)
        return single(Letter(OTHER, str(inner), inner))
    return work.note("sign of what is inside", expr, as_polynomial(sense(of, work)))


def heaviside(expr: Heaviside, work: Work) -> Polynomial:
    """A step at 0, with its own value there."""
    found = sense(work.normal(expr.args[0]), work)
    if isinstance(found, int):
        return work.normal(expr.args[1]) if found == 0 else constant(found > 0)
    square = times(found, found)
    up = scaled(plus(square, found), HALF)
    return plus(up, times(negated(square), work.normal(expr.args[1])))


def extreme(expr: Basic, work: Work) -> Polynomial:
    """max or min of several numbers, one compared with the next."""
    first, *others = (work.normal(one) for one in expr.args)
    largest = isinstance(expr, Max)
    for one in others:
        gap = minus(one, first)
        _real(gap, expr, work)
        known = work.facts.signs(gap) or frozenset()
        if 1 not in known or -1 not in known:
            first = one if (1 in known) == largest and known != {0} else first
            continue
        found = sense(gap, work)
        if isinstance(found, int):
            first = one if (found > 0) == largest else first
            continue
        size = times(found, gap)
        first = scaled(plus(first, one, size if largest else scaled(size, -1)), HALF)
    return work.note("the larger one" if largest else "the smaller one", expr, first)


def _real(gap: Polynomial, expr: Basic, work: Work) -> None:
    if work.facts.signs(gap) is None:
        raise TooHard(f"{expr} compares what may be no real number")


def cases(expr: Piecewise, work: Work) -> Polynomial:
    """The branch that is taken; inside of sums, all of them weighed with indicators."""
    total, left = ZERO, ONE
    for branch, condition in expr.args:
        taken = indicator(condition, work)
        if taken.zero:
            continue
        total = plus(total, times(times(left, taken), work.normal(branch)))
        left = times(left, negated(taken))
        if left.zero:
            return work.note("the case that holds", expr, total)
    if left == ONE:
        raise Vanishes
    raise TooHard(f"the cases of {expr} leave some open")


def indicator(condition: Basic, work: Work) -> Polynomial:
    """1 where a condition holds, else 0."""
    if condition.is_Boolean and not condition.args:
        return ONE if bool(condition) else ZERO
    if isinstance(condition, Not):
        return negated(indicator(condition.args[0], work))
    if isinstance(condition, And | Or):
        total = ONE
        for one in condition.args:
            found = indicator(one, work)
            total = times(total, found if isinstance(condition, And) else negated(found))
            if total.zero:
                break
        return total if isinstance(condition, And) else negated(total)
    if not isinstance(condition, Relational):
        raise TooHard(f"the condition {condition}")
    return _of_relation(condition, work)


def _of_relation(condition: Relational, work: Work) -> Polynomial:
    gap = minus(work.normal(condition.lhs), work.normal(condition.rhs))
    if gap.zero:
        return constant(condition.rel_op in ("==", ">=", "<="))
    signs = work.facts.signs(gap)
    if signs is None and not isinstance(condition, Eq | Ne):
        raise TooHard(f"{condition} compares what may be no real number")
    wanted = _WANTED[condition.rel_op]
    if signs is not None and signs <= wanted:
        return ONE
    if signs is not None and signs.isdisjoint(wanted):
        return ZERO
    if signs is None:
        raise TooHard(f"the condition {condition} between numbers that may be complex")
    found = sense(gap, work)
    if isinstance(found, int):
        return constant(found in wanted)
    square = times(found, found)
    up, down = (scaled(plus(square, scaled(found, k)), HALF) for k in (1, -1))
    return plus(*(part for k, part in ((1, up), (-1, down), (0, negated(square))) if k in wanted))


_WANTED = {
    "<": frozenset((-1,)),
    "<=": frozenset((-1, 0)),
    ">": frozenset((1,)),
    ">=": frozenset((0, 1)),
    "==": frozenset((0,)),
    "!=": frozenset((-1, 1)),
}
WAYS = {
    Abs: absolute_value,
    sign: sign_of,
    Heaviside: heaviside,
    Max: extreme,
    Min: extreme,
    Piecewise: cases,
}
