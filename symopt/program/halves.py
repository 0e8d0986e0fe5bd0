"""Powers of a half and products below ⇒ roots and quotients: x^(3/2) ⇒ x·√x, 1/(x·y) ⇒ 1/x·1/y."""

from __future__ import annotations

from sympy import Basic, Expr, Integer, Mul, Pow, S

from symopt.views import rewrite


def in_roots(expr: Expr) -> Expr:
    """x^(n/2) ⇒ x^((n−1)/2)·√x for an odd n > 1, and each factor below by itself.

    The root is the one that the step itself takes, so the two are shared; to divide one after the
    other keeps within the range of numbers what their product would leave.
    """
    return rewrite(expr, _changed)


def _changed(node: Basic) -> Basic | None:
    if not isinstance(node, Pow):
        return None
    base, exponent = node.args
    if exponent == S.NegativeOne and isinstance(base, Mul | Pow):
        below = [_inverse(one) for factor in Mul.make_args(base) for one in _factors(factor)]
        return below[0] if len(below) == 1 else Mul(*below, evaluate=False)
    parts = _factors(node)
    return None if len(parts) == 1 else Mul(*parts, evaluate=False)


def _factors(factor: Expr) -> tuple[Expr, ...]:
    if not isinstance(factor, Pow):
        return (in_roots(factor),)
    base, exponent = in_roots(factor.args[0]), factor.args[1]
    if not exponent.is_Rational or exponent.q != 2 or exponent.p < 3:
        return (Pow(base, exponent, evaluate=False),)
    whole = Integer((exponent.p - 1) // 2)
    power = base if whole == 1 else Pow(base, whole, evaluate=False)
    return (power, Pow(base, S.Half, evaluate=False))


def _inverse(factor: Expr) -> Expr:
    return Pow(factor, S.NegativeOne, evaluate=False)
