"""From a declared update rule to a system in which nothing is left to derive."""

from __future__ import annotations

from functools import lru_cache

from symopt.declaration import UpdateRule
from symopt.derivation.gradients import name_gradients
from symopt.derivation.order import in_computable_order
from symopt.derivation.roles import assign_roles, check_point
from symopt.derivation.solving import hyperparameters, solved, stated
from symopt.derivation.system import Assignment, System
from symopt.errors import DerivationError
from symopt.nodes import Sigma
from symopt.notation import Count, Hyperparameter
from symopt.printing.unicode import unicode
from symopt.views import occurrences


@lru_cache(maxsize=256)  # a module's functions, its judge and its class all ask
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
    step, equations = stated(rule)
    gradients = name_gradients(equations, step)
    found = solved(rule, gradients.equations, step)
    _check_sums(found.assignments)
    ordered = in_computable_order(rule.name, found.assignments, step)
    variables = assign_roles(rule.name, ordered, step, found.initial, gradients)
    _check_counts(found.assignments, tuple(one.examples for one in variables))
    check_point(gradients.point, variables, step)
    taken = gradients.derivation(step)
    return System(
        declared=rule,
        step=step,
        variables=variables,
        assignments=ordered,
        hyperparameters=hyperparameters(rule, found.assignments),
        derivations=(*found.derivations, taken) if taken else found.derivations,
        constants_in_time=frozenset(
            one
            for derivation in found.derivations
            for line in derivation.lines
            for one in line.right.atoms(Hyperparameter)
        ),
        gradient_point=gradients.point,
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
