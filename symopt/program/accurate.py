"""Numbers computed once per step, in a form that loses no digits to cancellation."""

from __future__ import annotations

from sympy import Add, Basic, Expr, Mul, Pow, S, log
from sympy.codegen.cfunctions import expm1

from symopt.views import rewrite, signed_terms


def accurate(expr: Expr) -> Expr:
    """1 − a^n ⇒ −expm1(n·log a) for a ≥ 0: near a = 1 the difference would lose what it has.

    At β = 0.999 and t = 1 three of sixteen digits are saved; a = 0 gives log 0 = −∞ and so 1.
    """
    return rewrite(expr, _complement)


def _complement(node: Basic) -> Basic | None:
    terms = signed_terms(node) if isinstance(node, Add) else ()
    if len(terms) != 2 or terms[0] != (False, S.One) or not terms[1][0]:
        return None
    power = terms[1][1]
    if not isinstance(power, Pow) or power.exp.is_Number or not power.base.is_nonnegative:
        return None
    exponent = Mul(power.exp, log(power.base, evaluate=False), evaluate=False)
    return Mul(S.NegativeOne, expm1(exponent, evaluate=False), evaluate=False)
