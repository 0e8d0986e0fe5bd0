"""Training a network step by step, so that it can stop anywhere and go on to the same bits."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from symopt.declaration import Network, draws
from symopt.demo.data import Data
from symopt.demo.network_ensemble import EnsembleOutcome, measured
from symopt.errors import DivergenceError, UsageError
from symopt.runtime.model import Evaluation, Model


@dataclass(frozen=True)
class Run:
    """A network to train under a name, for so many epochs, with so many examples a step.

    ``batch`` is None where each step takes all examples; ``schedule`` is what a table shows. Of
    layers that draw at random, so many ``members`` of their ensemble are looked at in the end.
    """

    name: str
    schedule: str
    network: Network
    epochs: int
    batch: int | None
    members: int = 0


@dataclass(frozen=True)
class NetworkOutcome:
    """What training came to: losses without penalties, accuracies, and the time that it took.

    Where training may stop early, all is of the epoch with the smallest validation loss, ``best``.
    ``seconds`` went into steps and looks at the validation data; compiling is left out.
    """

    name: str
    schedule: str
    epochs: int
    best: int
    train_loss: float
    train_accuracy: float | None
    validation_loss: float
    validation_accuracy: float | None
    seconds: float
    ensemble: EnsembleOutcome | None = None

    def json(self) -> dict[str, Any]:
        """The outcome for machines."""
        return asdict(self)


def outcome_of(saved: Mapping[str, Any]) -> NetworkOutcome:
    """The outcome that ``json`` gave."""
    inner = saved["ensemble"]
    found = None if inner is None else EnsembleOutcome(**inner)
    return NetworkOutcome(**{**saved, "ensemble": found})


def steps_of(examples: int, batch: int | None) -> int:
    """Steps in an epoch: the examples of each are as many as asked for, or a few more.

    So no step is left with a single example, of which there is no spread.

    >>> steps_of(1437, 64), steps_of(7, 2), steps_of(5, 8), steps_of(100, None)
    (22, 3, 1, 1)
    """
    return max(1, examples // (batch or examples))


class Training:
    """One run under way: ``step`` until it is ``done``, then its ``outcome``."""

    def __init__(self, run: Run, data: Data, *, dtype: str, seed: int) -> None:
        self.run, self.seed = run, seed
        self.data = data.astype(dtype)
        self.model = Model(run.network, dtype=dtype, seed=seed)
        self._dtype = dtype
        self.epoch, self.place = 0, 0
        self.done = False
        self.seconds = 0.0
        self.loss = math.nan  # of the last step
        self.validation = Evaluation(math.nan, None)
        self._best: dict[str, Any] | None = None
        self._batches = self._in_order(0)

    @property
    def batches(self) -> int:
        """Steps in an epoch."""
        return len(self._batches)

    def warm_up(self) -> None:
        """A step of another model, so that all is compiled before the first that counts."""
        other = Model(self.run.network, dtype=self._dtype, seed=self.seed)
        few = self._batches[0][:2]
        other.train_step(self.data.x_train[few], self.data.y_train[few])
        other.evaluate(self.data.x_train[few], self.data.y_train[few])

    def step(self) -> None:
        """One step; after the last one of an epoch, a look at the validation data.

        Raises
        ------
        DivergenceError
            If the loss is no longer finite, with the step and the layer.
        """
        began = time.perf_counter()
        batch = self._batches[self.place]
        self.loss = self.model.train_step(self.data.x_train[batch], self.data.y_train[batch])
        self.place += 1
        if self.place == len(self._batches):
            self._look()
        self.seconds += time.perf_counter() - began

    def outcome(self) -> NetworkOutcome:
        """What a run that is done came to."""
        best = self.epoch
        if self._best is not None:
            self.model.load_state_dict(self._best["model"])
            best = self._best["epoch"]
        train = self.model.evaluate(self.data.x_train, self.data.y_train)
        held = self.model.evaluate(self.data.x_validation, self.data.y_validation)
        return NetworkOutcome(
            self.run.name,
            self.run.schedule,
            self.epoch,
            best,
            train.loss,
            train.accuracy,
            held.loss,
            held.accuracy,
            self.seconds,
            self._ensemble(),
        )

    def _ensemble(self) -> EnsembleOutcome | None:
        """The ensemble behind layers that draw at random, where it was asked for."""
        if not self.run.members or not any(map(draws, self.run.network.layers)):
            return None
        return measured(self.model, self.data.x_validation, self.run.members)

    def _look(self) -> None:
        """The end of an epoch: the loss on data held back, and whether to go on."""
        self.epoch, self.place = self.epoch + 1, 0
        self._batches = self._in_order(self.epoch)
        self.validation = self.model.evaluate(self.data.x_validation, self.data.y_validation)
        loss = self.validation.loss
        if not math.isfinite(loss):
            raise DivergenceError(
                f"{self.run.network.name} after epoch {self.epoch}: the validation loss is {loss}; "
                "make α smaller, or look at the data that is held back"
            )
        ends = self.model.observe(loss)
        if self.run.network.stopping is not None and (
            self._best is None or loss < self._best["loss"]
        ):
            self._best = {"loss": loss, "epoch": self.epoch, "model": self.model.state_dict()}
        self.done = ends or self.epoch == self.run.epochs

    def _in_order(self, epoch: int) -> list[np.ndarray]:
        """The examples of each step of an epoch: all of them, in an order of the epoch's own."""
        examples = len(self.data.x_train)
        order = np.random.default_rng([self.seed, epoch]).permutation(examples)
        return np.array_split(order, steps_of(examples, self.run.batch))

    # what is kept

    def state_dict(self) -> dict[str, Any]:
        """A copy of all that the rest of the run depends on."""
        return {
            "epoch": self.epoch,
            "place": self.place,
            "done": self.done,
            "seconds": self.seconds,
            "loss": self.loss,
            "validation": [self.validation.loss, self.validation.accuracy],
            "best": self._best,
            "model": self.model.state_dict(),
        }

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Go on from what ``state_dict`` gave.

        Raises
        ------
        UsageError
            If it is of another network, or not whole.
        """
        wanted = set(self.state_dict())
        if not isinstance(saved, Mapping) or set(saved) != wanted:
            raise UsageError(f"what was saved is no state of a run of {self.run.network.name}")
        try:
            epoch, place = int(saved["epoch"]), int(saved["place"])
            seconds, loss = float(saved["seconds"]), float(saved["loss"])
            validation = Evaluation(*saved["validation"])
            batches = self._in_order(epoch)
            if not 0 <= place < len(batches) or not 0 <= epoch <= self.run.epochs:
                raise ValueError(f"place {place} of epoch {epoch}")
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"what was saved of a run of {self.run.network.name} is not whole: {error}"
            ) from error
        self.model.load_state_dict(saved["model"])
        self.epoch, self.place, self.done = epoch, place, bool(saved["done"])
        self.seconds, self.loss, self.validation = seconds, loss, validation
        self._best, self._batches = saved["best"], batches


def steps(training: Training) -> Iterator[Training]:
    """The training after each of its steps, until it is done."""
    while not training.done:
        training.step()
        yield training
