"""Roles, orders and gradient points, inferred from how symbols are used."""

import pytest
from sympy import Eq

from symopt import d, debias, define, hat, initially
from symopt.derivation.rule import derive_rule
from symopt.errors import DerivationError
from symopt.symbols import G, L, alpha, beta, c, g, gamma, t, theta, u, v
from symopt.views import canonical


def roles(rule):
    return {one.name: one.role for one in derive_rule(rule).variables}


def test_adams_symbols_have_the_roles_that_their_use_gives_them(library):
    assert roles(library["adam"]) == {
        "v": "state",
        "g": "input",
        "G": "state",
        "v_hat": "temporary",
        "G_hat": "temporary",
        "theta": "parameter",
    }


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("gd", ["theta", "g"]),
        ("nesterov", ["v", "g", "theta"]),
        ("adagrad", ["G", "g", "theta"]),
        ("adam_naive", ["v", "g", "G", "theta"]),
    ],
)
def test_a_gradient_is_one_input_however_the_slide_writes_it(library, name, wanted):
    assert list(roles(library[name])) == wanted


def test_a_gradient_is_called_as_the_rule_calls_it(declare):
    rule = declare(
        lambda: {
            "name": define(u[t], d(L(theta), theta)),
            "step": Eq(theta[t + 1], theta[t] - alpha * u[t]),
        }
    )
    assert roles(rule) == {"theta": "parameter", "u": "input"}


def test_nesterovs_gradient_is_taken_ahead(library):
    _, point = derive_rule(library["nesterov"]).gradient_point
    assert canonical(point - (theta[t] - gamma * v[t - 1])) == 0


@pytest.mark.parametrize("name", ["gd", "momentum", "adagrad", "adam", "minibatch"])
def test_a_gradient_at_the_parameters_needs_no_point(library, name):
    assert derive_rule(library[name]).gradient_point is None


def test_a_batch_has_a_gradient_for_each_example(library):
    batch = {
        name: next(one.examples for one in derive_rule(library[name]).of_role("input"))
        for name in ("sgd", "minibatch", "gd_full")
    }
    assert {name: str(one) for name, one in batch.items()} == {
        "sgd": "None",
        "minibatch": "m",
        "gd_full": "n",
    }


def test_equations_are_put_in_an_order_in_which_each_reads_what_is_known(declare):
    rule = declare(
        lambda: {
            "step": Eq(theta[t + 1], theta[t] - alpha * c[t]),
            "last": Eq(c[t], v[t] + u[t]),
            "first": Eq(v[t], beta * v[t - 1] + g[t]),
            "middle": Eq(u[t], v[t] ** 2),
            "start": initially(0, v),
        }
    )
    assert [one.id for one in derive_rule(rule).assignments] == [
        "rule.first",
        "rule.middle",
        "rule.last",
        "rule.step",
    ]


def test_a_sequence_that_depends_on_no_data_is_a_scalar(declare):
    rule = declare(
        lambda: {
            "decay": Eq(c[t], beta * c[t - 1]),
            "rate": Eq(u[t], alpha * c[t]),
            "step": Eq(theta[t + 1], theta[t] - u[t] * g[t]),
            "start": initially(1, c),
        }
    )
    assert {one.name: one.scalar for one in derive_rule(rule).variables} == {
        "c": True,
        "u": True,
        "theta": False,
        "g": False,
    }


def test_hyperparameters_in_a_closed_form_may_not_follow_a_schedule(library):
    fixed = {str(one) for one in derive_rule(library["adam"]).constants_in_time}
    assert fixed == {"beta_1", "beta_2"}


def test_a_state_defined_a_step_ahead_is_one_all_the_same(declare):
    rule = declare(
        lambda: {
            "velocity": Eq(v[t + 1], gamma * v[t] + alpha * g[t]),
            "step": Eq(theta[t + 1], theta[t] - v[t + 1]),
            "start": initially(0, v),
        }
    )
    assert roles(rule) == {"v": "state", "g": "input", "theta": "parameter"}


def test_a_correction_is_found_for_a_sum_over_the_past(library, declare):
    rule = declare(
        lambda: {
            "cache": library["adagrad"]["cache"],
            "mean": debias(G),
            "step": Eq(theta[t + 1], theta[t] - alpha * g[t] / hat(G)[t]),
        }
    )
    shown = {one.left: one.right for one in derive_rule(rule).assignments}
    assert canonical(shown[hat(G)[t]]) == G[t] / t


def test_a_gradient_that_is_taken_elsewhere_is_derived(library):
    (derivation,) = derive_rule(library["nesterov"]).derivations
    assert [formula for formula, _, _ in derivation.rows()] == [
        "gₜ = dL(θₜ − γ·vₜ₋₁)/dθ",
        "pointₜ = θₜ − γ·vₜ₋₁",
    ]


def test_only_the_first_value_of_the_parameters_may_start_a_state(declare):
    with pytest.raises(DerivationError) as error:
        derive_rule(
            declare(
                lambda: {
                    "step": Eq(theta[t + 1], theta[t] - alpha * g[t] + v[t - 1]),
                    "previous": Eq(v[t], theta[t]),
                    "start": initially(theta[2], v),
                }
            )
        )
    assert str(error.value) == (
        "rule starts v from θ₂; a state starts from a number or from the first value of the "
        "parameters, θ₁"
    )
