"""Two update rules as rules: the same run for every sequence of gradients, or the first unlike."""

from itertools import pairwise

import numpy as np
import pytest
from sympy import Eq, Interval, Max, Piecewise, Rational, oo, sqrt

from symopt import d, equivalent, hyperparameter, initially, sequence, update_rule
from symopt.errors import UsageError
from symopt.symbols import G, L, alpha, beta, beta_1, beta_2, epsilon, g, gamma, t, theta, u, v

gradient = d(L(theta), theta)


@update_rule(defaults={alpha: 0.1, gamma: 0.9}, initial={v: 0})
def bare_velocity():
    return {
        "velocity": Eq(v[t], gamma * v[t - 1] + gradient),
        "step": Eq(theta[t + 1], theta[t] - alpha * v[t]),
    }


@update_rule(defaults={alpha: 0.1, gamma: 0.9}, initial={v: 0})
def forward_nesterov():
    return {
        "velocity": Eq(v[t], gamma * v[t - 1] + alpha * gradient),
        "step": Eq(theta[t + 1], theta[t] - alpha * gradient - gamma * v[t]),
    }


def adam_like(place):
    """Adam as libraries write it: corrections of the whole step, ε at some place."""

    @update_rule(defaults={alpha: 0.1, beta_1: 0.9, beta_2: 0.99, epsilon: 0}, initial={v: 0, G: 0})
    def fused_adam():
        rate = alpha * sqrt(1 - beta_2**t) / (1 - beta_1**t)
        return {
            "first": Eq(v[t], v[t - 1] + (1 - beta_1) * (g[t] - v[t - 1])),
            "second": Eq(G[t], beta_2 * G[t - 1] + (1 - beta_2) * g[t] ** 2),
            "step": Eq(theta[t + 1], theta[t] - rate * v[t] / place),
        }

    return fused_adam


def test_a_relation_by_a_factor_is_found(library):
    verdict = equivalent(library["momentum"], bare_velocity)
    assert verdict.status == "proved", verdict
    first, *_ = verdict.derivation.rows()
    assert first == ("v′ₜ₋₁ = 1/α·vₜ₋₁", "relation before each step, found", "")
    assert verdict.conditions == ()


def test_a_fused_adam_is_adam_if_epsilon_is_corrected_too(library):
    corrected = sqrt(G[t] + epsilon * (1 - beta_2**t))
    assert equivalent(library["adam"], adam_like(corrected)).status == "proved"
    verdict = equivalent(library["adam"], adam_like(sqrt(G[t] + epsilon)))
    assert verdict.status == "refuted"
    values = verdict.counterexample
    assert values[t] == 1
    assert values[epsilon] != 0


@pytest.mark.slow
def test_every_rule_is_itself(rules):
    for rule in rules:
        assert equivalent(rule, rule).status == "proved", rule.name


def test_no_two_rules_of_the_lecture_are_the_same(rules):
    # the mini-batch is of many gradients, the others are told apart after two steps
    several = [one for one in rules if one.name not in ("minibatch", "gd_full", "gd", "sgd")]
    for one, other in pairwise(several):
        verdict = equivalent(one, other)
        assert verdict.status == "refuted", verdict
        assert verdict.counterexample[t] <= 2


def test_a_refuted_run_is_one_of_the_kernels_too(library):
    verdict = equivalent(library["rmsprop"], library["adagrad"])
    values = {one: float(value) for one, value in verdict.counterexample.items()}
    rate, eps, slope = values[alpha], values[epsilon], values[g[1]]
    (beta,) = (value for one, value in values.items() if str(one) == "beta")
    start = next(value for one, value in values.items() if str(one) == "θ₁")
    steps = [start - rate * slope / np.sqrt(c * slope**2 + eps) for c in (1 - beta, 1.0)]
    assert [float(one) for one in verdict.values] == pytest.approx(steps, rel=1e-15)


def test_nesterovs_two_forms_are_one_up_to_a_change_of_variables(library):
    slide = library["nesterov"]
    assert equivalent(slide, forward_nesterov).status == "refuted"
    ahead = {theta: theta[t] - gamma * v[t - 1], v: v[t - 1]}
    verdict = equivalent(slide, forward_nesterov, relation=ahead)
    assert verdict.status == "proved", verdict
    wrong = {theta: theta[t] - v[t - 1], v: v[t - 1]}
    verdict = equivalent(slide, forward_nesterov, relation=wrong)
    assert verdict.status == "refuted", verdict


