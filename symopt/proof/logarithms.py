"""log(a²·b) ⇒ 2·log|a| + log(b) for positive b: factors one by one where signs allow it."""

from __future__ import annotations

from fractions import Fraction

from sympy import Expr, Integer, S, log

from symopt.proof.letters import base_letter
from symopt.proof.polynomial import (
    ONE,
    OTHER,
    POWER,
    Letter,
    Polynomial,
    constant,
    plus,
    product,
    raised,
    scaled,
    single,
    times,
)
from symopt.proof.roots import factors_of
from symopt.proof.signs import absolute
from symopt.proof.work import Vanishes, Work


def logarithm(expr: log, work: Work) -> Polynomial:
    """The logarithm of a product: positive factors and even powers of real ones apart.

    log(p·z) = log(p) + log(z) for p > 0 and any z, with principal values.
    """
    if len(expr.args) == 2:
        return work.normal(log(expr.args[0]) / log(expr.args[1]))
    of = work.normal(expr.args[0])
    if of.zero:
        raise Vanishes
    number, factors = factors_of(of)
    found, sign, rest = _of_number(abs(number)), 1 if number > 0 else -1, ONE
    for one, e in factors:
        signs = work.facts.signs(one)
        if signs is not None and -1 not in signs:  # of 0 neither side has a value
            found = plus(found, scaled(_of_factor(one, work), e))
        elif signs is not None and e.denominator == 1 and e % 2 == 0:
            size = absolute(one, work)
            assert size is not None  # signs are known, so that it is real
            found = plus(found, scaled(_of_factor(size, work), e))
        elif signs is not None and e.denominator == 1 and 1 not in signs:
            found, sign = plus(found, scaled(_of_factor(scaled(one, -1), work), e)), -sign
        else:
            rest = times(rest, _power(one, e))
    inner = scaled(rest, sign)
    if inner != ONE:
        found = plus(found, _opaque(inner.expr))
    return work.note("logarithm of a product", expr, found)


def _of_factor(one: Polynomial, work: Work) -> Polynomial:
    """Of what is positive: a letter, a power of one, or a sum."""
    if len(one.terms) != 1:
        return _opaque(one.expr)
    ((monomial, value),) = one.terms.items()
    parts = [scaled(_of_letter(letter, work), e) for letter, e in monomial]
    if value < 0:  # −x for a negative x
        return _opaque(one.expr) if len(monomial) == 1 else plus(*parts, _of_number(-value))
    return plus(*parts, _of_number(value))


def _of_letter(letter: Letter, work: Work) -> Polynomial:
    if letter.kind == POWER and work.facts.signs(letter.of[0]) == {1}:
        base, exponent = letter.of
        return times(exponent, work.normal(log(base.expr)))
    return ONE if letter.expr == S.Exp1 else _opaque(letter.expr)


def _of_number(value: Fraction) -> Polynomial:
    found = constant(0)
    for number, sign in ((value.numerator, 1), (value.denominator, -1)):
        for prime, k in Integer(number).factors().items():
            if prime != 1:
                found = plus(found, scaled(_opaque(prime), int(k) * sign))
    return found


def _power(one: Polynomial, e: Fraction) -> Polynomial:
    if e.denominator == 1 and e > 0:
        return raised(one, int(e))
    if len(one.terms) == 1:
        ((monomial, _),) = one.terms.items()
        return product((letter, k * e) for letter, k in monomial)
    return single(base_letter(one), e)


def _opaque(of: Expr | int) -> Polynomial:
    node = log(of)
    return single(Letter(OTHER, str(node), node))
