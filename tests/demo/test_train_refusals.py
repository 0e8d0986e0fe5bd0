"""What cannot be trained is refused in a sentence, before any training where that is possible."""

from __future__ import annotations

import pytest
from sympy import Eq, Interval, Rational

from symopt.declaration import update_rule
from symopt.demo import softmax, train
from symopt.demo.kernel import Kernel
from symopt.errors import SymoptError, UsageError
from symopt.notation import given, hyperparameter
from symopt.symbols import alpha, g, gamma, t, theta


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


def test_a_default_rate_outside_its_own_range_is_refused(schedules):
    # without a default, training would begin with 0.01
    small = hyperparameter("alpha", Interval.Lopen(0, Rational(1, 1000)))

    @update_rule()
    def timid():
        return {"step": Eq(theta[t + 1], theta[t] - small * g[t])}

    message = r"timid: alpha = 0\.01 is outside its range .*; give a default inside it"
    with pytest.raises(UsageError, match=message):
        train([timid], schedules)


def test_a_schedule_that_leaves_the_range_of_alpha_is_stopped_at_that_step(library):
    kernel = Kernel(library["gd"], softmax.start("float64"), lambda t: 2.0 - t)
    zero = softmax.start("float64")
    kernel.step(zero)
    message = r"gd: alpha = 0.0 is outside its range \(0, ∞\) at step 2"
    with pytest.raises(UsageError, match=message):
        kernel.step(zero)
