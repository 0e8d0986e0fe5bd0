"""Monitors ⇒ numbers in the order in which they are computed, each from what is known by then."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Basic, Expr, Indexed, S

from symopt.derivation.monitor import MonitorSystem
from symopt.derivation.system import INPUT, STATE
from symopt.derivation.times import offset
from symopt.notation import Hyperparameter, Sequence
from symopt.program.accurate import accurate
from symopt.program.arguments import number_arguments
from symopt.program.ir import NUMBER, Argument, Assign, local
from symopt.program.lower import check_clashes
from symopt.program.places import now
from symopt.program.supported import check_supported
from symopt.views import rewrite


@dataclass(frozen=True)
class MonitorStep:
    """A step of a monitor, line by line: ``observed`` and ``states`` ⇒ ``kept`` and ``output``.

    ``kept`` pairs each state with the local that holds its new value, ``initial`` with what it
    starts from. The ``counter`` is the number of the observation, where an equation reads it.
    """

    observed: tuple[Argument, ...]
    states: tuple[Argument, ...]
    counter: tuple[Argument, ...]
    numbers: tuple[Argument, ...]
    computed: tuple[Assign, ...]
    kept: tuple[tuple[str, Expr], ...]
    output: Expr
    initial: tuple[tuple[str, Expr], ...]

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """All that the step is handed, in order."""
        return (*self.observed, *self.states, *self.counter, *self.numbers)


def lower_monitor(system: MonitorSystem) -> MonitorStep:
    """The equations as written, but for 1 − aⁿ, on locals: a state's new value is called ``…_now``.

    Raises
    ------
    LoweringError
        For an expression that no code is written for, or names that would be mixed up.
    """
    for one in system.assignments:
        check_supported(one.id, rewrite(one.right, _finite))
    check_clashes(system)

    def placed(node: Basic) -> Basic | None:
        if not isinstance(node, Indexed) or not isinstance(node.base, Sequence):
            return None
        variable = system.variable(node.base)
        old = variable.role == STATE and offset("", node, system.step) < variable.offset
        return local(variable.name) if old else now(variable)

    states = system.of_role(STATE)
    read = {h for one in system.assignments for h in one.right.atoms(Hyperparameter)}
    return MonitorStep(
        observed=tuple(Argument(one.name, NUMBER) for one in system.of_role(INPUT)),
        states=tuple(Argument(one.name, NUMBER) for one in states),
        counter=tuple(
            Argument(system.step.spelling.python, NUMBER, domain=S.Naturals)
            for _ in range(system.uses_step)
        ),
        numbers=number_arguments(system, read, step=False),
        computed=tuple(
            Assign(
                now(system.variable(one.target)),
                accurate(rewrite(one.right, placed)),
                note=one.id,
            )
            for one in system.assignments
        ),
        kept=tuple((one.name, now(one)) for one in states),
        output=now(system.output),
        initial=tuple((one.name, one.initial) for one in states if one.initial is not None),
    )


def _finite(node: Basic) -> Basic | None:
    """An infinity is a number to plain code, which it is not to a kernel."""
    return S.Zero if node in (S.Infinity, S.NegativeInfinity) else None
