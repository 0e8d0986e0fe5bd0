"""Whether an expression is zero for no values of its hyperparameters."""

from __future__ import annotations

from sympy import Expr, S, solveset

from symopt.notation import Hyperparameter
from symopt.views import canonical


def never_zero(expr: Expr) -> bool:
    """Whether the ranges of the hyperparameters keep an expression from zero, as far as is known.

    >>> from symopt.symbols import beta, epsilon
    >>> never_zero(1 - beta), never_zero(epsilon)
    (True, False)
    """
    plain = canonical(expr)
    if plain.is_nonzero:
        return True
    symbols = sorted(plain.atoms(Hyperparameter), key=str)
    return len(symbols) == 1 and solveset(plain, symbols[0], symbols[0].domain) is S.EmptySet
