"""Canonical sums and products as a reader expects them: signs drawn out, powers falling."""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Add, Expr, Mul, Poly, Pow, S, Symbol, fraction

from symopt.derivation.readable import readable


def signed(expr: Expr) -> tuple[bool, Expr]:
    """Whether a minus is drawn out, and the rest: the constant of each factor is not negative.

    >>> from sympy.abc import x, y
    >>> negative, rest = signed((x - 1) * y)
    >>> negative, rest == (1 - x) * y
    (True, True)
    """
    negative, parts = False, []
    for one in Mul.make_args(expr.factor()):
        base, exponent = one.as_base_exp()
        odd = exponent.is_Integer and exponent % 2 == 1
        if exponent.is_Integer and _negative(base):
            negative, one = negative != odd, Pow(-base, exponent)
        parts.append(one)
    return negative, Mul(*parts)


def _negative(expr: Expr) -> bool:
    """Whether the constant of a sum, or what a product begins with, is below 0."""
    if not isinstance(expr, Add):
        return bool(expr.could_extract_minus_sign())
    constant = expr.as_coeff_Add()[0]
    return bool(constant.is_negative or (constant == 0 and expr.could_extract_minus_sign()))


def in_order(expr: Expr) -> Expr:
    """A number or a product as written, a minus in front of all of it."""
    negative, rest = signed(expr)
    shown = readable(rest, {})
    return Mul(S.NegativeOne, shown, evaluate=False) if negative else shown


def facing(expr: Expr, *grown: Expr) -> Expr:
    """A quotient as written, what grows with its first letter first: (n − m)/(n − 1).

    >>> from sympy.abc import m, n
    >>> from symopt.printing.unicode import unicode
    >>> unicode(facing((m - n) / (1 - n), n))
    '(n − m)/(n − 1)'
    """
    negative, sides = False, []
    for side in fraction(expr.factor()):
        parts = []
        for one in Mul.make_args(side):
            base, exponent = one.as_base_exp()
            first = next((letter for letter in grown if base.has(letter)), None)
            sign = base if first is None else Poly(base, first).LC()
            falls = exponent == 1 and _negative(sign)
            negative = negative != falls
            parts.append(-one if falls else one)
        sides.append(Mul(*parts))
    shown = readable(sides[0] / sides[1], {})
    return Mul(S.NegativeOne, shown, evaluate=False) if negative else shown


def sum_of(terms: Iterable[tuple[Expr, Expr]]) -> Expr:
    """Σ coefficient·part in this order, as written; terms with the coefficient 0 are left out.

    >>> from sympy.abc import x, y
    >>> from symopt.printing.unicode import unicode
    >>> unicode(sum_of([(1 - y, x), (-y, x**2), (y - 1, y)]))
    '(1 − y)·x − y·x² − (1 − y)·y'
    """
    found: list[Expr] = []
    for coefficient, part in terms:
        if coefficient == 0:
            continue
        negative, size = signed(coefficient)
        shown = readable(size, {})
        term = part if size == 1 else shown if part == 1 else Mul(shown, part, evaluate=False)
        found.append(Mul(S.NegativeOne, term, evaluate=False) if negative else term)
    return Add(*found, evaluate=False) if len(found) > 1 else (found or [S.Zero])[0]


def in_powers(expr: Expr, z: Symbol) -> Expr:
    """A polynomial in z as written: its powers fall, and each coefficient is factored."""
    return sum_of((coefficient, z**power) for (power,), coefficient in Poly(expr, z).terms())
