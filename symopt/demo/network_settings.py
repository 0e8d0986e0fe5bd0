"""How each rule trains the network: the one place that knows their names, and the network's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symopt.declaration import Network, Schedule, UpdateRule, draws, trained_by
from symopt.demo.data import Data
from symopt.demo.network_training import Run, steps_of
from symopt.demo.settings import Setting, schedule_numbers

NETWORK = "perceptron"

# 64 examples a step, but all where the rule is that of the full gradient
_SETTINGS: Mapping[str, Setting] = {
    "gd": Setting("constant", 0.5, None, 150),
    "gd_full": Setting("exponential_decay", 1.0, None, 150),
    "sgd": Setting("inverse_time", 0.3, 64, 30),
    "minibatch": Setting("step_decay", 0.3, 64, 30),
    "momentum": Setting("one_cycle", 0.1, 64, 30),
    "nesterov": Setting("cosine", 0.05, 64, 30),
    "adagrad": Setting("constant", 0.02, 64, 30),
    "rmsprop": Setting("exponential_decay", 0.003, 64, 30),
    "adam_naive": Setting("linear_warmup", 0.03, 64, 30),
    "adam_uncorrected": Setting("linear_warmup", 0.003, 64, 30),
    "adam": Setting("cosine", 0.01, 64, 30),
}
BATCH, EPOCHS = 64, 30


def run_with(
    network: Network,
    rule: UpdateRule,
    schedules: Mapping[str, Schedule],
    data: Data,
    epochs: int | None,
    batch: int | None,
) -> Run:
    """The network trained by a rule of the lecture, or by another one at its own α."""
    own = Setting("", 0.0, BATCH, EPOCHS)
    chosen = _SETTINGS.get(rule.name, own)
    chosen = replace(chosen, epochs=epochs or chosen.epochs)
    if batch is not None:
        chosen = replace(chosen, batch=batch)
    schedule = None
    if chosen.schedule:
        steps = chosen.epochs * steps_of(len(data.x_train), chosen.batch)
        numbers = schedule_numbers(chosen.schedule, chosen.alpha, steps)
        schedule = schedules[chosen.schedule](**numbers)
    trained = trained_by(network, rule, schedule)
    return Run(rule.name, chosen.schedule, trained, chosen.epochs, chosen.batch)


def run_of(network: Network, epochs: int | None, batch: int | None) -> Run:
    """The network as it is declared, with its own rule and schedule."""
    shown = network.schedule.declared.name if network.schedule else ""
    name = network.rule.declared.name
    return Run(name, shown, network, epochs or EPOCHS, batch or BATCH)


def unregularized(run: Run) -> Run:
    """The same without penalties, layers that draw at random, and early stopping."""
    kept = tuple(one for one in run.network.layers if not draws(one))
    bare = replace(run.network, layers=kept, penalties=(), stopping=None)
    return replace(run, name=f"{run.name}, unregularized", network=bare)