def test_rules_with_one_step_but_unlike_points_of_the_gradient_differ(library):
    verdict = equivalent(library["momentum"], library["nesterov"])
    assert str(verdict) == (
        "refuted: momentum = nesterov\n"
        "  unlike points of the gradient of step t\n"
        "  at t = 2, α = 1, g₁ = 1, γ = 1/2, θ₁ = 0\n"
        "  left is −1, right is −3/2"
    )


def test_kinks_are_told_apart_by_cases():
    def clipped(step):
        @update_rule(defaults={alpha: 0.1})
        def rule():
            return {"step": Eq(theta[t + 1], theta[t] - alpha * step)}

        return rule

    one = clipped(Max(g[t], 0) - Max(-g[t], 0))
    assert equivalent(one, clipped(g[t])).status == "proved"
    assert equivalent(one, clipped(Max(g[t], 0))).status == "refuted"


def test_a_state_that_matters_to_nothing_needs_no_relation():
    @update_rule(defaults={alpha: 0.1})
    def plain():
        return {"step": Eq(theta[t + 1], theta[t] - alpha * g[t])}

    @update_rule(defaults={alpha: 0.1})
    def counting():
        return {
            "step": Eq(theta[t + 1], theta[t] - alpha * g[t]),
            "count": Eq(u[t], u[t - 1] + g[t] ** 2),
            "initial": initially(0, u),
        }

    assert equivalent(plain, counting).status == "proved"
    assert equivalent(counting, plain).status == "proved"


def damped(weights):
    """Two velocities beside each other."""

    @update_rule(defaults={alpha: 0.1}, initial={v: 0, u: 0})
    def rule():
        one, other = weights
        return {
            "first": Eq(v[t], v[t - 1] / 2 + g[t]),
            "second": Eq(u[t], u[t - 1] / 3 + g[t]),
            "step": Eq(theta[t + 1], theta[t] - alpha * (one * v[t] + other * u[t])),
        }

    return rule


@pytest.mark.slow
def test_sums_of_several_states_are_found():
    # the sum and one of the two are carried along in place of both
    @update_rule(defaults={alpha: 0.1}, initial={v: 0, G: 0})
    def summed():
        return {
            "first": Eq(v[t], v[t - 1] / 2 + g[t]),
            "both": Eq(G[t], G[t - 1] / 3 + v[t - 1] / 6 + 2 * g[t]),
            "step": Eq(theta[t + 1], theta[t] - alpha * G[t]),
        }

    verdict = equivalent(damped((1, 1)), summed)
    assert verdict.status == "proved", verdict
    assert ("G′ₜ₋₁ = uₜ₋₁ + vₜ₋₁", "relation before each step, found", "") in (
        verdict.derivation.rows()
    )
    given = {v: v[t - 1], G: v[t - 1] + u[t - 1]}
    assert equivalent(damped((1, 1)), summed, relation=given).status == "proved"
    assert equivalent(damped((1, 2)), summed, relation=given).status == "refuted"


def test_the_heavy_ball_of_two_iterates_is_momentum(library):
    @update_rule(defaults={alpha: 0.1, gamma: 0.9})
    def heavy_ball():
        return {
            "step": Eq(
                theta[t + 1], theta[t] + gamma * (theta[t] - theta[t - 1]) - alpha * gradient
            )
        }

    for pair in ((library["momentum"], heavy_ball), (heavy_ball, library["momentum"])):
        verdict = equivalent(*pair)
        assert verdict.status == "proved", verdict
        assert verdict.conditions == ("heavy_ball starts at rest",)
    verdict = equivalent(library["nesterov"], heavy_ball)
    assert verdict.status == "refuted"
    assert verdict.otherwise is None


def test_a_change_of_variables_is_found_and_proved_beside_the_run_that_differs(library):
    verdict = equivalent(library["nesterov"], forward_nesterov)
    assert verdict.status == "refuted"
    assert verdict.otherwise.status == "proved"
    first, second, *_ = verdict.otherwise.derivation.rows()
    assert first[0] == "v′ₜ₋₁ = vₜ₋₁"
    assert second[0] == "θ′ₜ = −γ·vₜ₋₁ + θₜ"
    assert "\n  but one rule in other letters:\n" in str(verdict)


