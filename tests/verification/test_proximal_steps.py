"""The judge on proximal steps: other correct forms are accepted, one slip refutes them."""

import numpy as np
import pytest
from handwritten import PENALTIES
from sampling import every
from sympy import Abs, Eq, Interval, Max, Min, Piecewise, oo, sqrt

from symopt import Sigma, compile, hyperparameter, regularizer, verify
from symopt.cli.library import collection
from symopt.notation import Hyperparameter
from symopt.symbols import R, layer, theta
from symopt.targets.numba import render_module
from symopt.targets.target import Options
from symopt.verification import judge_penalty
from symopt.verification.cases import settings
from symopt.verification.proximal_steps import WEIGHTS, judge_proximal_step
from symopt.verification.quantity import FLOAT32
from symopt.verification.verdict import Tally

LIBRARY = {one.name: one for one in collection("lecture")}
DTYPES = ("float32", "float64")
Z = theta[layer]
delta = hyperparameter("delta", Interval.open(0, oo))
rho = hyperparameter("rho", Interval(0, 1))


def own(body):
    @regularizer
    def stated():
        return Eq(R(theta), Sigma(body(), layer))

    return stated


# steps written straight in NumPy, in other forms than the derived ones


def clipped(theta, kappa):
    theta -= np.clip(theta, -theta.dtype.type(kappa), theta.dtype.type(kappa))


def shrunk(theta, kappa):
    theta /= 1 + 2 * theta.dtype.type(kappa)


def both(theta, kappa):
    clipped(theta, kappa)
    shrunk(theta, kappa)


STEPS = {"l1": clipped, "l2": shrunk, "elastic_net": both}


def judged(name, step, dtype="float32"):
    return judge_penalty(LIBRARY[name], *PENALTIES[name], dtype, proximal_step=step)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", STEPS)
def test_a_step_written_by_hand_is_accepted(name, dtype):
    verdict = judged(name, STEPS[name], dtype)
    assert verdict.ok, verdict.message
    without = judge_penalty(LIBRARY[name], *PENALTIES[name], dtype)
    assert verdict.points == without.points + 4 * 18


def slip(change):
    """A step that does something else with u where change says so."""

    def step(theta, kappa):
        theta[:] = change(theta, theta.dtype.type(kappa))

    return step


def soft(u, kappa):
    return np.sign(u) * np.maximum(np.abs(u) - kappa, 0)


SLIPS = {
    "nothing is done": ("l1", lambda u, kappa: u + 0 * kappa),
    "a hard threshold": ("l1", lambda u, kappa: np.where(np.abs(u) > kappa, u, 0 * u)),
    "twice the weight": ("l1", lambda u, kappa: soft(u, 2 * kappa)),
    "one side alone": ("l1", lambda u, kappa: np.maximum(u - kappa, 0)),
    "no sign": ("l1", lambda u, kappa: np.maximum(np.abs(u) - kappa, 0)),
    "no maximum": ("l1", lambda u, kappa: u - kappa * np.sign(u)),
    "a step against the gradient": ("l2", lambda u, kappa: u - 2 * kappa * u),
    "a factor 2 forgotten": ("l2", lambda u, kappa: u / (1 + kappa)),
    "no threshold": ("elastic_net", lambda u, kappa: u / (1 + 2 * kappa)),
    "the threshold shrunk too": (
        "elastic_net",
        lambda u, kappa: soft(u / (1 + 2 * kappa), kappa),
    ),
    "not shrunk": ("elastic_net", soft),
    "one part in 100000 off": ("l2", lambda u, kappa: u / (1 + 2 * kappa) * np.float32(1.00001)),
}


@pytest.mark.parametrize("case", SLIPS)
def test_a_step_with_one_slip_is_refuted_with_a_counterexample(case):
    name, change = SLIPS[case]
    verdict = judged(name, slip(change))
    assert not verdict.ok
    assert verdict.where.startswith(f"{name}, proximal step, element ")
    assert "kappa = " in verdict.message


def test_a_hidden_nan_is_refuted():
    def hidden(theta, kappa):
        clipped(theta, kappa)
        np.nan_to_num(theta, copy=False)

    assert judged("l1", hidden).message == ("l1: the proximal step turns a NaN in theta into 0.0")


