"""A rule's generated kernel and schedule, ready to train."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from symopt.declaration import Schedule, UpdateRule
from symopt.derivation.rule import derive_rule
from symopt.derivation.system import INPUT, System
from symopt.errors import UsageError, nearest
from symopt.runtime.compiling import compile
from symopt.targets.numba_rule import class_name

ALPHA = "alpha"


class Kernel:
    """A compiled rule at work on parameters, a list of arrays that it moves in place.

    What the declaration says: ``per_example``, whether it takes a gradient for each example;
    ``scheduled``, whether it has an alpha that may follow a schedule.

    Raises
    ------
    UsageError
        For a rule that the gradient of a loss alone does not drive.
    """

    def __init__(
        self, rule: UpdateRule, params: Sequence[np.ndarray], alpha: Callable[[int], float]
    ) -> None:
        system = derive_rule(rule)
        self.per_example = _gradient_has_examples(system)
        self.scheduled = _takes_schedule(system)
        given = {ALPHA: alpha} if self.scheduled else {}
        _check_defaults(system, given)
        make = getattr(compile(rule), class_name(rule.name))
        self._made: Callable[[list[np.ndarray]], Any] = partial(make, **given)
        try:
            self._optimizer = self._made(list(params))
        except ValueError as error:
            raise UsageError(f"{error}; give a default inside it") from error
        self.params: list[np.ndarray] = list(self._optimizer.params)
        self._has_point = system.gradient_point is not None

    def gradient_point(self) -> list[np.ndarray]:
        """Where the gradients of the next step are to be taken."""
        point: list[np.ndarray] = (
            self._optimizer.gradient_point() if self._has_point else self.params
        )
        return point

    def step(self, grads: Sequence[np.ndarray]) -> None:
        """One step with a gradient for each array, or a batch of them."""
        try:
            self._optimizer.step(grads)
        except ValueError as error:
            # a schedule may leave the range of alpha on its way
            raise UsageError(f"{error} at step {self._optimizer.t + 1}") from error

    def warm_up(self) -> None:
        """A step of a copy, so that all is compiled before the first step that counts."""
        other = self._made([one.copy() for one in self.params])
        if self._has_point:
            other.gradient_point()
        lead = (1,) if self.per_example else ()
        other.step([np.zeros(lead + one.shape, one.dtype) for one in self.params])


def compiled_schedule(
    name: str, schedules: Mapping[str, Schedule], numbers: Mapping[str, float]
) -> Callable[[int], float]:
    """The generated schedule with these hyperparameters, a function of the step.

    Raises
    ------
    UsageError
        If there is no such schedule, or it does not take these.
    """
    if name not in schedules:
        raise UsageError(f"there is no schedule '{name}'; {nearest(name, schedules)}")
    make = getattr(compile(schedules[name]), class_name(name))
    try:
        made: Callable[[int], float] = make(**numbers)
    except ValueError as error:
        raise UsageError(f"{error}, which training needs; mend the default of alpha") from error
    return made


def _takes_schedule(system: System) -> bool:
    free = [one for one in system.hyperparameters if one not in system.constants_in_time]
    return ALPHA in [one.spelling.python for one in free]


def _gradient_has_examples(system: System) -> bool:
    inputs = system.of_role(INPUT)
    name = system.declared.name
    if not inputs:
        raise UsageError(
            f"{name} reads no gradient, so it learns nothing from a loss; "
            "write d(L(theta), theta) in its equations, or g[t]"
        )
    if len(inputs) > 1:
        shown = ", ".join(one.name for one in inputs)
        raise UsageError(
            f"{name} reads {shown} from outside, but training hands it one thing, the gradient; "
            "keep one of them and define the others by equations"
        )
    return inputs[0].examples is not None


def _check_defaults(system: System, given: Collection[str]) -> None:
    known = {one.spelling.python for one in system.declared.default_values}
    for one in system.hyperparameters:
        name = one.spelling.python
        if name not in known and name not in given:
            raise UsageError(
                f"{system.declared.name} has no default for {name}, with which to train it; "
                f"add defaults={{{name}: …}}"
            )
