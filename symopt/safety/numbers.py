"""Values for the numbers of a formula: defaults of hyperparameters, and a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpmath.ctx_mp import MPContext
from sympy import Basic, Expr, Symbol, lambdify

from symopt.declaration import Declaration
from symopt.notation import Hyperparameter, Index
from symopt.safety.stated import Stated
from symopt.views import canonical

HIGH = MPContext()
HIGH.dps = 50

Numbers = Mapping[Basic, float]

# for counts that no default speaks of
_COUNT = 2


def numbers(declared: Declaration, equations: tuple[Stated, ...], step: int = 1) -> Numbers:
    """A value for each number: its default, or one in the middle of its range; the given step."""
    found: dict[Basic, float] = {}
    defaults = declared.default_values
    for one in equations:
        for letter in sorted(one.right.atoms(Symbol), key=str):
            if isinstance(letter, Hyperparameter):
                found[letter] = float(defaults.get(letter, _within(letter)))
            elif letter.is_integer:
                found[letter] = step if isinstance(letter, Index) else _COUNT
    return found


def value(expr: Expr, known: Numbers) -> Any:
    """The value of a number at 50 digits.

    >>> from symopt.symbols import beta_1
    >>> print(value(1 - beta_1, {beta_1: 0.5}))
    0.5
    """
    plain = canonical(expr)
    several = sorted(plain.free_symbols, key=str)
    compute = lambdify(several, plain, "mpmath")
    with HIGH.workdps(HIGH.dps):
        return HIGH.mpf(compute(*(HIGH.mpf(known[one]) for one in several)))


def _within(letter: Hyperparameter) -> float:
    """A number within a range, away from its ends."""
    low, high = letter.domain.inf, letter.domain.sup
    if low.is_finite and high.is_finite:
        return float((low + high) / 2)
    return float(low + 1) if low.is_finite else float(high - 1) if high.is_finite else 1.0
