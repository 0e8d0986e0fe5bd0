"""Expressions ⇒ normal forms: a table from kinds of nodes to what is done with them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from sympy import (
    Add,
    Basic,
    Derivative,
    Expr,
    Function,
    Indexed,
    Integral,
    KroneckerDelta,
    Mul,
    Number,
    Pow,
    Product,
    S,
    Sum,
    Symbol,
    binomial,
    ceiling,
    exp,
    expand,
    factorial,
    floor,
    gamma,
    log,
)
from sympy.functions.elementary.hyperbolic import HyperbolicFunction
from sympy.functions.elementary.trigonometric import TrigonometricFunction

from symopt.nodes import Inside, Largest
from symopt.printing.unicode import unicode
from symopt.proof import kinks
from symopt.proof.endless import total_or_limit
from symopt.proof.floors import ceiling_of, floor_of
from symopt.proof.largest import largest
from symopt.proof.letters import minus_one
from symopt.proof.logarithms import logarithm
from symopt.proof.node_values import OPAQUE
from symopt.proof.polynomial import (
    ENTRY,
    ONE,
    OTHER,
    SYMBOL,
    Letter,
    Polynomial,
    TooHard,
    constant,
    minus,
    plus,
    single,
    times,
)
from symopt.proof.powers import power
from symopt.proof.products import repeated
from symopt.proof.sums import reciprocal
from symopt.proof.work import Vanishes, Work

_FARTHEST = 12


def normal_form(expr: Basic, work: Work) -> Polynomial:
    """The normal form of an expression under the facts that are known.

    Raises
    ------
    TooHard
        For what no rule speaks of.
    Vanishes
        For a division by 0.
    Split
        Where the sign of some part must be known first.
    """
    for kind, how in _WAYS:
        if isinstance(expr, kind):
            return how(expr, work)
    if isinstance(expr, Function):
        return _function(expr, work)
    if isinstance(expr, Expr) and expr.is_number and expr.is_Atom and expr.is_finite:
        return single(Letter(OTHER, str(expr), expr))
    raise TooHard(f"nothing is known of {unicode(expr)}")


def _number(expr: Expr, _work: Work) -> Polynomial:
    if not expr.is_finite or not expr.is_Number:
        raise Vanishes
    if expr.is_Float:
        return constant(Fraction(str(expr)))
    return constant(Fraction(int(expr.p), int(expr.q)))


def _symbol(expr: Symbol, _work: Work) -> Polynomial:
    return single(Letter(SYMBOL, expr.name, expr))


def _entry(expr: Indexed, _work: Work) -> Polynomial:
    shown = Indexed(expr.base, *(expand(one) for one in expr.indices))
    return single(Letter(ENTRY, str(shown), shown))


def _add(expr: Add, work: Work) -> Polynomial:
    return plus(*(work.normal(one) for one in expr.args))


def _mul(expr: Mul, work: Work) -> Polynomial:
    found = ONE
    for one in expr.args:
        found = times(found, work.normal(one))
    return found


def _pow(expr: Pow, work: Work) -> Polynomial:
    found = power(work.normal(expr.base), work.normal(expr.exp), work)
    inside = expr.base.is_Pow or expr.base.is_Mul or expr.base.is_Add
    if inside and expr.exp.is_integer is not True:
        work.note("root of what is known to be positive", expr, found)
    return found


def _exponential(expr: exp, work: Work) -> Polynomial:
    return power(work.normal(S.Exp1), work.normal(expr.args[0]), work)


def _half_turn(_expr: Basic, _work: Work) -> Polynomial:
    return minus_one(Fraction(1, 2))


def _through_exp(expr: Expr, work: Work) -> Polynomial:
    rewritten = expr.rewrite(exp)
    if rewritten == expr or rewritten.has(type(expr)):
        return _function(expr, work)
    return work.note("by exponentials", expr, work.normal(rewritten))


def _delta(expr: KroneckerDelta, work: Work) -> Polynomial:
    left, right = (work.normal(one) for one in expr.args[:2])
    gap = minus(left, right)
    if gap.number is not None:
        return constant(gap.zero)
    if work.facts.nonzero(gap):
        return constant(0)
    first, second = sorted((left.expr, right.expr), key=str)
    return _opaque(KroneckerDelta(first, second))


def _factorial(expr: Expr, work: Work) -> Polynomial:
    """(n + c)! as a product times n!, for a whole number c."""
    if isinstance(expr, binomial):
        n, k = expr.args
        if -1 in (work.facts.signs(work.normal(n)) or {-1}):
            return _function(expr, work)  # factorials have poles where it has values
        return work.normal(factorial(n) / (factorial(k) * factorial(n - k)))
    of = expr.args[0] - (1 if isinstance(expr, gamma) else 0)
    form = work.normal(of)
    shift = form.terms.get((), Fraction(0))
    if shift.denominator != 1 or abs(shift) > _FARTHEST:
        return _opaque(factorial(form.expr))
    rest = minus(form, constant(shift))
    if rest.zero:
        if shift < 0:
            raise Vanishes
        return work.normal(factorial(int(shift)))
    found = _opaque(factorial(rest.expr))
    for k in range(1, int(shift) + 1):
        found = times(found, plus(rest, constant(k)))
    for k in range(int(shift) + 1, 1):
        factor = plus(rest, constant(k))
        work.needs(factor)
        found = times(found, reciprocal(factor))
    return work.note("factorial", expr, found)


def _done(expr: Expr, work: Work) -> Polynomial:
    found = expr.doit()
    if isinstance(found, type(expr)):
        raise TooHard(f"nothing is known of {unicode(expr)}")
    return work.note("carried out", expr, work.normal(found))


def _whole(expr: Expr, _work: Work) -> Polynomial:
    return _opaque(expr)


def _function(expr: Function, work: Work) -> Polynomial:
    """A function of which nothing is known but its arguments."""
    return _opaque(expr.func(*(work.normal(one).expr for one in expr.args)))


def _opaque(expr: Expr) -> Polynomial:
    return single(Letter(OTHER, str(expr), expr))


_Way = Callable[[Any, Work], Polynomial]
_WAYS: tuple[tuple[Any, _Way], ...] = (
    (type(S.ImaginaryUnit), _half_turn),
    (type(S.Exp1), _whole),
    ((Number, type(S.ComplexInfinity)), _number),
    (Symbol, _symbol),
    (Indexed, _entry),
    (Add, _add),
    (Mul, _mul),
    (Pow, _pow),
    (exp, _exponential),
    (log, logarithm),
    (Sum, total_or_limit),
    (Product, repeated),
    (KroneckerDelta, _delta),
    ((TrigonometricFunction, HyperbolicFunction), _through_exp),
    ((factorial, gamma, binomial), _factorial),
    ((Derivative, Integral), _done),
    (Largest, largest),
    (floor, floor_of),
    (ceiling, ceiling_of),
    (Inside, _function),
    (OPAQUE, _whole),
    *kinks.WAYS.items(),
)
