"""Roles from use: which sequences are states, temporaries and inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sympy import Expr, S

from symopt.declaration import Equation
from symopt.derivation.gradients import Gradients
from symopt.derivation.order import offsets
from symopt.derivation.system import INPUT, PARAMETER, STATE, TEMPORARY, Assignment, Variable
from symopt.derivation.times import entries, offset
from symopt.errors import DerivationError
from symopt.notation import Index, Sequence
from symopt.printing.unicode import unicode
from symopt.symbols import t as default_step
from symopt.views import canonical, substitute


def assign_roles(
    name: str,
    assignments: tuple[Assignment, ...],
    step: Index,
    initial: Mapping[Sequence, Expr],
    gradients: Gradients,
) -> tuple[Variable, ...]:
    """Each sequence with its role: one that is read from before its own equation is a state.

    The parameters are the state that the gradient is taken of, or the one that has no initial
    value because its user brings it.

    Raises
    ------
    DerivationError
        If a sequence has no equation, is read too early or too late, or lacks an initial value.
    """
    defined = offsets(assignments, step)
    stateful = states(assignments, defined, step)
    check_given(name, assignments, defined, gradients.symbol)
    chosen = _parameter(name, stateful, initial, gradients.parameter)
    check_initial(name, assignments, stateful, initial, chosen)
    elementwise = _elementwise(assignments, chosen)
    examples = dict(gradients.examples)
    found = []
    for sequence in in_order(assignments):
        scalar = sequence not in elementwise
        if sequence not in defined:
            found.append(Variable(sequence, INPUT, examples=examples.get(sequence)))
        elif sequence == chosen:
            found.append(Variable(sequence, PARAMETER, defined[sequence]))
        elif sequence in stateful:
            start = initial[sequence]
            found.append(Variable(sequence, STATE, defined[sequence], scalar, start))
        else:
            found.append(Variable(sequence, TEMPORARY, defined[sequence], scalar))
    return tuple(found)


def in_order(assignments: tuple[Assignment, ...]) -> Iterable[Sequence]:
    """The sequences in the order in which the equations bring them up."""
    met: dict[Sequence, None] = {}
    for one in assignments:
        for entry in (one.left, *entries(one.right)):
            met.setdefault(entry.base)
    return met


def states(
    assignments: tuple[Assignment, ...], defined: Mapping[Sequence, int], step: Index
) -> tuple[Sequence, ...]:
    """The sequences that an equation reads from before their own.

    Raises
    ------
    DerivationError
        If a sequence is read too early or too late.
    """
    stateful: dict[Sequence, None] = {}
    for one in assignments:
        for entry in entries(one.right):
            here = offset(one.id, entry, step)
            base = entry.base
            letter, name = unicode(base), unicode(step)
            if base not in defined:
                if here != 0:
                    raise DerivationError(
                        f"{one.id} reads {unicode(entry)}, but only {letter}[{name}] is given at "
                        f"step {name}; keep an earlier value in a state of its own"
                    )
                continue
            lag = here - defined[base]
            if lag > 0:
                raise DerivationError(
                    f"{one.id} reads {unicode(entry)}, which is not yet known at step {name}; "
                    f"write {letter}[{_shifted(name, defined[base])}] or "
                    f"{letter}[{_shifted(name, defined[base] - 1)}]"
                )
            if lag < -1:
                before = f"{letter}[{_shifted(name, defined[base] - 1)}]"
                raise DerivationError(
                    f"{one.id} reads {unicode(entry)}, two or more steps back; keep it in a state "
                    f"of its own, such as p[{name}] = {before} with initially(…, p)"
                )
            if lag == -1:
                stateful.setdefault(base)
    return tuple(stateful)


def _shifted(name: str, shift: int) -> str:
    return name if shift == 0 else f"{name} {'+' if shift > 0 else '-'} {abs(shift)}"


def check_given(
    name: str,
    assignments: tuple[Assignment, ...],
    defined: Mapping[Sequence, int],
    gradient: Sequence | None = None,
) -> None:
    """Nothing, when each sequence without an equation is given from outside.

    Raises
    ------
    DerivationError
        For one that is not.
    """
    for one in assignments:
        for entry in entries(one.right):
            known = entry.base in defined or entry.base == gradient
            if not known and entry.base.role != "given":
                letter, word = unicode(entry.base), entry.base.spelling.python
                raise DerivationError(
                    f"{one.id} reads {unicode(entry)}, which no equation of {name} defines; add "
                    f"an equation for {letter}, or declare it with given('{word}') if it comes "
                    "from outside"
                )


def _parameter(
    name: str,
    stateful: tuple[Sequence, ...],
    initial: Mapping[Sequence, Expr],
    parameter: Sequence | None,
) -> Sequence:
    if parameter is not None and parameter in stateful:
        return parameter
    if parameter is not None:
        letter = unicode(parameter)
        raise DerivationError(
            f"{name} takes the gradient with respect to {letter}, which no step moves; "
            f"add a step for it, such as {letter}[t + 1] = {letter}[t] − …"
        )
    open_ended = [one for one in stateful if one not in initial]
    named = [one for one in open_ended if one.spelling.python == "theta"]
    for candidates in (named, open_ended[-1:]):
        if candidates:
            return candidates[0]
    raise DerivationError(
        f"{name} moves no parameters: no sequence without an initial value refers to its own past; "
        "add a step such as Eq(theta[t + 1], theta[t] - alpha*g[t])"
    )


def check_initial(
    name: str,
    assignments: tuple[Assignment, ...],
    stateful: tuple[Sequence, ...],
    initial: Mapping[Sequence, Expr],
    parameter: Sequence | None = None,
) -> None:
    """Nothing, when each state but the parameters has an initial value, and nothing else has.

    Raises
    ------
    DerivationError
        For a sequence of which this is not so, or one that starts from no number.
    """
    for sequence in stateful:
        if sequence not in initial and sequence != parameter:
            where = next(one.id for one in assignments if one.target == sequence)
            letter = unicode(sequence)
            raise DerivationError(
                f"{where} reads the past of the state {letter}, which has no initial value; "
                f"add initially(0, {sequence.spelling.python}), or what else it starts from"
            )
    if parameter is not None and parameter in initial:
        raise DerivationError(
            f"{name} gives an initial value to its parameters {unicode(parameter)}; "
            "their first value is their user's to choose, so leave it out"
        )
    for sequence, start in initial.items():
        first = None if parameter is None else _first(assignments, parameter)
        if start.is_Indexed and start != first:
            known = f" or from the first value of the parameters, {unicode(first)}" if first else ""
            raise DerivationError(
                f"{name} starts {unicode(sequence)} from {unicode(start)}; a state starts from a "
                f"number{known}"
            )
        if sequence not in stateful:
            letter = unicode(sequence)
            raise DerivationError(
                f"{name} gives an initial value to {letter}, which is no state: no equation reads "
                f"its past; leave the initial value out"
            )


def _first(assignments: tuple[Assignment, ...], parameter: Sequence) -> Expr:
    """The parameters before the first step: θ_1 where θ_{t+1} is defined, θ_0 where θ_t is."""
    left = next(one.left for one in assignments if one.target == parameter)
    return parameter[canonical(left.indices[0]).subs(default_step, 0)]


def scalars(equations: tuple[tuple[str, Equation], ...]) -> frozenset[Sequence]:
    """The sequences that no data enters into."""
    defined = {one.left.base for _, one in equations}
    moving = {entry.base for _, one in equations for entry in entries(one.right)} - defined
    while True:
        reached = {
            one.left.base
            for _, one in equations
            if any(entry.base in moving for entry in entries(one.right))
        }
        if reached <= moving:
            return frozenset(defined - moving)
        moving |= reached


def check_point(
    point: tuple[str, Expr] | None, variables: tuple[Variable, ...], step: Index
) -> None:
    """The point of the gradient is asked for before the step: it may read what is known then.

    Raises
    ------
    DerivationError
        If it reads anything else.
    """
    if point is None:
        return
    where, expr = point
    known = {one.sequence: one for one in variables}
    for entry in entries(expr):
        one = known.get(entry.base)
        before = one is not None and offset(where, entry, step) - one.offset == -1
        if one is None or one.role not in (PARAMETER, STATE) or one.scalar or not before:
            raise DerivationError(
                f"{where} takes the gradient at {unicode(expr)}, which reads {unicode(entry)}; "
                "before the step only the parameters and the states of the step before are known"
            )
    if substitute(expr, dict.fromkeys(entries(expr), S.One)).has(step):
        raise DerivationError(
            f"{where} takes the gradient at {unicode(expr)}, which depends on the number of the "
            "step; let a hyperparameter follow a schedule instead"
        )


def _elementwise(assignments: tuple[Assignment, ...], parameter: Sequence) -> frozenset[Sequence]:
    """The sequences that depend, however indirectly, on data."""
    defined = {one.target for one in assignments}
    found = {parameter}
    for one in assignments:
        found |= {entry.base for entry in entries(one.right) if entry.base not in defined}
    while True:
        reached = {
            one.target
            for one in assignments
            if any(entry.base in found for entry in entries(one.right))
        }
        if reached <= found:
            return frozenset(found)
        found |= reached
