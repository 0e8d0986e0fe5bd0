"""Exact values of hyperparameters, for checks by numbers."""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Expr, Integer, Rational, Set

from symopt.notation import Hyperparameter


def exact_values(symbols: Iterable[Hyperparameter]) -> dict[Expr, Rational]:
    """A fraction for each hyperparameter, inside its range.

    >>> from symopt.symbols import alpha, beta
    >>> exact_values([alpha, beta])
    {alpha: 3/7, beta: 4/9}
    """
    found: dict[Expr, Rational] = {}
    for place, symbol in enumerate(sorted(symbols, key=str)):
        tries = [Rational(3 + place, 7 + 2 * place), Rational(5 + place, 3), Integer(2 + place)]
        found[symbol] = next((x for x in tries if x in symbol.domain), _inside(symbol.domain))
    return found


def _inside(domain: Set) -> Rational:
    """A number of a range that holds no simple one."""
    low, high = domain.inf, domain.sup
    if low.is_finite and high.is_finite:
        middle = (low + high) / 2
        return middle if middle in domain else low
    return high - 1 if high.is_finite else low + 1
