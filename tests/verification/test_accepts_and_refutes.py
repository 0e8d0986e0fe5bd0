"""Correct kernels are accepted in whichever form they are written; one slip refutes them."""

from importlib import import_module

import handwritten
import numpy as np
import pytest
from handwritten import ADAM, PENALTIES, RULES, SCHEDULES, subject

from symopt.errors import UsageError
from symopt.verification import Subject, judge_penalty, judge_rule, judge_schedule

DTYPES = ("float32", "float64")


def declared(name):
    return getattr(import_module(f"symopt.catalog.lecture.{name}"), name)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", RULES)
def test_a_kernel_written_by_hand_is_accepted(name, dtype):
    verdict = judge_rule(declared(name), RULES[name], dtype)
    assert verdict.ok, verdict.message
    assert verdict.error <= verdict.bound
    assert verdict.points > 1000
    assert verdict.out_of_range < verdict.points / 100


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_written_by_hand_is_accepted(name):
    verdict = judge_schedule(declared(name), SCHEDULES[name])
    assert verdict.ok, verdict.message


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PENALTIES)
def test_a_penalty_written_by_hand_is_accepted(name, dtype):
    verdict = judge_penalty(declared(name), *PENALTIES[name], dtype)
    assert verdict.ok, verdict.message


@pytest.mark.parametrize("dtype", DTYPES)
def test_two_products_and_a_difference_are_both_an_average(dtype):
    by_products = subject(handwritten.adam_by_products, ADAM, "v", "G")
    assert judge_rule(declared("adam"), by_products, dtype).ok
    arguments = "theta g G alpha beta epsilon"
    by_difference = subject(handwritten.rmsprop_by_difference, arguments, "G")
    assert judge_rule(declared("rmsprop"), by_difference, dtype).ok


def test_the_bound_of_float32_adam_is_a_count_of_roundings():
    # 11 operations of at most two roundings each, half an ulp a rounding
    assert judge_rule(declared("adam"), RULES["adam"], "float32").bound < 15


def test_the_order_in_which_examples_are_added_does_not_matter():
    def backwards(theta, g, alpha):
        total = np.zeros_like(theta)
        for example in g[::-1]:
            total += example
        theta -= theta.dtype.type(alpha / len(g)) * total

    assert judge_rule(declared("minibatch"), subject(backwards, "theta g alpha")).ok


def test_a_point_at_which_the_declared_value_does_not_exist_wants_a_number_that_is_none():
    # with epsilon = 0 and a zero gradient the step is 0/0
    def hidden(theta, g, G, alpha, epsilon):
        handwritten.adagrad(theta, g, G, alpha, epsilon)
        np.nan_to_num(theta, copy=False)

    verdict = judge_rule(declared("adagrad"), subject(hidden, "theta g G alpha epsilon", "G"))
    assert not verdict.ok
    assert "does not exist" in verdict.message
    assert "epsilon = 0.0" in verdict.message


def slipped(old, new, text):
    assert text.count(old) == 1, old
    return text.replace(old, new)


