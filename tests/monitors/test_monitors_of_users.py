"""Monitors in a user's file: averages, restarts and sums over the past, beside plain loops."""

import math
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from sampling import every

from symopt import verify
from symopt.cli.library import from_file
from symopt.derivation.monitor import derive_monitor
from symopt.runtime.compiling import compile

FILE = Path(__file__).parent.parent / "data" / "own_monitors.py"
NAMES = ("smoothed", "warm_restart", "overfitting", "next_rate")


@pytest.fixture(scope="module")
def declared():
    return {one.name: one for one in from_file(FILE)}


def losses(seed, count):
    """Multiples of 1/4, so that averages of a few are exact doubles."""
    return [float(x) for x in np.random.default_rng(seed).integers(-4, 9, size=count) / 4]


def test_an_average_is_corrected_and_stops_when_it_has_not_fallen(declared):
    """The average is the declared sum of all losses, in fractions."""
    monitor = compile(declared["smoothed"]).Smoothed(beta=0.5, patience=2)
    history = losses(1, 20)
    averages = []
    for seen, loss in enumerate(history, 1):
        weights = [Fraction(1, 2 ** (seen - k)) for k in range(seen)]
        terms = [w * Fraction(x) for w, x in zip(weights, history[:seen], strict=True)]
        averages.append(sum(terms) / sum(weights))
        best = averages.index(min(averages)) + 1
        assert monitor.step(loss) == (seen - best >= 2)
        assert math.isclose(monitor.states["b"], min(averages), rel_tol=1e-15)
    assert monitor.t == 20


def test_a_rate_starts_anew_on_a_plateau_and_the_best_loss_is_forgotten(declared):
    monitor = compile(declared["warm_restart"]).WarmRestart(alpha=0.5, patience=2, T=4)
    falling = [0.5 * (1 + math.cos(math.pi * k / 4)) / 2 for k in range(5)]
    rates = [monitor.step(loss) for loss in (3.0, 2.0, 2.0, 2.0, 9.0, 8.0, 7.0, 6.0, 5.0)]
    wanted = [*falling[1:4], falling[0], *falling[1:4], 0.0, 0.0]
    assert rates == pytest.approx(wanted, rel=1e-15, abs=0)
    assert monitor.states["b"] == 5.0


def test_a_sum_over_the_past_of_two_observed_letters_is_a_state(declared):
    module = compile(declared["overfitting"])
    monitor = module.Overfitting(delta=0.25)
    ours, theirs = losses(2, 16), losses(3, 16)
    for seen in range(1, 17):
        gaps = [Fraction(x) - Fraction(y) for x, y in zip(ours[:seen], theirs[:seen], strict=True)]
        means = [sum(gaps[:k], Fraction(0)) / k for k in range(1, seen + 1)]
        # a mean is rounded once, the quotient by 1/4 not at all
        assert monitor.step(ours[seen - 1], theirs[seen - 1]) == float(max(means)) * 4
    with pytest.raises(ValueError, match=r"^overfitting: train is nan, which is no number$"):
        monitor.step(1.0, math.nan)
    assert monitor.t == 16


def test_where_an_equation_comes_to_no_number_the_observation_is_refused(declared):
    monitor = compile(declared["overfitting"]).Overfitting()
    monitor.step(1.0, 0.5)
    before = (dict(monitor.states), monitor.value, monitor.t)
    with pytest.raises(ValueError, match=r"^overfitting: overfitting.mean comes to no number$"):
        monitor.step(math.inf, math.inf)
    assert (monitor.states, monitor.value, monitor.t) == before


def test_a_letter_of_the_next_step_starts_from_its_initial_value(declared):
    monitor = compile(declared["next_rate"]).NextRate(alpha=1.0)
    assert monitor.value == 1.0
    assert [monitor.step(x) for x in (3.0, 2.0, 2.0, 4.0, 1.0)] == [1.0, 1.0, 0.5, 0.25, 0.25]


def test_the_count_of_observations_is_saved_where_an_equation_reads_it(declared):
    make = compile(declared["smoothed"]).Smoothed
    one, other = make(), make()
    for loss in (1.0, 3.0, 2.0):
        one.step(loss)
    other.load_state_dict(one.state_dict())
    assert other.t == 3
    assert one.step(1.5) == other.step(1.5)
    assert one.states == other.states
    for wrong in (-1, 2.5, math.nan, "3", None):
        with pytest.raises(ValueError, match=r"^smoothed: what was saved is no state"):
            other.load_state_dict({**one.state_dict(), "t": wrong})
    assert other.t == 4


def test_what_is_observed_kept_and_computed_is_found_by_use(declared):
    roles = {one.name: one.role for one in derive_monitor(declared["overfitting"]).variables}
    assert roles == {
        **{"m_sum": "state", "ell": "input", "train": "input"},
        **{"m": "temporary", "b": "state", "s": "temporary"},
    }
    assert derive_monitor(declared["next_rate"]).output.name == "rate"


@pytest.mark.parametrize("name", every(3, NAMES))
def test_a_users_monitor_is_verified(declared, name):
    verdict = verify(declared[name])
    assert verdict.ok, verdict.message
    assert verdict.points > 1000


def symopt(*arguments, cwd):
    ran = subprocess.run(
        [sys.executable, "-m", "symopt.cli", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "160"},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_every_command_takes_a_file_with_monitors(tmp_path):
    assert "monitor" in symopt("list", str(FILE), cwd=tmp_path)
    shown = symopt("show", str(FILE), cwd=tmp_path)
    assert "  wₜ = {0 if wₜ₋₁ ≥ p or ℓₜ < bₜ₋₁; wₜ₋₁ + 1 otherwise}" in shown
    derived = symopt("derive", str(FILE), cwd=tmp_path)
    assert "  m̂ₜ = mₜ/(1 − βᵗ)" in derived
    assert "ℓₜ and rₜ are observed, sₜ comes out; what is kept starts from" in derived
    assert "  b₀ = −∞    a state, for overfitting.worst reads bₜ₋₁" in derived
    symopt("generate", str(FILE), cwd=tmp_path)
    made = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")}
    assert made == {
        f"generated/{kind}" for name in NAMES for kind in (f"numba/{name}.py", f"latex/{name}.tex")
    }


def test_a_generated_monitor_needs_python_alone(tmp_path):
    symopt("generate", str(FILE), "--target", "numba", "--out", ".", cwd=tmp_path)
    code = (
        "import sys\n"
        "for name in ('symopt', 'sympy', 'numpy', 'numba'): sys.modules[name] = None\n"
        "from smoothed import Smoothed\n"
        "monitor = Smoothed(beta=0, patience=1)\n"
        "print([monitor.step(x) for x in (1, 2, 0.5)], monitor.states)"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path / "numba",
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "[0.0, 1.0, 0.0] {'m': 0.5, 'b': 0.5, 'w': 0.0}\n"
