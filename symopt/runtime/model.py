"""A network at work: one step of training, and its loss and accuracy on other data."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from symopt.declaration import Network, draws
from symopt.derivation.network_shapes import comparison, stages
from symopt.errors import DivergenceError, UsageError
from symopt.runtime.assembly import layer_of, loss_of, monitor_of, owed_of, stepping_of
from symopt.runtime.divergence import first_not_finite
from symopt.runtime.undo import Undo

DTYPES = ("float32", "float64")
_MIDDLE = 2**63


@dataclass(frozen=True)
class Evaluation:
    """The mean loss, and the share of labels that are the likeliest; None where there are none."""

    loss: float
    accuracy: float | None


class Model:
    """A network with its parameters, running averages and states, every kernel a generated one.

    ``parameters`` are the arrays themselves by ``layer.letter``. All arrays are allocated when
    they are first needed for a shape of batch, and then used again.
    """

    def __init__(self, network: Network, *, dtype: str = "float32", seed: int = 0) -> None:
        if dtype not in DTYPES:
            raise UsageError(f"there is no dtype '{dtype}'; known are {', '.join(DTYPES)}")
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise UsageError(f"seed is {seed!r}; take a whole number from 0 on")
        self.network = network
        self.dtype = np.dtype(dtype)
        self.stages = stages(network)
        self.layers = [
            layer_of(network, one, dtype, _own_seed(seed, place))
            for place, one in enumerate(self.stages)
        ]
        self.loss = loss_of(network, dtype)
        self._output, self._target = comparison(network, self.stages[-1])
        # a loss of two arrays has a gradient by each, in the order in which it takes them
        self._place = list(inspect.signature(self.loss).parameters).index(self._output)
        self.parameters = {
            f"{stage.name}.{letter}": array
            for stage, layer in zip(self.stages, self.layers, strict=True)
            for letter, array in layer.parameters.items()
        }
        self._owed = [owed_of(one, self.parameters) for one in network.penalties]
        self._stepping = stepping_of(network, list(self.parameters.values()))
        self._before = [one.copy() for one in self._moved()]
        self._stopping = monitor_of(network)
        self._outputs: list[np.ndarray] = []
        self._undo, self._members = Undo(self.layers), 0
        self._drawing = [draws(one.part) for one in self.stages]
        self._trained, self._still = ([word] * len(self.stages) for word in (True, False))

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        count: int = self._stepping.optimizer.t
        return count

    def train_step(self, x: np.ndarray, targets: np.ndarray) -> float:
        """One step of training; what it makes smaller, the mean loss and penalties, before it.

        ``x`` has the shape (N, …) of N examples and the model's dtype; ``targets`` are labels of
        shape (N,), or numbers of the shape of the output.

        Raises
        ------
        ValueError
            For arrays that do not fit, before anything is changed.
        DivergenceError
            If the loss or a running average is no finite number, with the first layer that is to
            blame; nothing has changed then.
        """
        self._check(x)
        with self._undo.if_it_fails():
            with self._at_gradient_point():
                objective = self._forward(x, targets, training=True) + self.penalties()
                if not math.isfinite(objective) or not self._undo.finite():
                    why = first_not_finite(x, objective, self.stages, self.layers, self._outputs)
                    raise DivergenceError(f"{self.network.name} at step {self.steps + 1}: {why}")
                gradients = self._backward()
            self._stepping.optimizer.step(gradients)
        return objective

    def evaluate(self, x: np.ndarray, targets: np.ndarray) -> Evaluation:
        """The mean loss without penalties, and the accuracy, layers as they are after training.

        Raises
        ------
        ValueError
            For arrays that do not fit.
        """
        self._check(x)
        loss = self._forward(x, targets, training=False)
        labelled = np.ndim(targets) < self._outputs[-1].ndim
        hits = np.argmax(self._outputs[-1], axis=1) == targets if labelled else None
        return Evaluation(loss, None if hits is None else float(np.mean(hits)))

    def predict(self, x: np.ndarray) -> np.ndarray:
        """The output of the last layer for some examples, layers as they are after training."""
        self._check(x)
        return self._through(x, self._still).copy()

    def member(self, x: np.ndarray) -> np.ndarray:
        """The output of one network of the ensemble that layers with random letters stand for.

        They draw anew at each call; all other layers are as they are after training, which goes on
        as if nothing had been drawn.
        """
        self._check(x)
        # steps of training count from 0, members of the ensemble from the middle
        drawing, self._members = _MIDDLE + self._members, self._members + 1
        with self._undo.in_any_case(drawing):
            return self._through(x, self._drawing).copy()

    def penalties(self) -> float:
        """The penalties on the parameters as they are, each times its λ."""
        return sum(
            one.strength * one.module.value(self.parameters[name])
            for one in self._owed
            for name in one.names
        )

    def observe(self, validation_loss: float) -> bool:
        """Whether training is to end, now that this is the loss on data held back.

        A schedule that reacts to it takes notice too.
        """
        if self._stepping.reacting is not None:
            self._stepping.reacting.step(validation_loss)
        return self._stopping is not None and bool(self._stopping.step(validation_loss))

    # one pass

    def _forward(self, x: np.ndarray, targets: np.ndarray, training: bool) -> float:
        output = self._through(x, self._trained if training else self._still)
        found: float = self.loss(**{self._output: output, self._target: targets})
        return found

    def _through(self, x: np.ndarray, modes: Sequence[bool]) -> np.ndarray:
        """The output, each layer in training or as it is after it."""
        self._outputs.clear()
        for layer, training in zip(self.layers, modes, strict=True):
            layer.train() if training else layer.evaluate()
            x = layer(x)
            self._outputs.append(x)
        return x

    def _backward(self) -> list[np.ndarray]:
        """The gradient of each parameter, penalties added."""
        found = self.loss.backward(1.0)
        adjoint = found[self._place] if isinstance(found, tuple) else found
        for layer in reversed(self.layers):
            adjoint = layer.backward(adjoint)
        gradients = {
            f"{stage.name}.{letter}": array
            for stage, layer in zip(self.stages, self.layers, strict=True)
            for letter, array in layer.gradients.items()
        }
        for one in self._owed:
            for name in one.names:
                one.module.gradient(self.parameters[name], gradients[name], lambda_=one.strength)
        lead = (np.newaxis,) if self._stepping.per_example else ()
        return [gradients[name][lead] for name in self.parameters]

    def _moved(self) -> list[np.ndarray]:
        """The arrays that stand elsewhere while a gradient is taken."""
        return list(self.parameters.values()) if self._stepping.has_point else []

    @contextmanager
    def _at_gradient_point(self) -> Iterator[None]:
        """Parameters where the rule wants its gradient taken, and back again."""
        moved = self._moved()
        if moved:
            point = self._stepping.optimizer.gradient_point()
            for mine, before, there in zip(moved, self._before, point, strict=True):
                before[...] = mine
                mine[...] = there
        try:
            yield
        finally:
            for mine, before in zip(moved, self._before, strict=True):
                mine[...] = before

    # what goes wrong

    def _check(self, x: np.ndarray) -> None:
        name, wanted = self.network.name, self.network.inputs
        if not isinstance(x, np.ndarray) or x.dtype != self.dtype:
            found = x.dtype if isinstance(x, np.ndarray) else type(x).__name__
            raise ValueError(f"{name}: the input is {found}, but needs to be {self.dtype}")
        if x.shape[1:] != wanted or x.ndim == 0 or len(x) == 0:
            shape = ", ".join(["N", *map(str, wanted)])
            raise ValueError(f"{name}: the input has shape {x.shape}, but ({shape}) is needed")

    # what is kept

    def state_dict(self) -> dict[str, Any]:
        """A copy of all that the next step depends on, parameters included."""
        optimizer = self._stepping.optimizer.state_dict()
        numbers = optimizer["hyperparameters"]
        # a schedule is declared in the network, and made anew from it
        optimizer["hyperparameters"] = {k: v for k, v in numbers.items() if not callable(v)}
        return {
            "network": self.network.name,
            "fingerprint": self.network.fingerprint,
            "dtype": self.dtype.name,
            "layers": [one.state_dict() for one in self.layers],
            "optimizer": optimizer,
            "monitors": [
                None if one is None else one.state_dict()
                for one in (self._stepping.reacting, self._stopping)
            ],
        }

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Go on from what ``state_dict`` gave.

        Raises
        ------
        UsageError
            If it is of another network or dtype, or not whole; nothing has changed then.
        """
        _check_saved(self, saved)
        before = self.state_dict()
        try:
            self._load(saved)
        except Exception as error:
            self._load(before)
            raise UsageError(
                f"what was saved of {self.network.name} is not whole: {error}"
            ) from None

    def _load(self, saved: Mapping[str, Any]) -> None:
        optimizer = dict(saved["optimizer"])
        own = self._stepping.optimizer.hyperparameters
        kept = {key: value for key, value in own.items() if callable(value)}
        optimizer["hyperparameters"] = {**optimizer["hyperparameters"], **kept}
        self._stepping.optimizer.load_state_dict(optimizer)
        for layer, one in zip(self.layers, saved["layers"], strict=True):
            layer.load_state_dict(one)
        several = (self._stepping.reacting, self._stopping)
        for monitor, one in zip(several, saved["monitors"], strict=True):
            if monitor is not None:
                monitor.load_state_dict(one)


def _own_seed(seed: int, place: int) -> int:
    """A seed for one layer, unlike those of its neighbours."""
    return int(np.random.SeedSequence([seed, place]).generate_state(1, np.uint64)[0])


def _check_saved(model: Model, saved: Mapping[str, Any]) -> None:
    name, own = model.network.name, model.network.fingerprint
    wanted = {"fingerprint", "dtype", "layers", "optimizer", "monitors"}
    if not isinstance(saved, Mapping) or not wanted <= set(saved):
        raise UsageError(f"what was saved is no state of a network; {name} has not changed")
    if saved["fingerprint"] != own:
        raise UsageError(
            f"what was saved is of {saved.get('network')} {saved['fingerprint']}, not of {name} "
            f"{own}; take the network that it was saved from"
        )
    if saved["dtype"] != model.dtype.name:
        raise UsageError(
            f"what was saved of {name} is {saved['dtype']}, but this model is {model.dtype.name}; "
            f'compile it with dtype="{saved["dtype"]}"'
        )
