"""Chains of equations: right ones follow, of wrong ones the line, the slip and what was meant."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from lecture_chains import CHAINS, bias_correction, s2, softmax, total, variance
from lecture_chains import batch_norm_gradient as backward
from sampling import every
from sympy import Eq, Symbol, sqrt

from symopt import Sigma, chain, check_chain, d, given, hat, parameter, sequence
from symopt.errors import UsageError
from symopt.proof.chains import Equality
from symopt.symbols import G, L, alpha, beta_1, beta_2, epsilon, example, m, t, theta, v
from symopt.views import canonical

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("right", every(3, CHAINS), ids=lambda one: one.name)
def test_every_line_of_a_right_chain_follows(right):
    verdict = check_chain(right)
    assert verdict.status == "proved", verdict


def with_line(right, number, line):
    """A chain up to a line, this one another."""
    with_it = (*right.lines[: number - 1], Equality(*line.args))
    return replace(right, lines=with_it)


def unevaluated(left, right):
    return Eq(left, right, evaluate=False)


x_i = variance.lines[4].right.args[0].args[0]
mean = variance.lines[0].left
y_i = variance.lines[4].left
v_t = bias_correction.lines[0].left
E_v, E_g = bias_correction.lines[4].left, bias_correction.lines[6].right

WRONG = {
    "β₁² for β₁ᵗ": (bias_correction, 5, (E_v, (1 - beta_1**2) * E_g), "another power for the t-th"),
    "β₂ for β₁": (bias_correction, 5, (E_v, (1 - beta_2**t) * E_g), "another letter"),
    "missing hat": (bias_correction, 7, (E_v, E_g), None),
    "forgotten square": (
        *(variance, 4),
        (s2, total(x_i**2) / m - mean),
        "a forgotten square, or one too many",
    ),
    "sum for mean": (
        *(variance, 4),
        (s2, total(x_i**2) - mean**2),
        "a sum in place of a mean, or a mean in place of a sum",
    ),
    "m − 1 for m": (
        *(variance, 4),
        (s2, total(x_i**2) / (m - 1) - mean**2),
        "m for m − 1, or m − 1 for m",
    ),
    "sign": (variance, 4, (s2, total(x_i**2) / m + mean**2), "a sign"),
    "missing 2": (
        *(variance, 3),
        (s2, total(x_i**2) / m - mean / m * total(x_i) + mean**2),
        "a missing factor, or one too many",
    ),
    "missing term": (
        *(variance, 3),
        (s2, total(x_i**2) / m - 2 * mean / m * total(x_i)),
        None,
    ),
    "ε outside of the root": (
        *(backward, 5),
        (d(L, mean), -total(d(L, y_i)) / (sqrt(s2) + epsilon)),
        "a term inside of a root in place of outside, or outside of inside",
    ),
    "forgotten way through the variance": (
        *(backward, 6),
        (d(L, x_i), d(L, y_i) / sqrt(s2 + epsilon) + d(L, mean) / m),
        "a derivative that forgot a way",
    ),
    "index": (softmax, 3, (total(y_i), m), None),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_line_that_does_not_follow_is_found_and_the_slip_named(name):
    right, number, sides, slip = WRONG[name]
    verdict = check_chain(with_line(right, number, unevaluated(*sides)))
    assert (verdict.status, verdict.number) == ("refuted", number), verdict
    assert verdict.values[0] != verdict.values[1]
    if slip is not None:
        assert verdict.slip == slip, verdict
        mended = with_line(right, number, unevaluated(*vars(verdict.corrected).values()))
        assert check_chain(mended).status != "refuted"


def test_a_counterexample_is_small_where_a_line_can_be_written_in_what_is_given():
    wrong = with_line(variance, 4, unevaluated(s2, total(x_i**2) / m - mean))
    verdict = check_chain(wrong)
    assert verdict.counterexample == {m: 1, x_i.base[1]: -1}
    assert verdict.values == (0, 2)


def test_a_line_may_go_on_where_the_line_before_ended():
    a, b = Symbol("a", real=True), Symbol("b", real=True)

    @chain()
    def square():
        return [Eq((a + b) ** 2, a**2 + 2 * a * b + b**2), (a - b) ** 2 + 4 * a * b, a**2 + b**2]

    verdict = check_chain(square)
    assert (verdict.status, verdict.number) == ("refuted", 3)
    assert [one.status for one in verdict.steps] == ["proved", "proved"]


def test_what_a_chain_assumes_holds_in_all_of_it():
    a = Symbol("a", real=True)

    def roots():
        return [Eq(sqrt(a**2 - 2 * a + 1), sqrt((a - 1) ** 2)), a - 1]

    assert check_chain(chain(a > 1)(roots)).status == "proved"
    verdict = check_chain(chain()(roots))
    assert (verdict.status, verdict.number) == ("refuted", 2)


def test_what_is_no_equation_is_refused():
    with pytest.raises(UsageError) as refused:

        @chain()
        def odd():
            return [Symbol("a") > 1]

    assert str(refused.value) == (
        "line 1 of odd is a > 1, which is no equation; write Eq(left, right)"
    )


def test_lines_are_held_against_a_declaration(library):
    adam, batch_norm = library["adam"], library["batch_norm"]
    v_hat, G_hat = hat(v)[t], hat(G)[t]

    def written(*lines):
        return chain(adam)(lambda: list(lines))

    meant = Eq(theta[t + 1], theta[t] - alpha * v_hat / sqrt(G_hat + epsilon), evaluate=False)
    libraries = Eq(theta[t + 1], theta[t] - alpha * v_hat / (sqrt(G_hat) + epsilon), evaluate=False)
    verdict = check_chain(written(meant, libraries))
    assert [one.status for one in verdict.steps] == ["proved"]
    assert (verdict.status, verdict.number) == ("refuted", 2)
    assert verdict.slip == "a term inside of a root in place of outside, or outside of inside"
    assert canonical(verdict.corrected.right - meant.rhs) == 0
    x_hat, y, bn_gamma = hat(given("x")), sequence("y"), parameter("gamma")
    gradients = chain(batch_norm)(
        lambda: [
            Eq(d(L, x_hat[example]), d(L, y[example]) * bn_gamma, evaluate=False),
            Eq(d(L, bn_gamma), Sigma(d(L, y[example]), (example, 1, m)), evaluate=False),
        ]
    )
    verdict = check_chain(gradients)
    assert (verdict.status, verdict.number) == ("refuted", 2)
    right = Sigma(d(L, y[example]) * x_hat[example], (example, 1, m))
    assert canonical(verdict.corrected.right - right) == 0


def test_what_is_nothing_to_be_assumed_is_refused():
    with pytest.raises(UsageError) as refused:
        chain("adam")(lambda: [Eq(beta_1, beta_2, evaluate=False)])
    assert str(refused.value) == (
        "a chain assumes adam; give relations such as x > 0, or declarations"
    )


def symopt(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "symopt.cli", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "120"},
        check=False,
    )


def test_the_command_names_line_slip_and_mended_line():
    ran = symopt("check", "tests/data/chains.py")
    assert (ran.returncode, ran.stderr) == (1, "")
    assert (
        "refuted: variance, line 3 does not follow\n"
        "  σ² = 1/m·Σ_{i=1..m} xᵢ² − μ\n"
        "  at m = 1, x₁ = −1\n"
        "  left is 0, right is 2\n"
        "  likely slip: a forgotten square, or one too many\n"
        "  mended: σ² = 1/m·Σ_{i=1..m} xᵢ² − μ²\n"
    ) in ran.stdout
    rows = json.loads(symopt("check", "tests/data/chains.py", "--json").stdout)
    assert [(row["chain"], row["number"]) for row in rows] == [
        ("bias_correction", 4),
        ("variance", 3),
        ("batch_norm_gradient", 6),
    ]


def test_a_file_without_chains_is_refused():
    ran = symopt("check", "tests/data/lion.py")
    assert ran.returncode == 2
    assert ran.stderr == (
        "symopt: tests/data/lion.py holds no chain; decorate a function in it with @chain()\n"
    )
