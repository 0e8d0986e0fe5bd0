"""The arguments of a kernel: arrays in the order of their roles, then the numbers of a step."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from symopt.derivation.system import INPUT, PARAMETER, STATE, Dynamics, Variable
from symopt.notation import Hyperparameter, Sequence
from symopt.program.ir import ARRAY, BATCH, NUMBER, SCALAR_STATE, STEP, Argument

_ROLES = (PARAMETER, INPUT, STATE)


def array_arguments(
    variables: Iterable[Variable], written: Collection[Sequence] = ()
) -> tuple[Argument, ...]:
    """Parameters, inputs and states, those that are written marked."""
    ordered = sorted(variables, key=lambda one: _ROLES.index(one.role))
    return tuple(
        Argument(
            one.name,
            SCALAR_STATE if one.scalar else BATCH if one.examples else ARRAY,
            written=one.sequence in written,
        )
        for one in ordered
    )


def number_arguments(
    system: Dynamics, read: Collection[Hyperparameter], step: bool
) -> tuple[Argument, ...]:
    """The step, where it is counted, and the hyperparameters that are read."""
    defaults = system.declared.default_values
    found = [
        Argument(one.spelling.python, NUMBER, domain=one.domain, default=defaults.get(one))
        for one in system.hyperparameters
        if one in read
    ]
    first = [Argument(system.step.spelling.python, STEP)] if step else []
    return (*first, *found)
