"""Kernels learn digits, and agree to rounding with the same rules straight in NumPy.

The tolerance is what rounding itself does to a rule. ``Disturbed`` is the NumPy rule in which each
result is off by as many units of rounding as it takes roundings to compute, in the kernel's dtype
and with signs that never change, so that errors add up instead of cancelling. Trained on the same
batches, it ends as far from the undisturbed rule as a correct kernel may.
"""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from sympy import Eq, Max, sign, sqrt

from symopt.declaration import initially, update_rule
from symopt.demo import softmax, straight_numpy, train, training
from symopt.demo.settings import SETTINGS
from symopt.demo.straight_numpy import PER_EXAMPLE, POINTS, RULES, Straight
from symopt.errors import SymoptError, UsageError
from symopt.notation import Sigma, d, given, hyperparameter, sequence
from symopt.symbols import (
    L,
    alpha,
    beta_1,
    beta_2,
    epsilon,
    example,
    f,
    g,
    gamma,
    m,
    t,
    theta,
    v,
    x,
    y,
)

NAMES = tuple(RULES)
# a rule that sees all examples in each step takes one step an epoch
EPOCHS = {name: 12 if SETTINGS[name].batch is None else 1 for name in NAMES}
# before the first step all ten digits are equally likely
AT_THE_START = math.log(10)

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


@pytest.fixture(scope="module")
def trained(library, schedules):
    """Each rule's outcome by dtype and name, trained once for all tests here."""
    return {
        (dtype, name): train([library[name]], schedules, epochs=EPOCHS[name], dtype=dtype)[0]
        for dtype in training.DTYPES
        for name in NAMES
    }


def allowed(rule, schedules, dtype):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "Kernel", Disturbed)
        (outcome,) = train([rule], schedules, epochs=EPOCHS[rule.name], dtype=dtype)
    return outcome.deviation


def test_every_rule_of_the_lecture_has_a_partner_and_a_setting_of_its_own(rules):
    assert {one.name for one in rules} == set(RULES) == set(SETTINGS)


