"""Parts of a network ⇒ objects of their generated classes, arrays allocated once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sympy import Indexed

from symopt.declaration import Configured, Network, Penalty, Schedule
from symopt.derivation.network_shapes import Stage
from symopt.derivation.rule import derive_rule
from symopt.derivation.system import INPUT
from symopt.errors import UsageError, nearest
from symopt.runtime.compiling import compile
from symopt.targets.numba_rule import class_name


class FlatRows:
    """Each example's numbers in one row; it offers what every generated layer offers."""

    def __init__(self) -> None:
        self.parameters: dict[str, np.ndarray] = {}
        self.averages: dict[str, np.ndarray] = {}
        self.gradients: dict[str, np.ndarray] = {}
        self._shape: tuple[int, ...] = ()

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The same numbers, not copied."""
        self._shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """The gradient in the shape of the input."""
        return dy.reshape(self._shape)

    def train(self) -> None:
        """Nothing is kept from training."""

    def evaluate(self) -> None:
        """Nothing is kept from training."""

    def state_dict(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Nothing."""


def layer_of(network: Network, stage: Stage, dtype: str, seed: int) -> Any:
    """The layer at one place of a network.

    Raises
    ------
    UsageError
        If its class needs what neither the shape of its input nor its settings tell.
    """
    if not isinstance(stage.part, Configured):
        return FlatRows()
    shape = stage.inputs
    offers = {
        "channels": shape[0],
        "spatial": shape[1:],
        "shape": shape,
        "seed": seed,
        "dtype": np.dtype(dtype),
        "reuse": True,
        **dict(stage.sizes),
        **stage.part.chosen,
    }
    return _made(network, stage.part, offers)


def loss_of(network: Network, dtype: str) -> Any:
    """The loss of a network."""
    offers = {"dtype": np.dtype(dtype), "reuse": True, **network.loss.chosen}
    return _made(network, network.loss, offers)


def monitor_of(network: Network) -> Any:
    """What says when training is to end, if anything does."""
    return None if network.stopping is None else _made(network, network.stopping)


def _made(
    network: Network,
    part: Configured,
    offers: Mapping[str, Any] | None = None,
    first: tuple[Any, ...] = (),
) -> Any:
    """An object of the generated class, from its settings or what else there is to offer.

    Raises
    ------
    UsageError
        If the class needs more than that, or does not take it.
    """
    declared = part.declared
    make: Callable[..., Any] = getattr(compile(declared), class_name(declared.name))
    known = part.chosen if offers is None else offers
    taken = list(inspect.signature(make).parameters.items())[len(first) :]
    for name, one in taken:
        if one.default is one.empty and name not in known:
            raise UsageError(
                f"{network.name} uses {declared.name}, which needs {name}; write "
                f"{declared.name}({name}=…), or let the declaration say where it starts"
            )
    try:
        return make(*first, **{name: known[name] for name, _ in taken if name in known})
    except ValueError as error:
        raise UsageError(f"{network.name} cannot use {declared.name}: {error}") from error


@dataclass(frozen=True)
class Owed:
    """A penalty's module, its λ and the names of the parameters that it is on."""

    module: Any
    strength: float
    names: tuple[str, ...]


def owed_of(penalty: Penalty, parameters: Iterable[str]) -> Owed:
    """A penalty on those of the parameters, called ``layer.letter``, that it is meant for.

    Raises
    ------
    UsageError
        For a letter that no layer learns.
    """
    names = tuple(parameters)
    known = {name.rpartition(".")[2] for name in names}
    for letter in penalty.letters:
        if letter not in known:
            raise UsageError(
                f"the penalty {penalty.regularizer.name} is on {letter}, which no layer learns; "
                + nearest(letter, sorted(known))
            )
    wanted = set(penalty.letters) or known
    chosen = tuple(name for name in names if name.rpartition(".")[2] in wanted)
    return Owed(compile(penalty.regularizer), penalty.strength, chosen)


@dataclass(frozen=True)
class Stepping:
    """A rule's optimizer object over the parameters, and what its gradients look like."""

    optimizer: Any
    per_example: bool
    has_point: bool
    reacting: Any


def stepping_of(network: Network, parameters: list[np.ndarray]) -> Stepping:
    """The optimizer of a network, its α by the schedule where there is one.

    Raises
    ------
    UsageError
        For a rule that takes something else than the gradient of a loss, or a schedule for a
        hyperparameter that the rule does not have, or not as one that may change.
    """
    declared = network.rule.declared
    system = derive_rule(declared)
    inputs = system.of_role(INPUT)
    if len(inputs) != 1:
        raise UsageError(
            f"{declared.name} reads {len(inputs)} letters from outside, but a network hands it one "
            "thing, the gradient"
        )
    numbers, reacting = network.rule.chosen, None
    if network.schedule is not None:
        schedule = _made(network, network.schedule)
        if isinstance(network.schedule.declared, Schedule):
            numbers[_scheduled(network)] = schedule
        else:
            reacting = schedule
            numbers[_scheduled(network)] = lambda _step: schedule.value
    optimizer = _made(network, network.rule, numbers, (parameters,))
    examples = inputs[0].examples is not None
    return Stepping(optimizer, examples, system.gradient_point is not None, reacting)


def _scheduled(network: Network) -> str:
    """The name of the hyperparameter whose letter the schedule gives."""
    assert network.schedule is not None
    rule, schedule = network.rule.declared, network.schedule.declared
    left = schedule.equations[-1][1].left
    letter = (left.base if isinstance(left, Indexed) else left).spelling.unicode
    known = {one.spelling.unicode: one.spelling.python for one in _hyperparameters(network)}
    if letter not in known:
        raise UsageError(
            f"{schedule.name} gives {letter} at each step, which {rule.name} does not have; "
            "choose another schedule, or none"
        )
    if known[letter] not in compile(rule).SCHEDULED:
        raise UsageError(
            f"{rule.name} has a closed form that holds for a constant {letter} only; leave "
            f"{schedule.name} out"
        )
    return known[letter]


def _hyperparameters(network: Network) -> tuple[Any, ...]:
    return derive_rule(network.rule.declared).hyperparameters
