"""``train``: each rule's generated kernel on the digits, step by step beside its NumPy partner."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np

from symopt.declaration import Schedule, UpdateRule
from symopt.demo import softmax, straight_numpy
from symopt.demo.digits import Digits, load
from symopt.demo.kernel import Kernel, compiled_schedule
from symopt.demo.outcome import Outcome
from symopt.demo.settings import Setting, schedule_numbers, setting
from symopt.demo.straight_numpy import Straight
from symopt.errors import SymoptError, UsageError, nearest

DTYPES = ("float64", "float32")

Progress = Callable[[str, int, int], None]


def train(
    rules: Sequence[UpdateRule],
    schedules: Mapping[str, Schedule],
    *,
    epochs: int | None = None,
    seed: int = 0,
    dtype: str = "float64",
    progress: Progress | None = None,
) -> tuple[Outcome, ...]:
    """An outcome for each rule: a softmax classifier of digits, trained by its generated kernel.

    Beside it the same rule, written straight in NumPy float64, sees the same batches. ``schedules``
    are the declared schedules by name; ``epochs`` replaces every rule's own number of passes;
    ``seed`` decides the order of the examples; ``dtype`` is the kernel's. ``progress`` is called
    after each step with the rule's name, the step and the number of steps.

    Raises
    ------
    UsageError
        Before any training, for an argument or a rule that does not fit.
    SymoptError
        When a loss is no longer finite, with the rule and the step.
    """
    _check(epochs, seed, dtype)
    digits = load()
    runs = [_prepared(rule, schedules, epochs, dtype, len(digits.x_train)) for rule in rules]
    return tuple(_outcome(run, digits, seed, progress or _silent) for run in runs)


class Learner(Protocol):
    """An update rule at work on parameters, which it moves in place."""

    params: list[np.ndarray]
    per_example: bool

    def gradient_point(self) -> list[np.ndarray]:
        """Where the gradients of the next step are to be taken."""

    def step(self, grads: Sequence[np.ndarray]) -> None:
        """One step with a gradient for each array."""


@dataclass(frozen=True)
class Run:
    """A rule with all that its training needs, and its partner where it has one."""

    name: str
    schedule: str
    setting: Setting
    steps: int
    dtype: str
    kernel: Kernel
    partner: Straight | None


def _check(epochs: int | None, seed: int, dtype: str) -> None:
    if dtype not in DTYPES:
        raise UsageError(f"there is no dtype '{dtype}'; {nearest(dtype, DTYPES)}")
    if epochs is not None and epochs < 1:
        raise UsageError(f"epochs is {epochs}; train for 1 or more")
    if seed < 0:
        raise UsageError(f"seed is {seed}; take 0 or a larger number")


def _silent(_rule: str, _step: int, _steps: int) -> None:
    pass


def _prepared(
    rule: UpdateRule,
    schedules: Mapping[str, Schedule],
    epochs: int | None,
    dtype: str,
    examples: int,
) -> Run:
    chosen = setting(rule)
    chosen = replace(chosen, epochs=epochs or chosen.epochs)
    steps = chosen.epochs * math.ceil(examples / (chosen.batch or examples))
    numbers = schedule_numbers(chosen.schedule, chosen.alpha, steps)
    alpha = compiled_schedule(chosen.schedule, schedules, numbers)
    kernel = Kernel(rule, softmax.start(dtype), alpha)
    partner = None
    if kernel.scheduled and rule.name in straight_numpy.RULES:
        straight = partial(straight_numpy.SCHEDULES[chosen.schedule], **numbers)
        partner = Straight(rule.name, softmax.start("float64"), straight)
    shown = chosen.schedule if kernel.scheduled else ""
    return Run(rule.name, shown, chosen, steps, dtype, kernel, partner)


def _outcome(run: Run, digits: Digits, seed: int, progress: Progress) -> Outcome:
    run.kernel.warm_up()
    own, seconds = digits.astype(run.dtype), 0.0
    # a rule that diverges is reported in words
    with np.errstate(over="ignore", invalid="ignore"):
        batches = _batches(len(digits.x_train), run.setting, seed)
        for t, batch in enumerate(batches, start=1):
            began = time.perf_counter()
            _learn(run.kernel, own, batch, f"{run.name} at step {t}")
            seconds += time.perf_counter() - began
            if run.partner is not None:
                _learn(run.partner, digits, batch, f"{run.name} in NumPy at step {t}")
            progress(run.name, t, run.steps)
        loss, accuracy = _scores(run.kernel, digits, f"{run.name} at step {run.steps}")
        outcome = Outcome(
            run.name, run.schedule, run.steps, loss, accuracy, None, None, None, seconds
        )
        if run.partner is None:
            return outcome
        loss, accuracy = _scores(run.partner, digits, f"{run.name} in NumPy at step {run.steps}")
    return replace(
        outcome,
        reference_loss=loss,
        reference_accuracy=accuracy,
        deviation=_deviation(run.kernel, run.partner),
    )


def _batches(examples: int, setting: Setting, seed: int) -> Iterator[slice | np.ndarray]:
    """The examples of each step: in every epoch all of them, in a new order."""
    order = np.random.default_rng(seed)
    for _ in range(setting.epochs):
        if setting.batch is None:
            yield slice(None)
            continue
        shuffled = order.permutation(examples)
        for first in range(0, examples, setting.batch):
            yield shuffled[first : first + setting.batch]


def _learn(learner: Learner, digits: Digits, batch: slice | np.ndarray, where: str) -> None:
    """One step of a learner, with the gradient where and in the shape that it wants it."""
    gradients = softmax.example_gradients if learner.per_example else softmax.mean_gradients
    loss, grads = gradients(learner.gradient_point(), digits.x_train[batch], digits.y_train[batch])
    _check_finite(loss, where)
    learner.step(grads)


def _scores(learner: Learner, digits: Digits, where: str) -> tuple[float, float]:
    """The loss over the training set and the accuracy on the test set, both in float64."""
    params = [one.astype(np.float64) for one in learner.params]
    loss = softmax.loss(params, digits.x_train, digits.y_train)
    _check_finite(loss, where)
    return loss, softmax.accuracy(params, digits.x_test, digits.y_test)


def _check_finite(loss: float, where: str) -> None:
    if not math.isfinite(loss):
        shown = "NaN" if math.isnan(loss) else "infinite"
        raise SymoptError(f"{where}: the loss is {shown}; make alpha smaller, or mend the rule")


def _deviation(one: Learner, other: Learner) -> float:
    pairs = zip(one.params, other.params, strict=True)
    return max(float(np.max(np.abs(mine - its))) for mine, its in pairs)
