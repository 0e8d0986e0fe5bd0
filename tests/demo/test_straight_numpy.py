"""The second opinion is independent, and right where the answer is known without it."""

from __future__ import annotations

import ast
import inspect
import math

import numpy as np
import pytest

from symopt.demo import straight_numpy
from symopt.demo.kernel import compiled_schedule
from symopt.demo.settings import schedule_numbers
from symopt.demo.straight_numpy import RULES, SCHEDULES, Straight

ALPHA = 0.25
STEPS = 6


def test_it_imports_numpy_and_the_standard_library_alone():
    tree = ast.parse(inspect.getsource(straight_numpy))
    named = [one.names[0].name for one in ast.walk(tree) if isinstance(one, ast.Import)]
    named += [one.module for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)]
    assert set(named) == {"__future__", "collections.abc", "math", "numpy", "typing"}


def _after(rule: str, gradient: float, alpha: float = ALPHA) -> float:
    """How far a rule goes in ``STEPS`` steps along a gradient that stays the same."""
    learner = Straight(rule, [np.zeros(1)], lambda _t: alpha)
    for _ in range(STEPS):
        g = np.full(1, gradient)
        learner.step([np.stack([g + 1, g - 1]) if learner.per_example else g])
    return float(-learner.params[0][0])


# where a constant gradient of 2 leads, worked out on paper: sums of geometric series
_velocity = [(1 - 0.9**t) / (1 - 0.9) for t in range(1, STEPS + 1)]
_average = [1 - 0.9**t for t in range(1, STEPS + 1)]
_slow = [1 - 0.999**t for t in range(1, STEPS + 1)]
LENGTHS = {
    "gd": ALPHA * 2 * STEPS,
    "gd_full": ALPHA * 2 * STEPS,
    "sgd": ALPHA * 2 * STEPS,
    "minibatch": ALPHA * 2 * STEPS,
    "momentum": ALPHA * 2 * sum(_velocity),
    "nesterov": ALPHA * 2 * sum(_velocity),
    "adagrad": ALPHA * sum(1 / math.sqrt(t) for t in range(1, STEPS + 1)),
    "rmsprop": ALPHA * sum(1 / math.sqrt(one) for one in _average),
    "adam_naive": ALPHA**2
    * sum(v / math.sqrt(G) for v, G in zip(_velocity, _average, strict=True)),
    "adam_uncorrected": ALPHA * sum(v / math.sqrt(G) for v, G in zip(_average, _slow, strict=True)),
    "adam": ALPHA * STEPS,
}


@pytest.mark.parametrize("rule", RULES)
def test_a_constant_gradient_leads_where_geometric_series_say(rule):
    # ε = 1e-8 beside squares of at least 4·0.001 takes half of 1e-8/0.004 off at most
    assert _after(rule, 2.0) == pytest.approx(LENGTHS[rule], rel=1.25e-6)


def test_nesterov_looks_ahead_by_the_slowed_velocity():
    learner = Straight("nesterov", [np.zeros(1)], lambda _t: 1.0)
    learner.step([np.ones(1)])
    # θ = −1 and v = 1
    assert learner.gradient_point()[0].tolist() == [-1.9]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 45])
def test_schedules_agree_with_the_generated_ones_and_stay_positive(schedule, steps, schedules):
    numbers = schedule_numbers(schedule, 0.1, steps)
    generated = compiled_schedule(schedule, schedules, numbers)
    for t in range(1, steps + 1):
        straight = SCHEDULES[schedule](t, **numbers)
        assert straight > 0
        # under ten roundings of terms no larger than twice the largest value, 0.1; a power
        # γ^(t−1) is a rounding of its own
        assert abs(generated(t) - straight) <= 20 * 0.1 * np.finfo(float).eps