@pytest.mark.slow
def test_hyperparameters_with_other_names_are_matched(library):
    rate, kept = hyperparameter("lr", Interval.open(0, oo)), hyperparameter("rho", Interval(0, 1))

    def averaged(factor):
        @update_rule(defaults={rate: 0.1}, initial={v: 0})
        def rule():
            return {
                "velocity": Eq(v[t], factor * v[t - 1] + gradient),
                "step": Eq(theta[t + 1], theta[t] - rate * v[t]),
            }

        return rule

    momentum = library["momentum"]
    verdict = equivalent(momentum, averaged(kept))
    assert verdict.status == "proved", verdict
    assert str(verdict).splitlines()[1] == "  where lr = α, ρ = γ"
    verdict = equivalent(momentum, averaged(1 - kept))
    assert str(verdict).splitlines()[1] == "  where lr = α, ρ = 1 − γ"
    assert equivalent(momentum, averaged(kept), relation={rate: alpha, kept: gamma}).proved
    # one name with another range is one letter, unless a relation says otherwise
    wide = hyperparameter("gamma", Interval(0, 1))
    other = equivalent(momentum, averaged(1 - wide), relation={rate: alpha, wide: 1 - gamma})
    assert other.proved
    swapped = equivalent(momentum, averaged(wide), relation={rate: alpha, wide: 1 - gamma})
    assert swapped.status == "refuted"
    verdict = equivalent(momentum, averaged(kept**2))
    assert verdict.status == "refuted"
    assert verdict.what[-1] == ", with lr = α and ρ = γ"


def test_a_relation_that_holds_for_some_steps_alone_is_never_a_proof(library):
    @update_rule(defaults={alpha: 0.1, gamma: 0.9}, initial={v: 0})
    def later():
        late = Piecewise((gradient, t <= 9), (2 * gradient, True))
        return {
            "velocity": Eq(v[t], gamma * v[t - 1] + late),
            "step": Eq(theta[t + 1], theta[t] - alpha * v[t]),
        }

    assert not equivalent(library["momentum"], later).proved


def test_where_no_linear_relation_holds_one_is_asked_for(library):
    root = sequence("r")

    @update_rule(defaults={alpha: 0.1, beta: 0.9, epsilon: 0}, initial={root: 0})
    def rooted():
        return {
            "root": Eq(root[t], sqrt(beta * root[t - 1] ** 2 + (1 - beta) * g[t] ** 2)),
            "step": Eq(theta[t + 1], theta[t] - alpha / sqrt(root[t] ** 2 + epsilon) * g[t]),
        }

    verdict = equivalent(library["rmsprop"], rooted)
    assert verdict.status == "undecided", verdict
    assert verdict.tried == (
        "r′ in rooted as sums of multiples of Gₜ₋₁ and θₜ of rmsprop, none of which holds for 4 "
        "steps; give a relation",
    )
    given = {root: sqrt(G[t - 1])}
    assert equivalent(library["rmsprop"], rooted, relation=given).status == "proved"


def test_what_is_assumed_of_hyperparameters_counts():
    rho = hyperparameter("rho")

    @update_rule(defaults={alpha: 0.1, rho: 1})
    def scaled():
        return {"step": Eq(theta[t + 1], theta[t] - alpha * rho * g[t])}

    @update_rule(defaults={alpha: 0.1})
    def plain():
        return {"step": Eq(theta[t + 1], theta[t] - alpha * g[t])}

    assert equivalent(scaled, plain).status == "refuted"
    assert equivalent(scaled, plain, [Eq(rho, 1)]).status == "proved"
    assert equivalent(scaled, plain, [Eq(rho, Rational(1, 2))]).status == "refuted"


@pytest.mark.parametrize(
    ("relation", "message"),
    [
        ({u: v[t - 1]}, "bare_velocity carries no letter u along; known are v, theta"),
        (
            {v: v[t]},
            "the relation for v reads vₜ; before step t, momentum has vₜ₋₁, θₜ",
        ),
    ],
)
def test_a_relation_that_cannot_be_is_refused(library, relation, message):
    with pytest.raises(UsageError) as refused:
        equivalent(library["momentum"], bare_velocity, relation=relation)
    assert str(refused.value) == message


def test_a_rule_and_an_expression_are_not_compared(library):
    with pytest.raises(UsageError) as refused:
        equivalent(library["adam"], alpha)
    assert str(refused.value) == (
        "adam is an update rule; it is compared with another one, not an expression"
    )
