"""Gradients of steps that no slide shows: numbers carried along, sums within, norms and kinks."""

import numpy as np
import pytest
from handwritten_vjps import vjps
from sympy import Eq, Interval, sqrt

from symopt.declaration import debias, initially, update_rule
from symopt.judging import verify
from symopt.nodes import Norm, Sigma
from symopt.notation import hat, hyperparameter
from symopt.symbols import alpha, beta, g, t, tau, theta, v
from symopt.verification import Subject, judge_rule

FEW = {"steps": 4, "size": 36}
rho = hyperparameter("rho", Interval.open(0, 1))


@update_rule(defaults={alpha: 0.1, rho: 0.5})
def slowing():
    """An average whose decay varies, so that the kernel carries what is kept of its start."""
    return {
        "average": Eq(v[t], (1 - rho / t) * v[t - 1] + rho / t * g[t]),
        "start": initially(2, v),
        "correction": debias(v),
        "step": Eq(theta[t + 1], theta[t] - alpha * hat(v)[t]),
    }


SLOWING = """
def step(theta, g, v, kept, t, alpha, rho):
    T = theta.dtype.type
    kept *= 1 - rho / t
    v[:] = T(1 - rho / t) * v + T(rho / t) * g
    theta -= T(alpha) * (v - T(2 * kept[0])) * T(1 / (1 - kept[0]))

def step_vjp(theta, g, v, kept, t, alpha, rho, dtheta, dv, dkept):
    T = theta.dtype.type
    P = kept[0] * (1 - rho / t)
    v_new = T(1 - rho / t) * v + T(rho / t) * g
    rest, one = v_new - T(2 * P), 1 / (1 - P)
    own = dv - T(alpha * one) * dtheta
    dP = dkept[0] + float((T(2 * alpha * one) * dtheta).sum(dtype=float))
    dP -= float((T(alpha * one * one) * rest * dtheta).sum(dtype=float))
    through = -kept[0] / t * dP
    return {
        "theta": dtheta.copy(),
        "g": T(rho / t) * own,
        "v": T(1 - rho / t) * own,
        "kept": np.array([(1 - rho / t) * dP]),
        "alpha": -float((rest * T(one) * dtheta).sum(dtype=float)),
        "rho": float((T(1 / t) * (g - v) * own).sum(dtype=float)) + through,
    }
"""


def carrying(text=SLOWING, first=1.0):
    names: dict = {"np": np}
    exec(text, names)
    arguments = ("theta", "g", "v", "kept", "t", "alpha", "rho")

    def states(start):
        return {"v": np.full_like(start, 2), "kept": np.array([first])}

    return Subject(names["step"], arguments, states, **vjps(text))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_number_that_the_declaration_has_no_name_for_is_told_by_its_value(dtype):
    verdict = judge_rule(slowing, carrying(), dtype, **FEW)
    assert verdict.ok, verdict.message
    assert "not judged" not in verdict.note


@pytest.mark.parametrize(
    ("old", "new", "letter"),
    [
        ('"kept": np.array([(1 - rho / t) * dP])', '"kept": np.array([dP])', "rho"),
        ("dP = dkept[0] +", "dP =", "rho"),
        ("T(2 * alpha * one) * dtheta", "T(alpha * one) * dtheta", "rho"),
        (" + through", "", "rho"),
    ],
)
def test_a_slip_in_what_goes_through_such_a_number_is_refuted(old, new, letter):
    assert SLOWING.count(old) == 1
    verdict = judge_rule(slowing, carrying(SLOWING.replace(old, new)), **FEW)
    assert verdict.where.startswith(f"slowing, step_vjp, dL/d{letter}, step "), verdict.message


def test_a_number_that_nothing_declared_equals_is_told_and_its_share_left_out():
    thrice = SLOWING.replace("dkept[0]", "adjoint").replace("kept[0]", "(kept[0] / 3)")
    text = thrice.replace("adjoint", "3 * dkept[0]").replace("* dP])", "* dP / 3])")
    verdict = judge_rule(slowing, carrying(text, first=3.0), **FEW)
    assert verdict.ok, verdict.message
    assert "what kept stands for is not declared" in verdict.note


@update_rule(defaults={alpha: 0.1, beta: 0.5, rho: 0.25})
def rooted():
    """A sum over the past within an equation, of which the kernel keeps the sum."""
    return {
        "size": Eq(v[t], sqrt(Sigma(beta ** (t - tau) * g[tau] ** 2, (tau, 1, t)) + rho)),
        "step": Eq(theta[t + 1], theta[t] - alpha * g[t] / v[t]),
    }


def test_a_sum_within_an_equation_is_a_state_of_its_own():
    verdict = verify(rooted, steps=2, gradients=True)
    assert verdict.ok, verdict.message
    assert "not judged" not in verdict.note


@update_rule(defaults={alpha: 0.1, rho: 0.5})
def by_length():
    return {"step": Eq(theta[t + 1], theta[t] - alpha * g[t] / (Norm(g[t]) + rho))}


def test_a_gradient_into_which_all_elements_enter_is_not_judged_and_says_so():
    def step(theta, g, alpha, rho):
        T = theta.dtype.type
        theta -= T(alpha) * g / (np.sqrt(np.sum(g * g, dtype=g.dtype)) + T(rho))

    arguments = ("theta", "g", "alpha", "rho")
    made = vjps("def step_vjp(theta, g, alpha, rho, dtheta):\n    return {}\n")
    verdict = judge_rule(
        by_length, Subject(step, arguments, lambda _: {}, **made), steps=2, size=18
    )
    assert verdict.ok, verdict.message
    assert verdict.note == (
        "step_vjp was not judged: by_length.step reads Norm(g[t]), into which all elements enter"
    )


def test_a_kink_is_counted_and_not_judged():
    @update_rule(defaults={alpha: 0.1})
    def by_size():
        return {"step": Eq(theta[t + 1], theta[t] - alpha * abs(g[t]))}

    text = """
def step(theta, g, alpha):
    theta -= theta.dtype.type(alpha) * abs(g)

def step_vjp(theta, g, alpha, dtheta):
    dalpha = -float((abs(g) * dtheta).sum(dtype=float))
    dg = -theta.dtype.type(alpha) * np.sign(g) * dtheta
    return {"theta": dtheta.copy(), "g": dg, "alpha": dalpha}
"""
    for changed in (
        text,
        text.replace("np.sign(g)", "np.where(g >= 0, 1, -1 + 0 * g).astype(g.dtype)"),
    ):
        names: dict = {"np": np}
        exec(changed, names)
        kernels = Subject(names["step"], ("theta", "g", "alpha"), lambda _: {}, **vjps(changed))
        verdict = judge_rule(by_size, kernels, **FEW)
        assert verdict.ok, verdict.message
        assert verdict.out_of_range
