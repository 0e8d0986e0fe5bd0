"""Stated equations ⇒ assignments: sums over the past as recurrences, requests as what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sympy import Basic, Expr

from symopt.declaration import Content, Debias, Declaration, Equation, SideBySide, Statement
from symopt.derivation.bias import Correction, correct
from symopt.derivation.gradients import name_gradients
from symopt.derivation.recurrence import recur
from symopt.derivation.roles import scalars
from symopt.derivation.steps import Derivation
from symopt.derivation.system import Assignment
from symopt.derivation.times import check_components, entries, step_index, without_components
from symopt.errors import DerivationError
from symopt.notation import Hyperparameter, Index, Sequence
from symopt.printing.unicode import unicode
from symopt.views import substitute

Named = tuple[str, Equation]


@dataclass(frozen=True)
class Solved:
    """What is to be computed at a step, what it starts from, and the derivations that led there."""

    assignments: tuple[Assignment, ...]
    initial: Mapping[Sequence, Expr]
    derivations: tuple[Derivation, ...]


def stated(declared: Declaration) -> tuple[Index, tuple[Named, ...]]:
    """The step, and the equations with the component that they all hold for left out.

    Raises
    ------
    DerivationError
        For an equation that reads another component than its own.
    """
    step = step_index(*(one.left for _, one in declared.equations))
    for id, one in declared.equations:
        check_components(id, one.left, one.right, step)
    return step, tuple((id, _without_components(one)) for id, one in declared.equations)


def _without_components(one: Equation) -> Equation:
    left, right = without_components(one.left), without_components(one.right)
    return replace(one, left=left, right=right)


def solved(declared: Declaration, equations: tuple[Named, ...], step: Index) -> Solved:
    """The equations with no sum over the past and no request left.

    Raises
    ------
    DerivationError
        In one sentence, when something that is asked for does not follow.
    """
    equations, initial, derivations = _recurrences(equations, step)
    known = {**declared.initial_values, **initial}
    equations, corrections = _corrected(declared, equations, known, step)
    for one in corrections:
        known.update(one.initial)
    return Solved(
        tuple(Assignment(id, one.left, one.right) for id, one in equations),
        known,
        (*derivations, *(one.derivation for one in corrections)),
    )


def _recurrences(
    equations: tuple[Named, ...], step: Index
) -> tuple[tuple[Named, ...], dict[Sequence, Expr], tuple[Derivation, ...]]:
    found: list[Named] = []
    initial: dict[Sequence, Expr] = {}
    derivations: list[Derivation] = []
    for equation in equations:
        made, starts, shown = recur(equation, step)
        found += made
        initial.update(starts)
        derivations += shown
    return tuple(found), initial, tuple(derivations)


def _corrected(
    declared: Declaration,
    equations: tuple[Named, ...],
    initial: dict[Sequence, Expr],
    step: Index,
) -> tuple[tuple[Named, ...], tuple[Correction, ...]]:
    """Requests for bias correction ⇒ the equations of the corrected averages."""
    found, corrections = list(equations), []
    for statement in declared.statements:
        if isinstance(statement.content, Debias):
            where = declared.id_of(statement.key)
            for sequence in statement.content.sequences:
                one = _correction(where, sequence, _inlined(equations), initial, step)
                corrections.append(one)
                found += [(where, equation) for equation in one.computed]
    return tuple(found), tuple(corrections)


def _inlined(equations: tuple[Named, ...]) -> tuple[Named, ...]:
    """Letters that depend on the step and hyperparameters alone, put in where they are read."""
    values: dict[Basic, Basic] = {}
    while True:
        found = {
            one.left: right
            for _, one in equations
            for right in [substitute(one.right, values)]
            if not entries(right) and one.left not in values
        }
        if not found:
            return tuple(
                (id, replace(one, right=substitute(one.right, values))) for id, one in equations
            )
        values.update(found)


def _correction(
    where: str,
    sequence: Sequence,
    equations: tuple[Named, ...],
    initial: dict[Sequence, Expr],
    step: Index,
) -> Correction:
    for id, one in equations:
        if one.left.base == sequence:
            if sequence not in initial:
                raise DerivationError(
                    f"{id} reads the past of the state {unicode(sequence)}, which has no initial "
                    f"value; add initially(0, {sequence.spelling.python}), "
                    "or what else it starts from"
                )
            if initial[sequence].is_Indexed:
                raise DerivationError(
                    f"debias({unicode(sequence)}) does not apply: {unicode(sequence)} starts from "
                    f"{unicode(initial[sequence])}, which no later step knows; start from a number"
                )
            if initial[sequence].is_infinite:
                raise DerivationError(
                    f"debias({unicode(sequence)}) does not apply: {unicode(sequence)} starts from "
                    f"{unicode(initial[sequence])}, which no average forgets; start from a number"
                )
            for entry in entries(one.right):
                if entry.base != sequence and entry.base in scalars(equations):
                    raise DerivationError(
                        f"debias({unicode(sequence)}) does not apply: {id} weights with "
                        f"{unicode(entry)}, a state of its own; write its value at step "
                        f"{unicode(step)} in its place"
                    )
            return correct(id, one, initial[sequence], step)
    raise DerivationError(
        f"{where} corrects {unicode(sequence)}, which no equation defines; "
        f"add the recurrence of {unicode(sequence)}"
    )


def hyperparameters(
    declared: Declaration, assignments: tuple[Assignment, ...]
) -> tuple[Hyperparameter, ...]:
    """The hyperparameters that enter a step or an initial value, by name."""
    exprs = [*(one.right for one in assignments), *declared.initial_values.values()]
    used = {symbol for expr in exprs for symbol in expr.atoms(Hyperparameter)}
    return tuple(sorted(used, key=lambda one: one.spelling.python))


def completed(declared: Declaration) -> tuple[Statement, ...]:
    """The statements with each request replaced by the equations that follow."""
    if not any(isinstance(one.content, Debias) for one in declared.statements):
        return declared.statements
    step, equations = stated(declared)
    equations, initial, _ = _recurrences(name_gradients(equations, step).equations, step)
    known = {**declared.initial_values, **initial}

    def complete(statement: Statement) -> Content:
        if not isinstance(statement.content, Debias):
            return statement.content
        where = declared.id_of(statement.key)
        return SideBySide(
            tuple(
                equation
                for one in statement.content.sequences
                for equation in _correction(where, one, _inlined(equations), known, step).displayed
            )
        )

    return tuple(replace(one, content=complete(one)) for one in declared.statements)
