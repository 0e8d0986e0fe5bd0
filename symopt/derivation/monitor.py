"""From a declared monitor to a system of plain numbers in which nothing is left to derive."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Basic, Expr, Integer, KroneckerDelta
from sympy.core.function import AppliedUndef

from symopt.declaration import Monitor
from symopt.derivation.order import in_computable_order, offsets
from symopt.derivation.roles import check_given, check_initial, in_order, states
from symopt.derivation.solving import Solved, hyperparameters, solved, stated
from symopt.derivation.steps import Derivation, Line, Reason
from symopt.derivation.system import INPUT, STATE, TEMPORARY, Assignment, Dynamics, Variable
from symopt.derivation.times import at, entries, offset, step_index
from symopt.errors import DerivationError
from symopt.nodes import Expectation, Gradient, Largest, Norm, Sigma
from symopt.notation import Count, Index, Label, Parameter, Statistic
from symopt.printing.unicode import unicode
from symopt.views import occurrences

_NO_NUMBERS = (
    AppliedUndef, Count, Expectation, Gradient, KroneckerDelta, Label, Largest, Norm, Parameter,
    Statistic,
)  # fmt: skip


@dataclass(frozen=True)
class MonitorSystem(Dynamics):
    """A monitor with nothing left to derive: its inputs are observed, its states kept between."""

    output: Variable

    @property
    def roles(self) -> tuple[Derivation, ...]:
        """What is observed, what is kept and what comes out, as use has it; none without states."""
        observed: list[str | Expr] = []
        for one in self.of_role(INPUT):
            observed += [" and "] * bool(observed) + [at(one.sequence, self.step)]
        title: Reason = (
            *observed,
            f" {'is' if len(observed) == 1 else 'are'} observed, ",
            at(self.output.sequence, self.step, self.output.offset),
            " comes out; what is kept starts from",
        )
        kept = tuple(self._kept(one) for one in self.of_role(STATE))
        return (Derivation(self.declared.name, title, kept),) if kept else ()

    def _kept(self, state: Variable) -> Line:
        where, read = next(
            (one.id, entry)
            for one in self.assignments
            for entry in entries(one.right)
            if entry.base == state.sequence and offset(one.id, entry, self.step) < state.offset
        )
        assert state.initial is not None  # of a state it was checked
        first = state.sequence[Integer(state.offset)]
        return Line(first, state.initial, (f"a state, for {where} reads ", read))


def derive_monitor(monitor: Monitor) -> MonitorSystem:
    """The monitor as a system of assignments, all that follows from it derived.

    >>> from symopt.catalog.lecture.early_stopping import early_stopping
    >>> [f"{one.name}: {one.role}" for one in derive_monitor(early_stopping).variables]
    ['b: state', 'ell: input', 'w: state', 's: temporary']

    Raises
    ------
    DerivationError
        In one sentence, when something is no plain number, or what is asked for does not follow.
    """
    if not monitor.equations:
        raise DerivationError(
            f"{monitor.name} has no equation; write some, of which the last says what comes out"
        )
    for id, one in monitor.equations:
        _check_plain(id, one.left, step_index(one.left))
        _check_plain(id, one.right, step_index(one.left))
    step, equations = stated(monitor)
    found = solved(monitor, equations, step)
    ordered = in_computable_order(monitor.name, found.assignments, step)
    variables = _variables(monitor, ordered, found, step)
    if all(one.role != INPUT for one in variables):
        raise DerivationError(
            f"{monitor.name} observes nothing: none of its equations reads a letter from outside; "
            "declare what it observes with given('ell')"
        )
    last = monitor.equations[-1][1].left.base
    return MonitorSystem(
        declared=monitor,
        step=step,
        variables=variables,
        assignments=ordered,
        hyperparameters=hyperparameters(monitor, found.assignments),
        derivations=found.derivations,
        output=next(one for one in variables if one.sequence == last),
    )


def _variables(
    monitor: Monitor, ordered: tuple[Assignment, ...], found: Solved, step: Index
) -> tuple[Variable, ...]:
    """Each sequence with its role: what is read from before its own equation is a state."""
    defined = offsets(ordered, step)
    stateful = states(ordered, defined, step)
    check_given(monitor.name, ordered, defined)
    check_initial(monitor.name, ordered, stateful, found.initial)
    variables = []
    for one in in_order(ordered):
        if one not in defined:
            variables.append(Variable(one, INPUT))
        elif one in stateful:
            start = found.initial[one]
            variables.append(Variable(one, STATE, defined[one], initial=start))
        else:
            variables.append(Variable(one, TEMPORARY, defined[one]))
    return tuple(variables)


def _check_plain(id: str, expr: Basic, step: Index) -> None:
    for entry in entries(expr):
        letter, name = unicode(entry.base), unicode(step)
        if len(entry.indices) > 1 or not _counts_steps(entry.indices[0]):
            raise DerivationError(
                f"{id} reads {unicode(entry)}, a number of an array; a monitor knows plain "
                f"numbers alone, one at each step, so write {letter}[{name}]"
            )
    for total in occurrences(expr, Sigma):
        if total.args[1][0].counts != "bound":
            raise DerivationError(
                f"{id} sums over {unicode(total.args[1][0])}; a monitor knows plain numbers "
                "alone, so let it observe the sum"
            )
    for node in occurrences(expr, *_NO_NUMBERS):
        raise DerivationError(
            f"{id} holds {unicode(node)}, which is no plain number; let the monitor observe it, "
            "as a letter of its own such as given('ell')"
        )


def _counts_steps(index: Expr) -> bool:
    """Whether an index is a step, or one of a sum over steps."""
    return all(one.counts in ("step", "bound") for one in index.atoms(Index))
