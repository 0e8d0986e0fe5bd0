"""Letters of one rule as linear combinations of another's, solved for from a few steps of both.

A proposal is proved afterwards or not at all; nothing here is part of a proof.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from sympy import Add, Basic, Expr, Indexed, Pow, S, cancel
from sympy.polys.matrices import DomainMatrix
from sympy.polys.polyerrors import BasePolynomialError

from symopt.notation import Sequence
from symopt.proof.polynomial import rational
from symopt.proof.stepping import Stepping

STEPS = 4
# gradients of runs that are not alike, and what all runs start from
_GRADIENTS = ((3, -2, 5, 7), (-1, 4, 2, -3))
_STARTS = (Fraction(2), Fraction(-3))

Run = list[dict[Sequence, Expr]]


def linear_relation(
    one: Stepping, other: Stepping, letters: tuple[Sequence, ...]
) -> dict[Sequence, Expr]:
    """Those letters of the second rule that are combinations of the first's before each step.

    The weights are the same at every step and hold hyperparameters alone.
    """
    ours, theirs = list(_runs(one)), list(_runs(other, like=one))
    if not ours or len(ours) != len(theirs):
        return {}
    first, second = ([now for run in several for now in run] for several in (ours, theirs))
    columns = [letter for letter in one.old if all(_plain(now[letter]) for now in first)]
    found = {}
    for letter in letters:
        if all(_plain(now[letter]) for now in second):
            weights = _solved(
                [[now[column] for column in columns] for now in first],
                [now[letter] for now in second],
            )
            if weights is not None:
                pairs = zip(weights, columns, strict=True)
                found[letter] = Add(*(weight * one.old[column] for weight, column in pairs))
    return found


def _runs(rule: Stepping, like: Stepping | None = None) -> Iterator[Run]:
    """What a rule carries along before each of some steps, on numbers for all gradients."""
    begin = (like or rule).start[(like or rule).parameter]
    for gradients, start in zip(_GRADIENTS, _STARTS, strict=True):
        now = {
            letter: value.xreplace({begin: rational(start)}) for letter, value in rule.start.items()
        }
        run: Run = [now]
        for k in range(1, STEPS):
            values: dict[Basic, Basic] = {rule.old[letter]: value for letter, value in now.items()}
            taken = _taken(rule, gradients, k)
            now = {
                letter: cancel(expr.xreplace({**values, **taken}).subs(rule.step, k))
                for letter, expr in rule.new.items()
            }
            if any(value.has(Indexed) for value in now.values()):
                return  # gradients of single examples
            run.append(now)
        yield run


def _taken(rule: Stepping, gradients: tuple[int, ...], k: int) -> Mapping[Basic, Basic]:
    return {
        letter[rule.step]: S(gradients[(k + place) % len(gradients)] + place)
        for place, letter in enumerate(rule.inputs)
    }


def _plain(expr: Expr) -> bool:
    """Whether an expression is a quotient of polynomials."""
    return bool(expr.is_rational_function()) and all(
        power.exp.is_Integer for power in expr.atoms(Pow)
    )


def _solved(rows: list[list[Expr]], values: list[Expr]) -> list[Expr] | None:
    """Weights of the columns that give the values in all rows; what is left open is 0."""
    if not rows[0]:
        return None
    try:
        augmented = [[*row, value] for row, value in zip(rows, values, strict=True)]
        table = DomainMatrix.from_list_sympy(len(rows), len(rows[0]) + 1, augmented).to_field()
        reduced, pivots = table.rref()
    except (BasePolynomialError, NotImplementedError, ValueError):
        return None
    width = len(rows[0])
    if width in pivots:
        return None
    right = reduced.to_Matrix()[:, width]
    weights: list[Expr] = [S.Zero] * width
    for place, pivot in enumerate(pivots):
        weights[pivot] = cancel(right[place])
    return weights
