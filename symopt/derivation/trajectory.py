"""One step of a rule as a function of what it is applied to, and several steps one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Basic, Expr, S

from symopt.declaration import UpdateRule
from symopt.derivation.rule import derive_rule
from symopt.derivation.system import INPUT, PARAMETER, STATE, System, Variable
from symopt.derivation.times import at
from symopt.errors import DerivationError
from symopt.views import canonical


@dataclass(frozen=True)
class StepMap:
    """The parameter and the states ``before`` a step, and ``after`` it in terms of those.

    The parameter comes first. ``gradient`` is the entry that stands for the gradient, ``point``
    where it is taken.
    """

    system: System
    before: tuple[Expr, ...]
    names_after: tuple[Expr, ...]
    after: tuple[Expr, ...]
    gradient: Expr
    point: Expr

    @property
    def start(self) -> tuple[Expr, ...]:
        """The states before the first step; they follow the parameter."""
        states = self.system.of_role(STATE)
        return tuple(S.Zero if one.initial is None else canonical(one.initial) for one in states)

    def put(self, gradient: Expr) -> tuple[Expr, ...]:
        """What comes after the step where the gradient is this."""
        return tuple(canonical(one.xreplace({self.gradient: gradient})) for one in self.after)


def step_map(rule: UpdateRule) -> StepMap:
    """The step of a rule whose equations are put into each other.

    >>> from symopt.catalog.lecture.momentum import momentum
    >>> step_map(momentum).after[0]
    -alpha*g[t] - gamma*v[t - 1] + theta[t]

    Raises
    ------
    DerivationError
        For a rule that is handed no gradient, or one for each example of a batch.
    """
    system = derive_rule(rule)
    inputs = system.of_role(INPUT)
    if len(inputs) != 1 or inputs[0].examples is not None:
        several = "no gradient" if not inputs else "several inputs or a gradient for each example"
        raise DerivationError(
            f"{rule.name} is handed {several}; ask about a rule that is handed one gradient g"
        )
    values: dict[Basic, Expr] = {}
    for one in system.assignments:
        values[canonical(one.left)] = canonical(canonical(one.right).xreplace(values))
    moving = system.of_role(PARAMETER, STATE)
    ordered = sorted(moving, key=lambda one: one.role != PARAMETER)
    new = tuple(canonical(at(one.sequence, system.step, one.offset)) for one in ordered)
    here = ordered[0]
    point = system.gradient_point[1] if system.gradient_point else _old(here, system)
    return StepMap(
        system,
        tuple(_old(one, system) for one in ordered),
        new,
        tuple(values[one] for one in new),
        canonical(at(inputs[0].sequence, system.step)),
        canonical(point),
    )


def _old(one: Variable, system: System) -> Expr:
    entry: Expr = canonical(at(one.sequence, system.step, one.offset - 1))
    return entry


def run(
    step: StepMap, start: Expr, gradients: Any, numbers: Mapping[Basic, Expr], steps: int
) -> Iterator[tuple[Expr, ...]]:
    """The parameter and the states after each of some steps, from their start.

    ``gradients`` gives the gradient from the number of the step and the point where it is taken;
    ``numbers`` are put in for hyperparameters.
    """
    held = (start, *(one.xreplace(numbers) for one in step.start))
    after = tuple(one.xreplace(numbers) for one in step.after)
    point = step.point.xreplace(numbers)
    for number in range(1, steps + 1):
        old = dict(zip(step.before, held, strict=True))
        # entries hold t in their indices, so they are replaced before the step's own number
        place = point.xreplace(old)
        old[step.gradient] = gradients(number, place)
        now = {step.system.step: S(number)}
        held = tuple(canonical(one.xreplace(old).xreplace(now)) for one in after)
        yield held
