"""Ranges of numbers as conditions in Python and in mathematical notation."""

from __future__ import annotations

from sympy import Expr, Integer, Interval, Range, S, Set, Union
from sympy.sets.sets import FiniteSet

from symopt.errors import LoweringError
from symopt.targets.python_code import number_code


def admissible(symbol: str, domain: Set, variable: str = "") -> tuple[str, str]:
    """The range of a symbol as a Python condition and in mathematical notation.

    The condition is on ``variable``, by default called as the symbol; NaN never satisfies it.

    >>> admissible("beta", Interval.Ropen(0, 1))
    ('0 <= beta < 1', '[0, 1)')

    Raises
    ------
    LoweringError
        For a set that is neither an interval nor made of intervals and numbers.
    """
    name = variable or symbol
    if domain in (S.Naturals, S.Naturals0):
        least = 1 if domain is S.Naturals else 0
        return f"{least} <= {name} < math.inf and {name} % 1 == 0", f"{{{least}, {least + 1}, …}}"
    if isinstance(domain, Union):
        parts = [admissible(symbol, one, name) for one in domain.args]
        return " or ".join(f"({code})" for code, _ in parts), " ∪ ".join(word for _, word in parts)
    if isinstance(domain, FiniteSet):
        values = ", ".join(number_code(one) for one in domain.args)
        return f"{name} in ({values},)", f"{{{values}}}"
    if isinstance(domain, Range) and domain.start == 0 and domain.step == 1:
        return f"0 <= {name} < {domain.stop} and {name} % 1 == 0", f"{{0, …, {domain.stop - 1}}}"
    if domain is S.Integers:
        return f"-math.inf < {name} < math.inf and {name} % 1 == 0", "{…, -1, 0, 1, …}"
    if not isinstance(domain, Interval):
        raise LoweringError(
            f"{symbol} has the range {domain}, which no check can be written for; use an Interval, "
            "a set of numbers, Naturals or Integers"
        )
    low, high = (_bound(end) for end in (domain.start, domain.end))
    open_low, open_high = domain.left_open, domain.right_open
    code = f"{low[0]} {'<' if open_low else '<='} {name} {'<' if open_high else '<='} {high[0]}"
    words = f"{'(' if open_low else '['}{low[1]}, {high[1]}{')' if open_high else ']'}"
    return code, words


def _bound(value: Expr) -> tuple[str, str]:
    if value is S.Infinity:
        return "math.inf", "∞"
    if value is S.NegativeInfinity:
        return "-math.inf", "-∞"
    text = str(value.p) if isinstance(value, Integer) else number_code(value)
    return text, text
