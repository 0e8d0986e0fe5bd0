"""From a declared update rule to a system in which nothing is left to derive."""

from __future__ import annotations

from dataclasses import replace

from sympy import Basic, Expr

from symopt.declaration import Content, Debias, Equation, SideBySide, Statement, UpdateRule
from symopt.derivation.bias import Correction, correct
from symopt.derivation.gradients import name_gradients
from symopt.derivation.recurrence import recur
from symopt.derivation.roles import assign_roles, check_point, in_computable_order, scalars
from symopt.derivation.steps import Derivation
from symopt.derivation.system import Assignment, System
from symopt.derivation.times import check_components, entries, step_index, without_components
from symopt.errors import DerivationError
from symopt.nodes import Sigma
from symopt.notation import Count, Hyperparameter, Index, Sequence
from symopt.printing.unicode import unicode
from symopt.views import occurrences, substitute

Named = tuple[str, Equation]


def derive_rule(rule: UpdateRule) -> System:
    """The rule as a system of assignments, all that follows from it derived.

    >>> from symopt.catalog.lecture.adagrad import adagrad
    >>> [f"{one.name}: {one.role}" for one in derive_rule(adagrad).variables]
    ['G: state', 'g: input', 'theta: parameter']

    Raises
    ------
    DerivationError
        In one sentence, when something that is asked for does not follow.
    """
    step, stated = _stated(rule)
    gradients = name_gradients(stated, step)
    equations, initial, derivations = _recurrences(gradients.equations, step)
    known = {**rule.initial_values, **initial}
    equations, corrections = _corrected(rule, equations, known, step)
    for one in corrections:
        known.update(one.initial)
    assignments = tuple(Assignment(id, one.left, one.right) for id, one in equations)
    _check_sums(assignments)
    ordered = in_computable_order(rule.name, assignments, step)
    variables = assign_roles(rule.name, ordered, step, known, gradients)
    _check_counts(assignments, tuple(one.examples for one in variables))
    check_point(gradients.point, variables, step)
    taken = gradients.derivation(step)
    closed = (*derivations, *(one.derivation for one in corrections))
    used = _hyperparameters(rule, assignments)
    return System(
        rule=rule,
        step=step,
        variables=variables,
        assignments=ordered,
        hyperparameters=used,
        constants_in_time=frozenset(
            one
            for derivation in closed
            for line in derivation.lines
            for one in line.right.atoms(Hyperparameter)
        ),
        gradient_point=gradients.point,
        derivations=(*closed, taken) if taken else closed,
    )


def _stated(rule: UpdateRule) -> tuple[Index, tuple[Named, ...]]:
    """The step, and the equations with the component that they all hold for left out."""
    step = step_index(*(one.left for _, one in rule.equations))
    for id, one in rule.equations:
        check_components(id, one.left, one.right, step)
    return step, tuple((id, _without_components(one)) for id, one in rule.equations)


def _without_components(one: Equation) -> Equation:
    left, right = without_components(one.left), without_components(one.right)
    return replace(one, left=left, right=right)


def _recurrences(
    equations: tuple[Named, ...], step: Index
) -> tuple[tuple[Named, ...], dict[Sequence, Expr], tuple[Derivation, ...]]:
    found: list[Named] = []
    initial: dict[Sequence, Expr] = {}
    derivations: list[Derivation] = []
    for equation in equations:
        solved, starts, shown = recur(equation, step)
        found += solved
        initial.update(starts)
        derivations += shown
    return tuple(found), initial, tuple(derivations)


def _corrected(
    rule: UpdateRule,
    equations: tuple[Named, ...],
    initial: dict[Sequence, Expr],
    step: Index,
) -> tuple[tuple[Named, ...], tuple[Correction, ...]]:
    """Requests for bias correction ⇒ the equations of the corrected averages."""
    found, corrections = list(equations), []
    for statement in rule.statements:
        if isinstance(statement.content, Debias):
            where = rule.id_of(statement.key)
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


def _check_sums(assignments: tuple[Assignment, ...]) -> None:
    for one in assignments:
        for total in occurrences(one.right, Sigma):
            if isinstance(total, Sigma) and total.index.counts != "example":
                raise DerivationError(
                    f"{one.id} sums over {unicode(total.index)}, which counts neither past steps "
                    "nor examples; sum to the step t, or over symopt.symbols.example to a count"
                )


def _check_counts(assignments: tuple[Assignment, ...], known: tuple[Count | None, ...]) -> None:
    for one in assignments:
        for symbol in sorted(one.right.atoms(Count), key=str):
            if symbol not in known:
                raise DerivationError(
                    f"{one.id} uses the count {unicode(symbol)}, over which nothing is summed; "
                    f"sum the gradients of {unicode(symbol)} examples, or make it a hyperparameter"
                )


def _hyperparameters(
    rule: UpdateRule, assignments: tuple[Assignment, ...]
) -> tuple[Hyperparameter, ...]:
    """The hyperparameters that enter the step or an initial value, by name."""
    exprs = [*(one.right for one in assignments), *rule.initial_values.values()]
    used = {symbol for expr in exprs for symbol in expr.atoms(Hyperparameter)}
    return tuple(sorted(used, key=lambda one: one.spelling.python))


def completed(rule: UpdateRule) -> tuple[Statement, ...]:
    """The rule's statements with each request replaced by the equations that follow."""
    if not any(isinstance(one.content, Debias) for one in rule.statements):
        return rule.statements
    step, stated = _stated(rule)
    equations, initial, _ = _recurrences(name_gradients(stated, step).equations, step)
    known = {**rule.initial_values, **initial}

    def complete(statement: Statement) -> Content:
        if not isinstance(statement.content, Debias):
            return statement.content
        where = rule.id_of(statement.key)
        return SideBySide(
            tuple(
                equation
                for one in statement.content.sequences
                for equation in _correction(where, one, _inlined(equations), known, step).displayed
            )
        )

    return tuple(replace(one, content=complete(one)) for one in rule.statements)
