"""Evaluated expressions in the order of a reader: above a line first, then below."""

from __future__ import annotations

from sympy import Add, Basic, Expr, Mul, Pow, S, Symbol

from symopt.notation import Index
from symopt.spelling import Spelling
from symopt.views import rebuild, split_sign

_NAMES = "ijklpqrsuvw"


def in_order(expr: Basic) -> Basic:
    """The expression with divisors behind what they divide, and minus behind plus.

    >>> from sympy.abc import x, y
    >>> from symopt.printing.unicode import unicode
    >>> unicode((y - 1) / (1 + x)), unicode(in_order((y - 1) / (1 + x)))
    ('1/(1 + x)·(−1 + y)', '(y − 1)/(1 + x)')
    """
    if not expr.args or expr.is_Indexed:
        return expr
    args = [in_order(one) for one in expr.args]
    if isinstance(expr, Mul):
        return _product(args)
    if isinstance(expr, Add):
        return Add(*sorted(args, key=lambda one: split_sign(one)[0]), evaluate=False)
    same = all(new is old for new, old in zip(args, expr.args, strict=True))
    return expr if same else rebuild(expr, args)


def _product(factors: list[Expr]) -> Expr:
    number = [one for one in factors if one.is_Number]
    above = [one for one in factors if not one.is_Number and _below(one) is None]
    below = [part for one in factors if (part := _below(one)) is not None]
    if not below:
        return Mul(*number, *above, evaluate=False)
    under = below[0] if len(below) == 1 else Mul(*below, evaluate=False)
    return Mul(*number, *above, Pow(under, S.NegativeOne, evaluate=False), evaluate=False)


def _below(factor: Expr) -> Expr | None:
    """What stands below the line, where a factor does."""
    if not isinstance(factor, Pow) or not (factor.args[1].is_Number and factor.args[1] < 0):
        return None
    base, exponent = factor.args
    return base if exponent == S.NegativeOne else Pow(base, -exponent, evaluate=False)


def named(expr: Basic) -> Basic:
    """An expression with letters for the indices that have numbers."""
    taken = {name for one in expr.atoms(Symbol) for name in shown_names(one)}
    free = (name for name in _NAMES if name not in taken)
    numbered = sorted((one for one in expr.atoms(Symbol) if one.name[0] == "·"), key=str)
    pairs = zip(numbered, free, strict=False)
    return expr.xreplace({one: _called(one, name) for one, name in pairs})


def shown_names(letter: Basic) -> tuple[str, ...]:
    """The names of a letter, that under which it is printed among them."""
    spelling = getattr(letter, "spelling", None)
    return (str(letter), spelling.unicode) if isinstance(spelling, Spelling) else (str(letter),)


def _called(one: Symbol, name: str) -> Symbol:
    if isinstance(one, Index):  # some sums take no other letters
        return Index(Spelling(name, name, name), one.facts, **one._assumptions_orig)
    return Symbol(name, **one._assumptions_orig)


def readable(expr: Basic) -> Basic:
    """Both: letters for numbered indices, all in the order of a reader."""
    return in_order(named(expr))
