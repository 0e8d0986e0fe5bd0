"""An update rule in plain NumPy: each of its equations evaluated as it stands, array by array."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sympy import Indexed, Symbol, lambdify

from symopt.derivation.system import INPUT, STATE, System
from symopt.errors import SymoptError
from symopt.nodes import Sigma
from symopt.views import canonical

# two arrays of different shapes are what SymPy's own translation cannot compare
FUNCTIONS = [{"Max": np.maximum, "Min": np.minimum, "sign": np.sign}, "numpy"]


class Straight:
    """The derived equations of a rule at work on arrays, which it moves in place.

    Raises
    ------
    SymoptError
        For a rule that NumPy's functions do not reach as it stands: one with a sum in it, say.
    """

    def __init__(
        self, system: System, params: Sequence[np.ndarray], numbers: Mapping[str, float]
    ) -> None:
        self.params = list(params)
        self._system, self._numbers, self._t = system, dict(numbers), 0
        self._equations = [(one.target, _function(system, one.right)) for one in system.assignments]
        starts = {
            one.sequence: _function(system, one.initial)
            for one in system.of_role(STATE)
            if one.initial is not None
        }
        self._states = [
            {
                key: np.zeros_like(param) + start({**self._numbers, system.step.name: 0})
                for key, start in starts.items()
            }
            for param in self.params
        ]

    def step(self, *inputs: Sequence[np.ndarray]) -> None:
        """One step, each input an array for each parameter array."""
        self._t += 1
        names = [one.sequence for one in self._system.of_role(INPUT)]
        for place, param in enumerate(self.params):
            given = dict(zip(names, (one[place] for one in inputs), strict=True))
            self._one(param, given, self._states[place])

    def _one(self, param: np.ndarray, given: Mapping[Any, Any], state: dict[Any, Any]) -> None:
        theta = self._system.parameter.sequence
        values: dict[str, Any] = {**self._numbers, self._system.step.name: self._t}
        values |= {_name(key, 1): one for key, one in state.items()}
        values |= {_name(key, 0): one for key, one in given.items()}
        values[_name(theta, 1)] = param
        for target, function in self._equations:
            values[_name(target, 0)] = function(values)
        for key in state:
            state[key] = values[_name(key, 0)]
        param[...] = values[_name(theta, 0)]


def _name(sequence: Any, age: int) -> str:
    return f"{sequence.spelling.python}_{('new', 'old')[age]}"


def _function(system: System, expr: Any) -> Callable[[Mapping[str, Any]], Any]:
    """An expression as a function of values by name."""
    whole = canonical(expr)
    if whole.has(Sigma):
        raise SymoptError(f"{system.declared.name} has a sum in it, which NumPy does not take")
    letters = {one: Symbol(_entry_name(system, one)) for one in whole.atoms(Indexed)}
    numbers = {one: Symbol(one.spelling.python) for one in system.hyperparameters}
    plain = whole.xreplace(letters).xreplace({**numbers, system.step: Symbol(system.step.name)})
    names = sorted(str(one) for one in plain.free_symbols)
    try:
        made = lambdify(names, plain, modules=FUNCTIONS)
    except Exception as error:  # whatever SymPy meets there, there is no such peer
        raise SymoptError(f"NumPy has no words for {system.declared.name}: {error}") from error
    return lambda values: made(**{name: values[name] for name in names})


def _entry_name(system: System, entry: Indexed) -> str:
    """A value at the offset at which its equation defines it is new, one before that old."""
    variable = system.variable(entry.base)
    shift = int(entry.indices[0] - system.step)
    current = variable.offset if variable.role != INPUT else 0
    if shift not in (current, current - 1):
        raise SymoptError(f"{system.declared.name} reads an entry of another step")
    return _name(entry.base, current - shift)
