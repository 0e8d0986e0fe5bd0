"""Training lowers the loss, is the same every time, and takes rules of one's own."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import math

import numpy as np
import pytest
from sampling import every
from sympy import Eq, Max, sign, sqrt

from symopt.declaration import initially, update_rule
from symopt.demo import softmax, train, training
from symopt.demo.settings import SETTINGS
from symopt.demo.straight_numpy import RULES
from symopt.nodes import Sigma, d
from symopt.notation import hyperparameter, sequence
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


@pytest.fixture(scope="module")
def trained(library, schedules):
    """The outcome of a rule in a dtype, trained once for all tests here."""

    @functools.cache
    def outcome(dtype, name):
        return train([library[name]], schedules, epochs=EPOCHS[name], dtype=dtype)[0]

    return outcome


def test_the_learner_of_a_rule_starts_at_nothing_learnt():
    images = np.random.default_rng(0).random((7, softmax.FEATURES))
    value = softmax.loss(softmax.start("float64"), images, np.arange(7))
    assert value == pytest.approx(AT_THE_START, abs=4 * np.finfo(float).eps)


@pytest.mark.parametrize(("name", "dtype"), every(3, itertools.product(NAMES, training.DTYPES)))
def test_every_rule_lowers_the_loss(name, dtype, trained):
    outcome = trained(dtype, name)
    assert outcome.loss < AT_THE_START
    # guessing is right once in ten
    assert outcome.accuracy > 0.5


def test_training_is_the_same_every_time(library, schedules, trained):
    (again,) = train([library["adam"]], schedules, epochs=1)
    assert dataclasses.replace(again, seconds=0) == dataclasses.replace(
        trained("float64", "adam"), seconds=0
    )


def test_another_seed_is_another_order_of_the_examples(library, schedules, trained):
    (other,) = train([library["minibatch"]], schedules, epochs=1, seed=1)
    assert other.loss != trained("float64", "minibatch").loss


def test_a_rule_of_the_whole_set_does_not_depend_on_the_seed(library, schedules, trained):
    (other,) = train([library["gd"]], schedules, epochs=EPOCHS["gd"], seed=1)
    assert other.loss == trained("float64", "gd").loss


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
    shown = trained("float64", "adam").json()
    assert json.loads(json.dumps(shown)) == shown
    assert list(shown)[:4] == ["rule", "schedule", "steps", "loss"]
    broken = dataclasses.replace(trained("float64", "adam"), loss=math.nan)
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
