"""Conditions that only a rule asks for, dropped where both sides are continuous."""

from __future__ import annotations

from sympy import (
    Abs,
    Add,
    Expr,
    I,
    Indexed,
    Max,
    Min,
    Mul,
    Pow,
    Product,
    Sum,
    Symbol,
    exp,
    factorial,
)

from symopt.proof.endless_values import falls_like_powers
from symopt.proof.facts import Facts
from symopt.proof.normal import normal_form
from symopt.proof.polynomial import TooHard
from symopt.proof.proving import Problem, known
from symopt.proof.work import Split, Vanishes, Work

_CONTINUOUS = (Add, Mul, Pow, Sum, Product, Abs, Max, Min, exp, Symbol, Indexed, factorial)


def needed(condition: Expr, problem: Problem) -> bool:
    """Whether ``condition`` ≠ 0 must be stated beside what was proved where it holds.

    Both sides agree where it holds; if it fails only at points that others approach, and both
    sides are continuous in its letters, they agree there too, as far as they have a value.
    """
    letters = condition.free_symbols
    facts = known(problem.conditions)
    if facts.relations or condition.is_number:
        return True
    plain = all(_runs_through_numbers(one) for one in letters)
    if not plain or not condition.is_polynomial(*letters):
        return True
    return not all(_continuous(side, facts) for side in (problem.left, problem.right))


def _runs_through_numbers(letter: Expr) -> bool:
    return bool(letter.is_real or isinstance(letter, Indexed)) and letter.is_integer is not True


def _continuous(expr: Expr, facts: Facts) -> bool:
    """Whether an expression is continuous in its real letters wherever it has a value."""
    if expr.has(I):
        return False
    if expr.is_Number or expr.is_number:
        return True
    if not isinstance(expr, _CONTINUOUS):
        return False
    if isinstance(expr, Sum) and any(limit[-1].is_finite is False for limit in expr.limits):
        # a limit was taken where |r| < 1 is known, and there a power series is continuous
        return falls_like_powers(expr.args[0], expr.limits[0][0])
    if isinstance(expr, Pow) and not expr.exp.is_integer and not _real(expr.base, facts):
        return False
    # 0^x jumps where x does not run through whole numbers
    if isinstance(expr, Pow) and not (expr.exp.is_number or expr.exp.is_integer):
        return bool(expr.base.is_positive)
    parts = expr.args[:1] if isinstance(expr, Sum | Product) else expr.args
    if isinstance(expr, Symbol | Indexed):
        return True
    return all(_continuous(part, facts) for part in parts)


def _real(base: Expr, facts: Facts) -> bool:
    try:
        signs = facts.signs(Work(facts, normal_form).normal(base))
    except (Split, Vanishes, TooHard):
        return False
    return signs is not None
