"""Whole numbers as Python text: places, lengths, and how far loops run."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Add, Expr, Integer, Max, Min, Mul, Pow, Symbol, ceiling, floor, fraction, together

from symopt.errors import LoweringError
from symopt.views import canonical, index_terms, split_sign


def whole_code(expr: Expr, names: Mapping[str, str] = {}) -> str:
    """A whole number in symbols, letters before numbers; ``names`` are put in for some letters.

    >>> from symopt.notation import count
    >>> print(whole_code(floor((count("H") - count("A")) / 2, evaluate=False) + 1))
    (H - A) // 2 + 1

    Raises
    ------
    LoweringError
        For what is not made of sums, products, quotients that are rounded, and extremes.
    """
    return _code(expr, names)


def _code(expr: Expr, names: Mapping[str, str]) -> str:
    if isinstance(expr, Integer):
        return str(expr.p)
    if isinstance(expr, Symbol):
        return names.get(expr.name, expr.name)
    if isinstance(expr, Add):
        return "".join(
            (f" {'-' if negative else '+'} " if place else "-" if negative else "")
            + _factor(term, names, loose=bool(place or negative) and isinstance(term, Add))
            for place, (negative, term) in enumerate(index_terms(expr))
        )
    if isinstance(expr, Mul):
        negative, rest = split_sign(expr)
        parts = rest.args if isinstance(rest, Mul) else (rest,)
        shown = " * ".join(_factor(one, names, isinstance(one, Add | floor)) for one in parts)
        return f"-{shown}" if negative else shown
    if isinstance(expr, Pow) and isinstance(expr.args[1], Integer) and expr.args[1] > 0:
        return f"{_factor(expr.args[0], names, not expr.args[0].is_Symbol)} ** {expr.args[1]}"
    if isinstance(expr, Max | Min):
        name = "max" if isinstance(expr, Max) else "min"
        return f"{name}({', '.join(_code(one, names) for one in expr.args)})"
    if isinstance(expr, floor | ceiling):
        above, below = fraction(together(canonical(expr.args[0])))
        sign, shown = ("", above) if isinstance(expr, floor) else ("-", -above)
        quotient = (
            f"{_factor(shown, names, isinstance(shown, Add) or split_sign(shown)[0])} // "
            f"{_factor(below, names, not (below.is_Symbol or below.is_Integer))}"
        )
        return f"-({quotient})" if sign else quotient
    raise LoweringError(f"{expr} is no whole number that a kernel can compute")


def _factor(expr: Expr, names: Mapping[str, str], loose: bool) -> str:
    text = _code(expr, names)
    return f"({text})" if loose else text
