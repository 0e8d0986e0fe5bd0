"""How each rule is trained: the one place here that knows rules and schedules by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from symopt.declaration import UpdateRule


@dataclass(frozen=True)
class Setting:
    """A schedule, the learning rate it starts from or rises to, and the examples of a step.

    ``batch`` is None where each step takes the whole training set; ``epochs`` counts passes
    over it.
    """

    schedule: str
    alpha: float
    batch: int | None
    epochs: int


SETTINGS: Mapping[str, Setting] = {
    "gd": Setting("constant", 0.3, None, 300),
    "gd_full": Setting("exponential_decay", 0.6, None, 300),
    "sgd": Setting("inverse_time", 0.1, 1, 3),
    "minibatch": Setting("step_decay", 0.5, 32, 20),
    "momentum": Setting("one_cycle", 0.1, 32, 20),
    "nesterov": Setting("cosine", 0.1, 32, 20),
    "adagrad": Setting("constant", 0.1, 32, 20),
    "rmsprop": Setting("exponential_decay", 0.02, 32, 20),
    "adam_naive": Setting("linear_warmup", 0.03, 32, 20),
    "adam_uncorrected": Setting("linear_warmup", 0.01, 32, 20),
    "adam": Setting("cosine", 0.02, 32, 20),
}


def setting(rule: UpdateRule) -> Setting:
    """The rule's setting; for one that is not of the lecture, its own alpha and batches of 32."""
    if rule.name in SETTINGS:
        return SETTINGS[rule.name]
    own = (value for key, value in rule.default_values.items() if key.spelling.python == "alpha")
    return Setting("constant", next(own, 0.01), 32, 20)


_Numbers = Mapping[str, float]

_NUMBERS: Mapping[str, Callable[[float, int], _Numbers]] = {
    "constant": lambda alpha, _steps: {"alpha": alpha},
    "step_decay": lambda alpha, steps: {"alpha_0": alpha, "gamma": 0.5, "s": _part(steps, 0.25)},
    "exponential_decay": lambda alpha, steps: {"alpha_0": alpha, "gamma": 0.1 ** (1 / steps)},
    "inverse_time": lambda alpha, steps: {"alpha_0": alpha, "k": 4 / steps},
    "cosine": lambda alpha, steps: {"alpha_max": alpha, "T": steps},
    "linear_warmup": lambda alpha, steps: {"alpha_max": alpha, "w": _part(steps, 0.1)},
    # one step more than there are, as at the very end of its cycle alpha is 0
    "one_cycle": lambda alpha, steps: {
        "alpha_max": alpha,
        "w": _part(steps, 0.3),
        "T": steps - _part(steps, 0.3) + 1,
    },
}


def schedule_numbers(schedule: str, alpha: float, steps: int) -> _Numbers:
    """A schedule's hyperparameters for a run of so many steps.

    >>> schedule_numbers("one_cycle", 0.1, 1000)
    {'alpha_max': 0.1, 'w': 300, 'T': 701}
    """
    return _NUMBERS[schedule](alpha, steps)


def _part(steps: int, share: float) -> int:
    return max(1, round(share * steps))
