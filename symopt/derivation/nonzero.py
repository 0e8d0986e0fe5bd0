"""Whether an expression is zero for no values of its hyperparameters."""

from __future__ import annotations

from sympy import Expr, Mul, S, factor, solveset

from symopt.notation import Hyperparameter
from symopt.views import canonical


def never_zero(expr: Expr) -> bool:
    """Whether the ranges of the hyperparameters keep an expression from zero, as far as is known.

    >>> from symopt.symbols import beta_1, beta_2, epsilon
    >>> never_zero((1 - beta_1) * (1 - beta_2)), never_zero(epsilon)
    (True, False)
    """
    plain = factor(canonical(expr))
    if plain.is_nonzero:
        return True
    if isinstance(plain, Mul):
        return all(map(never_zero, plain.args))
    symbols = sorted(plain.atoms(Hyperparameter), key=str)
    return len(symbols) == 1 and solveset(plain, symbols[0], symbols[0].domain) is S.EmptySet