ADAM_TEXT = """
def step(theta, g, v, G, t, alpha, beta_1, beta_2, epsilon):
    T = theta.dtype.type
    v += T(1 - beta_1) * (g - v)
    G += T(1 - beta_2) * (g * g - G)
    v_hat = v * T(1 / (1 - beta_1 ** t))
    G_hat = G * T(1 / (1 - beta_2 ** t))
    theta -= T(alpha) / np.sqrt(G_hat + T(epsilon)) * v_hat
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("theta -=", "theta +="),
        ("v += T(1 - beta_1) *", "v +="),
        ("g * g - G", "g - G"),
        ("np.sqrt(G_hat + T(epsilon))", "(np.sqrt(G_hat) + T(epsilon))"),
        (" + T(epsilon)", ""),
        ("beta_1 ** t", "beta_1 ** (t - 1 or 1)"),
        ("beta_2 ** t", "beta_2 ** (t + 1)"),
        (") * v_hat", ") * v"),
        ("sqrt(G_hat", "sqrt(G"),
        (") * v_hat", ") * g"),
        ("T(1 - beta_2)", "T(1 - beta_1)"),
        ("T(alpha)", "T(alpha * 1.00001)"),
        ("T(1 - beta_1)", "T(1 - np.float32(beta_1))"),
    ],
)
def test_adam_with_one_slip_is_refuted_with_a_counterexample(old, new):
    names: dict = {"np": np}
    exec(slipped(old, new, ADAM_TEXT), names)
    verdict = judge_rule(declared("adam"), subject(names["step"], ADAM, "v", "G"))
    assert not verdict.ok
    assert verdict.where.startswith("adam.")
    assert "theta = " in verdict.message
    assert "beta_1 = " in verdict.message


def test_a_stale_state_is_refuted():
    def stale(theta, g, v, alpha, gamma):
        theta -= v
        v[:] = theta.dtype.type(gamma) * v + theta.dtype.type(alpha) * g

    verdict = judge_rule(declared("momentum"), subject(stale, "theta g v alpha gamma", "v"))
    assert not verdict.ok
    assert verdict.where.startswith("momentum.step, step 1")


def test_a_sum_in_place_of_a_mean_is_refuted():
    def summed(theta, g, alpha):
        theta -= theta.dtype.type(alpha) * g.sum(axis=0)

    assert not judge_rule(declared("minibatch"), subject(summed, "theta g alpha")).ok


def test_a_wrong_gradient_point_is_refuted():
    arguments = "theta g v alpha gamma"
    here = {"gradient_point": lambda theta: theta, "point_arguments": ("theta",)}
    verdict = judge_rule(
        declared("nesterov"), subject(handwritten.momentum, arguments, "v", **here)
    )
    assert verdict.where.startswith("nesterov.velocity, gradient point, step 2")
    without = subject(handwritten.momentum, arguments, "v")
    assert "does not say where" in judge_rule(declared("nesterov"), without).message


def test_a_wrong_initial_state_is_refuted():
    ones = Subject(
        handwritten.momentum,
        ("theta", "g", "v", "alpha", "gamma"),
        lambda theta: {"v": np.ones_like(theta)},
    )
    assert "v before the first step" in judge_rule(declared("momentum"), ones).message


def test_a_kernel_that_changes_its_gradient_is_refuted():
    def greedy(theta, g, alpha):
        g *= theta.dtype.type(alpha)
        theta -= g

    verdict = judge_rule(declared("sgd"), subject(greedy, "theta g alpha"))
    assert verdict.message == "sgd: the kernel changes its input g"


def test_an_argument_that_the_rule_does_not_know_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match=r"^the kernel of sgd takes alpa; did you mean alpha\?$"):
        judge_rule(declared("sgd"), subject(handwritten.gd, "theta g alpa"))


def test_a_subgradient_at_zero_is_taken_between_the_slopes_and_told():
    value, _ = PENALTIES["l1"]
    right = handwritten.added(lambda theta: np.where(theta >= 0, 1, -1).astype(theta.dtype))
    verdict = judge_penalty(declared("l1"), value, right)
    assert verdict.ok
    assert verdict.note == "at 0 the subgradient taken is 1"
    beyond = handwritten.added(lambda theta: np.where(theta == 0, 2, np.sign(theta)))
    assert not judge_penalty(declared("l1"), value, beyond).ok


def test_a_schedule_that_turns_one_step_late_is_refuted():
    def late(t, alpha_0, gamma, s):
        return alpha_0 * gamma ** ((t - 2) // s)

    assert "step_decay, step 1" in judge_schedule(declared("step_decay"), late).message


def test_the_same_seed_gives_the_same_verdict():
    one, other = (judge_rule(declared("adam"), RULES["adam"], seed=7) for _ in range(2))
    assert one == other
    assert one.json()["ok"] is True