@pytest.mark.parametrize("dtype", training.DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_a_kernel_ends_where_numpy_ends_but_for_rounding(name, dtype, trained, library, schedules):
    outcome = trained[dtype, name]
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


@pytest.mark.parametrize("dtype", training.DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_every_rule_lowers_the_loss(name, dtype, trained):
    outcome = trained[dtype, name]
    assert outcome.loss < AT_THE_START
    # guessing is right once in ten
    assert outcome.accuracy > 0.5


def test_training_is_the_same_every_time(library, schedules, trained):
    (again,) = train([library["adam"]], schedules, epochs=1)
    assert dataclasses.replace(again, seconds=0) == dataclasses.replace(
        trained["float64", "adam"], seconds=0
    )


def test_another_seed_is_another_order_of_the_examples(library, schedules, trained):
    (other,) = train([library["minibatch"]], schedules, epochs=1, seed=1)
    assert other.loss != trained["float64", "minibatch"].loss


def test_a_rule_of_the_whole_set_does_not_depend_on_the_seed(library, schedules, trained):
    (other,) = train([library["gd"]], schedules, epochs=EPOCHS["gd"], seed=1)
    assert other.loss == trained["float64", "gd"].loss


@pytest.mark.parametrize(
    ("name", "epochs", "steps"),
    [("gd", 2, 2), ("sgd", 1, 1437), ("minibatch", 2, 90)],
)
def test_progress_counts_every_step(name, epochs, steps, library, schedules):
    seen = []
    (outcome,) = train(
        [library[name]], schedules, epochs=epochs, progress=lambda *told: seen.append(told)
    )
    assert seen == [(name, t, steps) for t in range(1, steps + 1)]
    assert outcome.steps == steps


def test_an_outcome_is_ready_for_json(trained):
    shown = trained["float64", "adam"].json()
    assert json.loads(json.dumps(shown)) == shown
    assert list(shown)[:4] == ["rule", "schedule", "steps", "loss"]
    broken = dataclasses.replace(trained["float64", "adam"], loss=math.nan)
    assert broken.json()["loss"] is None


def test_an_interrupt_goes_through(library, schedules):
    def interrupt(_rule, _step, _steps):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train([library["gd"]], schedules, progress=interrupt)


p = sequence("p")
eta = hyperparameter("eta", alpha.domain)


@update_rule(defaults={alpha: 0.01, beta_1: 0.9, beta_2: 0.99}, initial={p: 0})
def own_sign():
    """A step by the sign of another average of the last momentum and the gradient."""
    return {
        "step": Eq(theta[t + 1], theta[t] - alpha * sign(beta_1 * p[t - 1] + (1 - beta_1) * g[t])),
        "momentum": Eq(p[t], beta_2 * p[t - 1] + (1 - beta_2) * g[t]),
    }


@update_rule(defaults={eta: 0.05, epsilon: 1e-8}, initial={p: 0})
def own_max():
    """The largest squared gradient so far, and a learning rate by another name."""
    return {
        "largest": Eq(p[t], Max(p[t - 1], g[t] ** 2)),
        "step": Eq(theta[t + 1], theta[t] - eta / sqrt(p[t] + epsilon) * g[t]),
    }


@update_rule(defaults={alpha: 0.05, gamma: 0.5})
def own_batch():
    """Momentum of the mean over a batch, looking ahead."""
    ahead = theta - gamma * v[t - 1]
    return {
        "initial": initially(0, v),
        "velocity": Eq(
            v[t],
            gamma * v[t - 1]
            + alpha / m * Sigma(d(L(y[example], f(x[example], ahead)), theta), (example, 1, m)),
        ),
        "step": Eq(theta[t + 1], theta[t] - v[t]),
    }


@pytest.mark.parametrize(
    ("rule", "schedule"),
    [(own_sign, "constant"), (own_max, ""), (own_batch, "constant")],
    ids=lambda one: getattr(one, "name", one),
)
def test_a_rule_of_ones_own_trains_without_a_partner(rule, schedule, schedules):
    (outcome,) = train([rule], schedules, epochs=2)
    assert outcome.schedule == schedule
    assert outcome.steps == 90
    assert outcome.loss < AT_THE_START
    assert outcome.accuracy > 0.5
    compared = (outcome.reference_loss, outcome.reference_accuracy, outcome.deviation)
    assert compared == (None, None, None)


def test_a_rule_that_runs_away_is_stopped_with_its_name_and_step(schedules):
    @update_rule(defaults={alpha: 1.0})
    def runaway():
        return {"step": Eq(theta[t + 1], 10**200 * theta[t] - alpha * g[t])}

    with pytest.raises(SymoptError) as caught:
        train([runaway], schedules)
    # parameters: 0, of order 1, 1e200, and then infinite; times a black pixel's 0 that is NaN
    message = "runaway at step 4: the loss is NaN; make alpha smaller, or mend the rule"
    assert str(caught.value) == message


h = given("h")


def two_inputs():
    return {"step": Eq(theta[t + 1], theta[t] - alpha * g[t] - h[t])}


def no_input():
    return {"step": Eq(theta[t + 1], gamma * theta[t])}


def no_default():
    return {"step": Eq(theta[t + 1], gamma * theta[t] - alpha * g[t])}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            two_inputs,
            "two_inputs reads g, h from outside, but training hands it one thing, the gradient; "
            "keep one of them and define the others by equations",
        ),
        (
            no_input,
            "no_input reads no gradient, so it learns nothing from a loss; "
            "write d(L(theta), theta) in its equations, or g[t]",
        ),
        (
            no_default,
            "no_default has no default for gamma, with which to train it; add defaults={gamma: …}",
        ),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_rule_that_cannot_be_trained_is_refused_before_any_training(
    body, message, library, schedules
):
    told = []
    with pytest.raises(UsageError) as caught:
        train(
            [library["gd"], update_rule()(body)],
            schedules,
            progress=lambda *step: told.append(step),
        )
    assert str(caught.value) == message
    assert told == []


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"dtype": "float23"}, "there is no dtype 'float23'; did you mean float32?"),
        ({"epochs": 0}, "epochs is 0; train for 1 or more"),
        ({"seed": -1}, "seed is -1; take 0 or a larger number"),
    ],
)
def test_an_argument_that_does_not_fit_is_refused(asked, message, library, schedules):
    with pytest.raises(UsageError) as caught:
        train([library["gd"]], schedules, **asked)
    assert str(caught.value) == message


def test_a_schedule_that_is_not_given_is_named(library):
    with pytest.raises(UsageError, match="there is no schedule 'cosine'; none is known"):
        train([library["adam"]], {})


def test_the_learner_of_a_rule_starts_at_nothing_learnt():
    images = np.random.default_rng(0).random((7, softmax.FEATURES))
    value = softmax.loss(softmax.start("float64"), images, np.arange(7))
    assert value == pytest.approx(AT_THE_START, abs=4 * np.finfo(float).eps)
