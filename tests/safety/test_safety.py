"""The safety report beside what NumPy's own floats do."""

import json

import numpy as np
import pytest
from sympy import Eq, exp, sqrt
from typer.testing import CliRunner

from symopt import given, initially, layer, sequence, update_rule
from symopt.catalog.lecture.adagrad import adagrad
from symopt.catalog.lecture.adam import adam
from symopt.catalog.lecture.batch_norm import batch_norm
from symopt.catalog.lecture.l1 import l1
from symopt.catalog.lecture.softmax_cross_entropy import softmax_cross_entropy
from symopt.catalog.network.relu import relu
from symopt.catalog.network.sigmoid import sigmoid
from symopt.cli.library import catalogue
from symopt.cli.main import app
from symopt.judging import verifiable
from symopt.safety.ranges import edges
from symopt.safety.report import findings, safety
from symopt.symbols import alpha, beta_1, beta_2, g, t, theta
from symopt.symbols import example as i
from symopt.verification.quantity import FORMATS

P = sequence("p")


def rows(declared, kind, dtype="float32"):
    return [one.row()[1:] for one in findings(declared, dtype) if one.kind == kind]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("power", [2, 3, -2, -3])
def test_a_power_leaves_the_range_exactly_where_the_format_says(dtype, power):
    found = edges(lambda size: size**power, FORMATS[np.dtype(dtype).name])
    assert {one.kind for one in found} == {"overflow", "underflow"}
    for edge in found:
        for factor, outside in ((1.001, edge.beyond), (0.999, not edge.beyond)):
            # eighty bits hold the power, and are rounded to the format once
            with np.errstate(over="ignore", under="ignore"):
                value = dtype(np.longdouble(float(edge.magnitude * factor)) ** power)
            assert (np.isinf(value) or value == 0) == outside


def test_the_square_of_a_gradient_overflows_in_float32_beyond_1_84e19():
    assert rows(adam, "overflow") == [("adam.second_moment", "gₜ²", "|gₜ| > 1.84e+19", "")]
    with np.errstate(over="ignore"):
        assert np.isinf(np.float32(1.85e19) ** 2)
    assert np.isfinite(np.float32(1.84e19) ** 2)
    assert rows(adam, "overflow", "float64")[0][2] == "|gₜ| > 1.34e+154"


def test_a_bias_correction_cancels_at_the_first_step_and_is_computed_otherwise():
    found = {part: (danger, remedy) for _, part, danger, remedy in rows(adam, "cancellation")}
    # (1 + β)/(1 − β) at β = 0.999, t = 1
    assert found["1 − β₂ᵗ"] == (
        "the terms are 1999 times what is left of them at t = 1",
        "computed as −expm1(t·log(β₂))",
    )
    assert found["β₁·vₜ₋₁ + (1 − β₁)·gₜ"][1] == "computed as vₜ₋₁ + (1 − β₁)·(gₜ − vₜ₋₁)"
    # the second moment adds up what is never negative
    assert not any(part.startswith("β₂·") for part in found)


def test_a_divisor_that_epsilon_keeps_from_zero_is_named_with_epsilon():
    assert rows(batch_norm, "pole")[0] == (
        "batch_norm.normalize",
        "1/√(σ²_B + ε)",
        "σ²_B + ε = 0, which takes ε = 0",
        "",
    )
    assert [row[2] for row in rows(adagrad, "pole")] == ["Gₜ + ε = 0, which takes ε = 0"]


def test_a_divisor_that_nothing_keeps_from_zero_is_named():
    def unguarded():
        return {
            "cache": Eq(P[t], P[t - 1] + g[t] ** 2),
            "step": Eq(theta[t + 1], theta[t] - alpha * g[t] / sqrt(P[t])),
            "start": initially(0, P),
        }

    assert rows(update_rule(unguarded), "pole") == [("unguarded.step", "1/√pₜ", "pₜ = 0", "")]


def test_kinks_and_jumps_are_told_with_where_they_lie():
    assert rows(l1, "kink") == [("l1", "|θₗ|", "θₗ = 0", "")]
    assert rows(l1, "jump") == [("l1, gradient", "sign(θₗ)", "θₗ = 0", "")]
    assert {row[2] for row in rows(relu, "kink")} == {"xᵢ = 0"}


def test_an_exponential_whose_argument_cannot_be_positive_does_not_overflow():
    assert rows(softmax_cross_entropy, "overflow") == []
    assert rows(sigmoid, "overflow") == []
    assert rows(sigmoid, "underflow")[0][1:3] == (
        "exp(−xᵢ)",
        "−xᵢ < −104.0: 0 in place of a number",
    )


def test_an_exponential_that_nothing_holds_back_overflows_where_numpy_does():
    x, y = given("x"), sequence("y")

    def growing():
        """An exponential."""
        return {"output": Eq(y[i], exp(x[i]))}

    found = rows(layer(over="C H W")(growing), "overflow")
    assert found[0] == ("growing.output", "exp(xᵢ)", "xᵢ > 88.7", "")
    with np.errstate(over="ignore"):
        assert np.isinf(np.exp(np.float32(88.8)))
    assert np.isfinite(np.exp(np.float32(88.7)))


def test_two_averages_of_one_sign_do_not_cancel():
    q = sequence("q")

    def kept():
        return {
            "one": Eq(P[t], beta_1 * P[t - 1] + (1 - beta_1) * g[t] ** 2),
            "two": Eq(q[t], beta_2 * q[t - 1] + P[t]),
            "step": Eq(theta[t + 1], theta[t] - alpha * q[t]),
            "start": initially(0, P, q),
        }

    parts = [row[1] for row in rows(update_rule(kept), "cancellation")]
    assert parts == ["θₜ − α·qₜ"]


def test_the_worst_error_comes_with_the_numbers_that_attain_it():
    report = safety(adam, "float32")
    assert report.verdict.ok
    for name in ("theta = ", "g = ", "alpha = ", "beta_2 = "):
        assert name in report.verdict.inputs
    assert report.json()["verdict"]["inputs"] == report.verdict.inputs
    json.dumps(report.json())


def test_the_command_prints_a_table_and_json():
    shown = CliRunner().invoke(app, ["safety", "l1", "--dtype", "float32"])
    assert shown.exit_code == 0
    assert "sign(θₗ)" in shown.output
    assert "worst error" in shown.output
    machine = CliRunner().invoke(app, ["safety", "l1", "--dtype", "float32", "--json"])
    (row,) = json.loads(machine.output)
    assert (row["name"], row["dtype"]) == ("l1", "float32")


def test_what_has_no_kernel_is_refused_in_one_sentence():
    found = CliRunner().invoke(app, ["safety", "gd_objective"])
    assert str(found.exception) == (
        "gd_objective is an objective, which has no kernel to verify; "
        "verify an update rule, a schedule, a monitor, a regularizer, a layer or a loss"
    )


@pytest.mark.parametrize(
    "declared", [one for one in catalogue() if verifiable(one)], ids=lambda one: one.name
)
def test_every_declaration_has_a_report_of_one_line_a_finding(declared):
    found = findings(declared)
    json.dumps([one.json() for one in found])
    for one in found:
        assert all(row and "\n" not in row for row in one.row()[:4])
