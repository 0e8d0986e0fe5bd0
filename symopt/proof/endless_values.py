"""Numbers for sums without an end whose terms fall like powers."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
from mpmath import mp
from sympy import Add, Basic, Expr, Mul, Pow, Symbol, exp

from symopt.proof.numbers import Number, Undefined, Unknown, finite, floating

# a ratio of 5/6 takes as many terms; beyond that, points have no value here
_MOST, _SURE, _FASTEST = 700, 12, 0.97


def endless(body: Basic, index: Symbol, first: int, term: Callable[[int], Number]) -> Number:
    """A sum from ``first`` on, to the digits in use, of a polynomial times powers of constants.

    Raises
    ------
    Undefined
        Where terms do not fall by a factor, each from the one before.
    Unknown
        For terms of another kind, of which the first ones say nothing about the others.
    """
    if not falls_like_powers(body, index):
        raise Unknown("a sum without an end")
    total, before, falling = mpmath.mpf(0), None, 0
    for k in range(first, first + _MOST):
        value = floating(term(k))
        total, size = total + value, abs(value)
        falling = falling + 1 if before is not None and size <= _FASTEST * before else 0
        if falling >= _SURE and size <= mpmath.mpf(10) ** -(mp.dps + 3) * max(1, abs(total)):
            return finite(total)
        if k - first > 4 * _SURE and not falling:
            break
        before = size
    raise Undefined


def falls_like_powers(body: Basic, index: Symbol) -> bool:
    """Whether terms are polynomials times powers of constants, as far as their shape says it."""
    if index not in body.free_symbols or body == index:
        return True
    if isinstance(body, Add | Mul):
        return all(falls_like_powers(part, index) for part in body.args)
    if isinstance(body, exp):
        return _linear(body.args[0], index)
    if isinstance(body, Pow):
        base, exponent = body.args
        if index in base.free_symbols:
            return bool(exponent.is_Integer and exponent > 0) and falls_like_powers(base, index)
        return _linear(exponent, index)
    return False


def _linear(expr: Expr, index: Symbol) -> bool:
    return bool(expr.is_polynomial(index)) and index not in expr.diff(index).free_symbols
