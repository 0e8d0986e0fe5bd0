"""Kernels end where the same rules, straight in NumPy, end, but for rounding.

The tolerance is what rounding itself does to a rule. ``Disturbed`` is the NumPy rule in which each
result is off by as many units of rounding as it takes roundings to compute, in the kernel's dtype
and with signs drawn once and then kept: its errors add up over the steps, where those of a kernel
partly cancel. Trained on the same batches, it ends as far away as a correct kernel may.
"""

from __future__ import annotations

import numpy as np
import pytest

from symopt.demo import straight_numpy, train, training
from symopt.demo.settings import SETTINGS
from symopt.demo.straight_numpy import PER_EXAMPLE, POINTS, RULES, Straight

NAMES = tuple(RULES)
# a rule that sees all examples in each step takes one step an epoch
EPOCHS = {name: 12 if SETTINGS[name].batch is None else 1 for name in NAMES}

SCORE_ROUNDINGS = 64  # a score is a sum over 64 pixels
STEP_ROUNDINGS = 8  # no rule computes a state, or its step from its states, in more operations


class Disturbed:
    """A rule straight in NumPy float64, with the roundings of the params' dtype at their worst."""

    scheduled = True
    per_example = True

    def __init__(self, rule, params, alpha):
        self.name = rule.name
        self.unit = np.finfo(params[0].dtype).eps / 2
        self.params = [one.astype(np.float64) for one in params]
        self.states = [() for _ in params]
        self.alpha, self.t = alpha, 0
        random = np.random.default_rng(7)
        self.signs = [random.choice([-1.0, 1.0], one.shape) for one in params]

    def warm_up(self):
        pass

    def _off(self, value, count, place):
        return value * (1 + count * self.unit * self.signs[place])

    def gradient_point(self):
        point = POINTS.get(self.name, lambda theta, *_state: theta)
        return [
            self._off(point(theta, *state), SCORE_ROUNDINGS, place)
            for place, (theta, state) in enumerate(zip(self.params, self.states, strict=True))
        ]

    def step(self, grads):
        self.t += 1
        for place, each in enumerate(grads):
            # a mean of m takes m − 1 additions and a division
            size = len(each) * self.unit * np.mean(np.abs(each), axis=0)
            mean = np.mean(each, axis=0) + size * self.signs[place]
            handed = mean[None] if self.name in PER_EXAMPLE else mean
            before = self.params[place]
            after, state = RULES[self.name](before, handed, self.alpha(self.t), *self.states[place])
            moved = self._off(after - before, STEP_ROUNDINGS, place)
            self.params[place][...] = self._off(before + moved, 1, place)
            self.states[place] = tuple(
                self._off(one, STEP_ROUNDINGS, place) if isinstance(one, np.ndarray) else one
                for one in state
            )


def allowed(rule, schedules, dtype):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "Kernel", Disturbed)
        (outcome,) = train([rule], schedules, epochs=EPOCHS[rule.name], dtype=dtype)
    return outcome.deviation


def test_every_rule_of_the_lecture_has_a_partner_and_a_setting_of_its_own(rules):
    assert {one.name for one in rules} == set(RULES) == set(SETTINGS)


@pytest.mark.parametrize("dtype", training.DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_a_kernel_ends_where_numpy_ends_but_for_rounding(name, dtype, library, schedules):
    (outcome,) = train([library[name]], schedules, epochs=EPOCHS[name], dtype=dtype)
    tolerance = allowed(library[name], schedules, dtype)
    assert outcome.deviation <= tolerance
    # not a tolerance that would let anything pass: parameters are of the order of 1
    assert tolerance < 2.0**14 * np.finfo(dtype).eps
    # |∂loss/∂θ| ≤ 1 each, as pixels and probabilities lie in [0, 1]; 650 parameters
    assert abs(outcome.loss - outcome.reference_loss) <= 650 * tolerance


@pytest.mark.parametrize(
    ("name", "constant"),
    [
        ("momentum", "GAMMA"),
        ("nesterov", "GAMMA"),
        ("adagrad", "EPSILON"),
        ("rmsprop", "BETA"),
        ("adam_naive", "BETA"),
        ("adam_uncorrected", "BETA_1"),
        ("adam", "BETA_2"),
    ],
)
def test_a_constant_that_is_off_in_its_seventh_digit_is_noticed(
    name, constant, library, schedules, monkeypatch
):
    tolerance = allowed(library[name], schedules, "float64")
    right = getattr(straight_numpy, constant)
    monkeypatch.setattr(straight_numpy, constant, right * (1 - 1e-7))
    (outcome,) = train([library[name]], schedules, epochs=EPOCHS[name])
    assert outcome.deviation > tolerance


def test_a_gradient_taken_at_the_parameters_is_noticed_in_nesterov(library, schedules, monkeypatch):
    tolerance = allowed(library["nesterov"], schedules, "float64")
    monkeypatch.setattr(Straight, "gradient_point", lambda self: self.params)
    (outcome,) = train([library["nesterov"]], schedules, epochs=1)
    assert outcome.deviation > 1e6 * tolerance
