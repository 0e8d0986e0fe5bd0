"""A rule to be timed, with arrays for each contestant, all alike."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np

from symopt.bench.works import Work
from symopt.declaration import UpdateRule
from symopt.derivation.rule import derive_rule
from symopt.derivation.system import INPUT, System
from symopt.errors import UsageError
from symopt.runtime.compiling import compile
from symopt.targets.numba_rule import class_name

# gradients for each example, where a rule takes such
EXAMPLES = 8
MOST_COMPARED = 100_000
Arrays = list[np.ndarray]


class Arena:
    """A rule with all that its contestants need, and arrays for each of them, all alike.

    Raises
    ------
    UsageError
        For a rule with a hyperparameter that has no value.
    """

    def __init__(self, work: Work, threads: int) -> None:
        assert isinstance(work.declared, UpdateRule)
        self.work, self.threads, self.rule = work, threads, work.declared
        self.system: System = derive_rule(self.rule)
        self.module: ModuleType = compile(self.rule)
        self.numbers = _numbers(self.system)
        self.batched = any(one.examples is not None for one in self.system.of_role(INPUT))

    @cached_property
    def _drawn(self) -> tuple[Arrays, list[Arrays]]:
        """Gradients keep away from 0, so that it does not matter where a formula puts its ε."""
        draw = np.random.default_rng(0)
        params = [draw.standard_normal(one, np.float32) for one in self.work.shapes]
        inputs = [
            [_away_from_zero(draw, self._shape(one, param)) for param in params]
            for one in self.system.of_role(INPUT)
        ]
        return params, inputs

    def arrays(self) -> tuple[Arrays, list[Arrays]]:
        """Parameters, and for each input of the rule an array for each of them."""
        params, inputs = self._drawn
        return _copies(params), [_copies(one) for one in inputs]

    def heads(self) -> tuple[Arrays, list[Arrays]]:
        """The first elements of each in float64."""
        params, inputs = self._drawn
        if self.batched:
            return _doubled(params), [_doubled(one) for one in inputs]
        return _doubled(map(_head, params)), [_doubled(map(_head, one)) for one in inputs]

    def _shape(self, variable: Any, param: np.ndarray) -> tuple[int, ...]:
        return ((EXAMPLES,) if variable.examples is not None else ()) + param.shape

    def optimizer(self, params: Arrays) -> Any:
        """An object of the generated class."""
        return getattr(self.module, class_name(self.rule.name))(params, **self.numbers)


def _numbers(system: System) -> dict[str, float]:
    known = {one.spelling.python: float(n) for one, n in system.declared.default_values.items()}
    names = [one.spelling.python for one in system.hyperparameters]
    missing = [one for one in names if one not in known]
    if missing:
        raise UsageError(
            f"{system.declared.name} has no default for {missing[0]}, with which to time it; "
            f"add defaults={{{missing[0]}: …}}"
        )
    return {name: known[name] for name in names}


def _away_from_zero(draw: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    found = draw.random(shape, np.float32) - np.float32(0.5)
    found += np.copysign(np.float32(0.5), found)
    return found


def _copies(arrays: Iterable[np.ndarray]) -> Arrays:
    return [one.copy() for one in arrays]


def _doubled(arrays: Iterable[np.ndarray]) -> Arrays:
    return [one.astype(np.float64) for one in arrays]


def _head(array: np.ndarray) -> np.ndarray:
    """The first elements, of which there is no need to compare more: all are treated alike."""
    return array.reshape(-1)[:MOST_COMPARED]
