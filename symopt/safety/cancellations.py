"""Sums that may lose digits, and the form in which the kernel computes them."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Add, Expr

from symopt.declaration import Declaration
from symopt.derivation.steps import Reason
from symopt.derivation.system import Assignment
from symopt.notation import Index
from symopt.program.accurate import accurate
from symopt.program.average import average_form
from symopt.safety.finding import CANCELLATION, Finding
from symopt.safety.numbers import numbers, value
from symopt.safety.signs import Signs, one_signed
from symopt.safety.stated import Stated, letters, parts
from symopt.views import signed_terms

# the steps at which numbers are looked at, the first one the hardest for 1 − βᵗ
_STEPS = (1, 10, 100, 1000)
# less than this loses no whole bit beside the roundings of the terms themselves
_WORTH_SAYING = 4


def cancellations(
    declared: Declaration, equations: tuple[Stated, ...], known: Signs
) -> Iterator[Finding]:
    """Each sum whose terms can cancel, how much of them at most, and what is computed instead."""
    seen: set[Expr] = set()
    for one in equations:
        averaged = _averaged(one)
        for part in parts(one.right):
            if not isinstance(part, Add) or part in seen:
                continue
            seen.add(part)
            if not letters(part):
                yield from _of_numbers(declared, equations, one.id, part)
            elif not one_signed(signed_terms(part), known):
                yield Finding(
                    CANCELLATION, one.id, part, _words(part), averaged if part == one.right else ""
                )


def _averaged(one: Stated) -> Reason:
    """An exponential average is a step towards what is averaged."""
    if not one.left.is_Indexed:
        return ""
    form = average_form(Assignment(one.id, one.left, one.right)).right
    return ("computed as ", form) if form != one.right else ""


def _words(part: Add) -> Reason:
    terms = signed_terms(part)
    if len(terms) == 2 and terms[0][0] != terms[1][0]:
        return (terms[0][1], " ≈ ", terms[1][1], ": no digit of the difference need be left")
    return ("its terms ≈ 0 together: no digit of the sum need be left",)


def _of_numbers(
    declared: Declaration, equations: tuple[Stated, ...], id: str, part: Add
) -> Iterator[Finding]:
    """A sum of numbers, at the step at which it loses most."""
    if part.is_integer:
        return
    terms = [one for _, one in signed_terms(part)]
    worst, at = 0.0, 1
    for step in _STEPS:
        known = numbers(declared, equations, step)
        whole = abs(value(part, known))
        size = sum(abs(value(one, known)) for one in terms)
        factor = float(size / whole) if whole else 0.0  # equal numbers leave an exact zero
        if factor > worst:
            worst, at = factor, step
    if worst < _WORTH_SAYING:
        return
    form = accurate(part)
    at_step = f" at t = {at}" if part.atoms(Index) else ""
    yield Finding(
        CANCELLATION,
        id,
        part,
        f"the terms are {worst:.4g} times what is left of them{at_step}",
        ("computed as ", form) if form != part else "computed once per step in float64",
    )
