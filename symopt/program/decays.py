"""Exponentials in the two cases of a sign ⇒ one exponential of −|x|, which both cases share.

e^(−x) where x > 0 and e^x where x ≤ 0 are both e^(−|x|). What a case then is made of it, a quotient
of sums without a minus, is brought over one divisor; where both cases have the same, one is left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sympy import (
    Abs,
    Basic,
    Dummy,
    Expr,
    Indexed,
    Mul,
    Piecewise,
    Poly,
    PolynomialError,
    Pow,
    S,
    exp,
    factor,
    fraction,
    gcd,
)
from sympy.core.relational import Relational

from symopt.calculus.adjoints import Definition
from symopt.views import canonical, rewrite


def with_shared_decays(
    definitions: Iterable[Definition], exprs: Iterable[Expr]
) -> tuple[tuple[Definition, ...], tuple[Expr, ...]]:
    """The same, each distinction by the sign of x with one exponential where it had several."""
    changed = tuple(replace(one, written=rewrite(one.written, _shared)) for one in definitions)
    return changed, tuple(rewrite(one, _shared) for one in exprs)


def _shared(node: Basic) -> Basic | None:
    if not isinstance(node, Piecewise) or len(node.args) != 2 or not node.has(exp):
        return None
    (first, condition), (second, _) = node.args
    letter, sign = _sign(condition)
    if letter is None:
        return None
    cases = [(canonical(first), sign), (canonical(second), -sign)]
    rates = [_rate(one, letter, side) for value, side in cases for one in value.atoms(exp)]
    if not all(rates):
        return None
    slowest = gcd(rates)
    decay = Dummy(positive=True)

    def in_decay(value: Expr) -> Expr:
        found = {
            one: decay ** (abs(one.args[0].coeff(letter)) / slowest) for one in value.atoms(exp)
        }
        return _over_one_divisor(value.xreplace(found), decay)

    above, below = (in_decay(value) for value, _ in cases)
    exponent = Mul(S.NegativeOne, Abs(letter), *([slowest] * (slowest != 1)), evaluate=False)
    meant = {decay: exp(exponent, evaluate=False)}
    return rewrite(_distinguished(above, below, condition), meant.get)


def _sign(condition: Basic) -> tuple[Indexed | None, int]:
    """The letter that is compared with 0, and its sign where the comparison holds."""
    if not isinstance(condition, Relational) or condition.rel_op not in ("<", "<=", ">", ">="):
        return None, 0
    one = condition if condition.rhs == 0 else condition.reversed
    if one.rhs != 0 or not isinstance(one.lhs, Indexed):
        return None, 0
    return one.lhs, 1 if one.rel_op in (">", ">=") else -1


def _rate(one: Expr, letter: Indexed, sign: int) -> Expr | None:
    """How fast an exponential of a multiple of the letter falls where the letter has this sign."""
    rate = one.args[0].coeff(letter)
    alone = rate.is_Rational and one.args[0] == rate * letter and rate * sign < 0
    return abs(rate) if alone else None


def _over_one_divisor(value: Expr, decay: Dummy) -> Expr:
    """A quotient of products of sums without a minus, in which nothing cancels; else unchanged."""
    found = factor(value)
    above, below = fraction(found)
    try:
        sums = [*Poly(above, decay).coeffs(), *Poly(below, decay).coeffs()]
    except PolynomialError:
        return value
    return found if all(one.is_Number and one > 0 for one in sums) else value


def _distinguished(above: Expr, below: Expr, condition: Basic) -> Expr:
    """Both cases as one where they are the same, or have the same divisor."""
    if above == below:
        return above
    (one, divisor), (other, same) = fraction(above), fraction(below)
    if divisor != same or divisor == 1:
        return Piecewise((above, condition), (below, S.true), evaluate=False)
    cases = Piecewise((one, condition), (other, S.true), evaluate=False)
    return Mul(cases, Pow(divisor, S.NegativeOne, evaluate=False), evaluate=False)
