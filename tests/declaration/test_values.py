"""Declarations as values: frozen, faithful to their author, told apart by fingerprints."""

import dataclasses
import os
import subprocess
import sys
import threading

import pytest
from sympy import Add, Eq, Sum, evaluate
from sympy.core.parameters import global_parameters

from symopt import Sigma, derivations, initially, objective, update_rule
from symopt.errors import SymoptError
from symopt.symbols import alpha, beta, g, t, tau, theta, v


def test_the_switch_of_evaluation_does_not_leak(declare):
    seen = []

    def body():
        seen.append(global_parameters.evaluate)
        return {"step": Eq(theta[t + 1], theta[t] - alpha * g[t])}

    declare(body)
    assert seen == [False]
    assert global_parameters.evaluate is True

    def failing():
        raise ValueError("by the author")

    with pytest.raises(ValueError, match="by the author"):
        declare(failing)
    assert global_parameters.evaluate is True


def test_declarations_in_several_threads_keep_their_order():
    failed = []

    def work():
        for _ in range(20):

            @update_rule
            def rule():
                return {"step": Eq(theta[t + 1], theta[t] - alpha * (g[t] + g[t]))}

            term = rule["step"].right.args[1]
            if not any(isinstance(one, Add) and len(one.args) == 2 for one in term.args):
                failed.append(term)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failed == []


def test_a_declaration_is_frozen(library):
    with pytest.raises(dataclasses.FrozenInstanceError):
        library["adam"].name = "other"


def test_a_statement_that_is_not_there_is_named_with_the_nearest(library):
    with pytest.raises(SymoptError) as error:
        library["adam"]["stp"]
    assert str(error.value) == "adam states nothing under 'stp'; did you mean step?"


def rule_of(declare, right, **options):
    return declare(lambda: {"step": Eq(theta[t + 1], right())}, **options)


def test_a_fingerprint_tells_apart_all_that_is_declared(declare):
    made = [
        rule_of(declare, lambda: theta[t] - alpha * g[t]),
        rule_of(declare, lambda: theta[t] - g[t] * alpha),
        rule_of(declare, lambda: theta[t] + alpha * g[t]),
        rule_of(declare, lambda: theta[t] - beta * g[t]),
        rule_of(declare, lambda: theta[t] - alpha * g[t], defaults={alpha: 0.1}),
        rule_of(declare, lambda: theta[t] - alpha * g[t], defaults={alpha: 0.2}),
        rule_of(declare, lambda: theta[t] - alpha * g[t], name="other"),
    ]
    assert len({one.fingerprint for one in made}) == len(made)


def test_a_fingerprint_is_the_same_in_another_process(library):
    code = "from symopt.catalog.lecture.adam import adam; print(adam.fingerprint)"
    for seed in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        assert ran.stdout.strip() == library["adam"].fingerprint


def test_sympys_own_sum_is_taken_as_it_was_meant(declare):
    rule = declare(lambda: {"sum": Eq(v[t], Sum(g[tau], (tau, 1, t)))})
    assert rule["sum"].right == Sigma(g[tau], (tau, 1, t))


def test_initial_values_and_defaults_are_found_wherever_they_stand(library):
    adam = library["adam"]
    assert {str(one): float(value) for one, value in adam.default_values.items()} == {
        "alpha": 1e-3,
        "epsilon": 1e-8,
        "beta_1": 0.9,
        "beta_2": 0.999,
    }
    assert set(map(str, adam.initial_values)) == {"v", "G"}


def test_a_statement_may_be_borrowed(library):
    assert library["nesterov"]["step"] is library["momentum"]["step"]
    assert library["adam_uncorrected"]["step"] is library["adam_naive"]["step"]


def test_what_is_meant_is_computed_and_what_is_shown_is_printed(library):
    naive = library["adam_naive"]
    assert dict(naive.equations)["adam_naive.index_slip"] == library["momentum"]["velocity"]
    assert naive.formulas()[0].text.startswith("v_{t+1} = ")


def test_initial_values_depend_on_hyperparameters_alone(declare):
    with pytest.raises(SymoptError) as error:
        declare(
            lambda: {
                "average": Eq(v[t], beta * v[t - 1] + g[t]),
                "start": initially(2 * g[t], v),
                "step": Eq(theta[t + 1], theta[t] - v[t]),
            }
        )
    assert str(error.value) == (
        "rule.start gives v an initial value that depends on g; "
        "let it depend on hyperparameters alone, or be the first value of the parameters, theta[1]"
    )


def test_an_evaluated_expression_may_be_declared_too():
    with evaluate(True):
        right = theta[t] - alpha * g[t] - alpha * g[t]

    @update_rule
    def rule():
        return {"step": Eq(theta[t + 1], right)}

    assert str(rule).splitlines()[1].strip() in ("θₜ₊₁ = −2·α·gₜ + θₜ", "θₜ₊₁ = θₜ − 2·α·gₜ")


def test_an_objective_without_minimize_is_refused():
    @objective
    def odd():
        return {"loss": Eq(v[t], g[t])}

    with pytest.raises(SymoptError, match="odd minimizes nothing; state minimize"):
        derivations(odd)
