"""Modules of update rules whose states are kept in bfloat16: what is refused, and what is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sympy import Expr

from symopt.declaration import Declaration, UpdateRule
from symopt.declaration.fingerprint import fingerprint
from symopt.derivation.system import STATE, System, Variable
from symopt.errors import UsageError
from symopt.program.bfloat16 import in_bfloat16
from symopt.program.ir import Kernel
from symopt.targets.target import Options

BFLOAT16 = "bfloat16"


def checked_states(declared: Declaration, options: Options) -> Options:
    """The options with float32 alone, where states in bfloat16 are asked for.

    Raises
    ------
    UsageError
        If there are no such states, or no float32 arrays to compute with.
    """
    if not options.states:
        return options
    if options.states != BFLOAT16:
        raise UsageError(
            f"there are no states in '{options.states}'; known is {BFLOAT16}, and by default "
            "states are of the parameters' dtype"
        )
    if not isinstance(declared, UpdateRule):
        raise UsageError(
            f"{declared.name} is {declared.a_kind}, but states in bfloat16 are of update rules; "
            "leave states out"
        )
    if "float32" not in options.dtypes:
        raise UsageError(
            f"{declared.name}: states in bfloat16 go with float32 arrays, not with "
            f"{' or '.join(options.dtypes)}; take float32, or leave states out"
        )
    return replace(options, dtypes=("float32",))


def kept_states(system: System, options: Options) -> tuple[Variable, ...]:
    """The states that are kept in bfloat16; those that all elements share stay in float64.

    Raises
    ------
    UsageError
        If they are asked for, but the rule has none.
    """
    if not options.states:
        return ()
    found = tuple(one for one in system.of_role(STATE) if not one.scalar)
    if not found:
        raise UsageError(
            f"{system.declared.name} has no state of its parameters' shape to keep in bfloat16; "
            "leave states out"
        )
    return found


def kept_in_bfloat16(kernel: Kernel, states: tuple[Variable, ...]) -> Kernel:
    """The kernel with these states as bfloat16; itself, where there are none."""
    return in_bfloat16(kernel, [one.name for one in states]) if states else kernel


def own_fingerprint(declared: Declaration, options: Options) -> str:
    """The declaration's fingerprint; with states in bfloat16 mixed in, where they are."""
    if not options.states:
        return declared.fingerprint
    return fingerprint(declared.fingerprint, options.states)


def rounding_formulas(
    system: System, states: tuple[Variable, ...], show: Callable[[Expr], str], leads_to: str
) -> str:
    """What an equation reads of the step before: v_{t−1} ↦ R(v_{t−1}), for each of the states."""
    shown = [show(one.sequence[system.step + one.offset - 1]) for one in states]
    return ", ".join(f"{one} {leads_to} R({one})" for one in shown)


ROUNDING = (
    "R rounds at random to one of the two neighbours in bfloat16, and keeps the mean. "
    "States are stored so and read so by the next step; "
    "within a step, what it has computed is read in float32, not rounded yet."
)
