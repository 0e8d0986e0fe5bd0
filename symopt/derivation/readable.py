"""Canonical expressions in an order for readers: sums as written, numbers first, one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sympy import Add, Basic, Expr, Integer, Mul, Pow, S

from symopt.derivation.times import entries
from symopt.views import canonical, occurrences, rebuild, split_sign

Sums = Mapping[Expr, Expr]


def sums_in(written: Iterable[Expr]) -> Sums:
    """The sums in some expressions as written, by their canonical form."""
    found: dict[Expr, Expr] = {}
    for expr in written:
        waiting: list[Basic] = [expr]
        while waiting:
            for one in occurrences(waiting.pop(), Add):
                found.setdefault(canonical(one), one)
                waiting += one.args
    return found


def readable(expr: Basic, sums: Sums, last: Expr | None = None) -> Expr:
    """Numbers before letters, one line of a fraction for all that divides, ``last`` at the end.

    >>> from sympy.abc import x, y
    >>> with_quotient = readable(-x / (2 * y), {}, x)
    >>> print(with_quotient.args[1].args)
    (x, 1/(2*y), x)
    """
    if last is not None:
        return _product(expr, sums, (last,))
    if expr in sums:
        return sums[expr]
    if isinstance(expr, Add):
        return _sum(expr, sums)
    if isinstance(expr, Mul) or (isinstance(expr, Pow) and expr.exp.could_extract_minus_sign()):
        return _product(expr, sums)
    if not expr.args or expr.is_Indexed:
        return expr
    return rebuild(expr, (readable(part, sums) for part in expr.args))


def _sum(expr: Add, sums: Sums) -> Expr:
    if -expr in sums:
        return Mul(S.NegativeOne, sums[-expr], evaluate=False)
    terms = sorted(expr.args, key=lambda one: (split_sign(one)[0], str(one)))
    return Add(*(readable(one, sums) for one in terms), evaluate=False)


def _product(expr: Basic, sums: Sums, last: tuple[Expr, ...] = ()) -> Expr:
    coefficient, factors = expr.as_coeff_mul()
    above: list[Expr] = []
    below: list[Expr] = []
    for one in sorted(factors, key=lambda one: (bool(entries(one)), str(one))):
        if isinstance(one, Pow) and one.exp.could_extract_minus_sign():
            below.append(readable(one.base ** (-one.exp), sums))
        else:
            above.append(readable(one, sums))
    if coefficient.is_Rational:
        above = [Integer(abs(coefficient.p)), *above] if abs(coefficient.p) != 1 else above
        below = [Integer(coefficient.q), *below] if coefficient.q != 1 else below
    elif abs(coefficient) != 1:
        above = [abs(coefficient), *above]
    divided = [Pow(_joined(below), S.NegativeOne, evaluate=False)] if below else []
    whole = _joined([*above, *divided, *last])
    return Mul(S.NegativeOne, whole, evaluate=False) if coefficient.is_negative else whole


def _joined(parts: list[Expr]) -> Expr:
    """The product as written; one factor is itself, none is 1."""
    if len(parts) < 2:
        return parts[0] if parts else S.One
    return Mul(*parts, evaluate=False)