def test_a_step_that_refuses_its_inputs_is_refuted():
    def picky(theta, kappa):
        if kappa == 0:
            raise ValueError("kappa is 0")
        clipped(theta, kappa)

    assert judged("l1", picky).message == "l1: the proximal step refuses its inputs: kappa is 0"


def test_a_penalty_with_two_minima_has_no_step():
    """Around z = 1 and z = −1 the penalty min(|z − 1|, |z + 1|) is smallest; between, it is not."""
    wells = own(lambda: Min(Abs(Z - 1), Abs(Z + 1)))

    def value(theta):
        return float(np.minimum(abs(theta - 1), abs(theta + 1)).sum())

    def gradient(theta, g, lambda_):
        near = np.where(abs(theta - 1) < abs(theta + 1), theta - 1, theta + 1)
        g += g.dtype.type(lambda_) * np.sign(near)

    def nearest(theta, kappa):
        to = np.where(theta >= 0, theta.dtype.type(1), theta.dtype.type(-1))
        theta[:] = to + soft(theta - to, theta.dtype.type(kappa))

    verdict = judge_penalty(wells, value, gradient, proximal_step=nearest)
    assert not verdict.ok
    assert "more than one minimum" in verdict.message


USERS = {
    "Huber's function": lambda: own(
        lambda: Piecewise((Z**2 / 2, Abs(Z) <= delta), (delta * Abs(Z) - delta**2 / 2, True)),
    ),
    "a margin": lambda: own(lambda: Max(Abs(Z) - delta, 0)),
    "a mixture": lambda: own(lambda: rho * Abs(Z) + (1 - rho) / 2 * Z**2),
    "two slopes": lambda: own(lambda: Max(rho * Z, (rho - 1) * Z)),
}


@pytest.mark.parametrize("case", every(3, USERS))
def test_the_derived_step_of_a_users_penalty_is_proved(case):
    """The step alone, with every choice of hyperparameters; the gradient has its own tests."""
    declared = USERS[case]()
    ((id, stated),) = declared.equations
    tally, random = Tally(declared.name, "float32", FLOAT32), np.random.default_rng(0)
    letters = sorted(stated.right.atoms(Hyperparameter), key=str)
    step = compile(declared).proximal_step
    for setting in settings(letters, {}, random):
        judge_proximal_step(tally, id, stated.right, setting, step, random, WEIGHTS[:1])
    verdict = tally.verdict()
    assert verdict.ok, verdict.message
    assert verdict.points >= 18


def test_a_users_penalty_is_verified_with_its_step():
    verdict = verify(own(lambda: (Z - 1) ** 2 + Abs(Z - 1)), "float32")
    assert verdict.ok, verdict.message
    assert verdict.points == 3 * (1 + 18) + 4 * 18


def test_a_number_in_a_penalty_counts_for_each_component():
    """√(1 + θ²) − 1 is nothing at 0, for an array of any size."""
    verdict = verify(own(lambda: sqrt(1 + Z**2) - 1), "float64")
    assert verdict.ok, verdict.message


SPOILT = {
    "the weight is not taken": ("l1", "abs(theta[i]) - kappa", "abs(theta[i])"),
    "a minimum": ("l1", "np.maximum", "np.minimum"),
    "no sign": ("l1", "np.sign(theta[i]) * ", ""),
    "a factor 2": ("elastic_net", "1.0 + 2.0 * kappa", "1.0 + kappa"),
    "not shrunk": ("elastic_net", " * theta_scale", ""),
    "a quotient upside down": ("l2", "1.0 / (1.0 + 2.0 * kappa)", "1.0 + 2.0 * kappa"),
}


@pytest.mark.parametrize("case", every(3, SPOILT))
def test_a_spoilt_kernel_is_refuted(tmp_path, load, case):
    name, old, new = SPOILT[case]
    head, step = render_module(LIBRARY[name], Options()).split("def _proximal_step(")
    kernel, rest = step.split("\n\n\n", 1)
    assert kernel.count(old) == 1
    path = tmp_path / f"{name}.py"
    path.write_text(f"{head}def _proximal_step({kernel.replace(old, new)}\n\n\n{rest}")
    verdict = verify(LIBRARY[name], module=load(path))
    assert not verdict.ok
    assert verdict.where.startswith(f"{name}, proximal step")
