"""Rules that the catalogue has never seen, beside kernels in exact fractions, formulas unrolled."""

from fractions import Fraction

import numpy as np
import pytest
from sympy import Eq, Interval, Max, Piecewise, Rational, oo, sign, sqrt

from symopt.declaration import debias, define, initially, update_rule
from symopt.errors import DeclarationError
from symopt.nodes import Norm, Sigma, d
from symopt.notation import hat, hyperparameter, sequence
from symopt.symbols import G, L, alpha, beta, beta_1, beta_2, epsilon, g, i, t, tau, theta, v
from symopt.verification import Subject, judge_rule

FEW = {"steps": 6, "size": 36}
a = sequence("a")
rho = hyperparameter("rho", Interval.open(0, oo))


def exactly(formula, *states, **initial):
    """A kernel that computes each component in exact fractions and rounds what it keeps once."""

    def step(theta, g, **others):
        arrays = {"theta": theta, **{name: others[name] for name in states}}
        numbers = {k: Fraction(x) for k, x in others.items() if k not in states}
        for element in np.flatnonzero(np.isfinite(theta)):
            now = {name: Fraction(float(array[element])) for name, array in arrays.items()}
            for name, value in formula(Fraction(float(g[element])), **now, **numbers).items():
                arrays[name][element] = float(value)

    def start(theta):
        return {name: np.full_like(theta, initial.get(name, 0)) for name in states}

    return lambda arguments: Subject(step, tuple(arguments.split()), start)


def sign_of(x):
    return (x > 0) - (x < 0)


@update_rule(defaults={alpha: 0.01, beta_1: 0.9, beta_2: 0.99}, initial={v: 0})
def by_sign():
    return {
        "step": Eq(theta[t + 1], theta[t] - alpha * sign(beta_1 * v[t - 1] + (1 - beta_1) * g[t])),
        "memory": Eq(v[t], beta_2 * v[t - 1] + (1 - beta_2) * g[t]),
    }


def sign_formula(g, theta, v, alpha, beta_1, beta_2):
    return {
        "theta": theta - alpha * sign_of(beta_1 * v + (1 - beta_1) * g),
        "v": beta_2 * v + (1 - beta_2) * g,
    }


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_step_by_the_sign_of_an_average_is_judged(dtype):
    arguments = "theta g v alpha beta_1 beta_2"
    verdict = judge_rule(by_sign, exactly(sign_formula, "v")(arguments), dtype, **FEW)
    assert verdict.ok, verdict.message
    assert verdict.error <= 0.5 + 1e-6  # one rounding, half an ulp

    def late(g, theta, v, alpha, beta_1, beta_2):  # noqa: ARG001  # the slip is to leave it out
        v = beta_2 * v + (1 - beta_2) * g
        return {"theta": theta - alpha * sign_of(v), "v": v}

    refuted = judge_rule(by_sign, exactly(late, "v")(arguments), dtype, **FEW)
    assert not refuted.ok


@update_rule(defaults={alpha: 0.01, beta: 0.9}, initial={G: 0})
def largest():
    """The step over the largest magnitude so far; no step while there was none."""
    return {
        "cache": Eq(G[t], Max(beta * G[t - 1], abs(g[t]))),
        "step": Eq(
            theta[t + 1],
            Piecewise((theta[t] - alpha * g[t] / G[t], G[t] > 0), (theta[t], True)),
        ),
    }


def largest_formula(g, theta, G, alpha, beta):
    G = max(beta * G, abs(g))
    return {"G": G, "theta": theta - alpha * g / G if G > 0 else theta}


def test_a_maximum_and_a_condition_are_judged():
    arguments = "theta g G alpha beta"
    assert judge_rule(largest, exactly(largest_formula, "G")(arguments), **FEW).ok

    def smallest(g, theta, G, alpha, beta):
        G = min(beta * G, abs(g))
        return {"G": G, "theta": theta - alpha * g / G if G > 0 else theta}

    verdict = judge_rule(largest, exactly(smallest, "G")(arguments), **FEW)
    assert verdict.where.startswith("largest.cache, step 1")


@update_rule(defaults={alpha: 0.1, beta: 0.75})
def from_one():
    """An average that starts at 1: one step with m = 0.99 would read 103 for a true 4."""
    return {
        "average": Eq(v[t], beta * v[t - 1] + (1 - beta) * g[t]),
        "initial": initially(1, v),
        "corrected": debias(v),
        "step": Eq(theta[t + 1], theta[t] - alpha * hat(v)[t]),
    }


def from_one_formula(g, theta, v, t, alpha, beta):
    v = beta * v + (1 - beta) * g
    power = beta ** int(t)
    return {"v": v, "theta": theta - alpha * (v - power) / (1 - power)}


def test_a_debiased_average_leaves_out_what_it_started_from():
    arguments = "theta g v t alpha beta"
    verdict = judge_rule(from_one, exactly(from_one_formula, "v", v=1)(arguments), **FEW)
    assert verdict.ok, verdict.message

    def divided_only(g, theta, v, t, alpha, beta):
        v = beta * v + (1 - beta) * g
        return {"v": v, "theta": theta - alpha * v / (1 - beta ** int(t))}

    refuted = judge_rule(from_one, exactly(divided_only, "v", v=1)(arguments), **FEW)
    assert refuted.where.startswith("from_one.step, step 1")


@update_rule(defaults={alpha: 0.1}, initial={v: 3})
def slowing():
    """An average whose decay 1 - 1/(t + 1) varies: what is kept of v_0 is 1/(t + 1)."""
    return {
        "average": Eq(v[t], (1 - 1 / (t + 1)) * v[t - 1] + 1 / (t + 1) * g[t]),
        "corrected": debias(v),
        "step": Eq(theta[t + 1], theta[t] - alpha * hat(v)[t]),
    }


def slowing_formula(g, theta, v, t, alpha):
    kept = Fraction(1)
    for k in range(1, int(t) + 1):
        kept *= 1 - Fraction(1, k + 1)
    v = (1 - 1 / (t + 1)) * v + g / (t + 1)
    return {"v": v, "theta": theta - alpha * (v - 3 * kept) / (1 - kept)}


def test_a_decay_that_varies_with_the_step_is_judged():
    arguments = "theta g v t alpha"
    verdict = judge_rule(slowing, exactly(slowing_formula, "v", v=3)(arguments), **FEW)
    assert verdict.ok, verdict.message

    def early(g, theta, v, t, alpha):
        return slowing_formula(g, theta, v, t - 1 if t > 1 else t, alpha)

    assert not judge_rule(slowing, exactly(early, "v", v=3)(arguments), **FEW).ok


@update_rule(defaults={alpha: 0.01, beta_1: 0.9, beta_2: 0.5, epsilon: 1e-4}, initial={v: 0, G: 0})
def belief():
    """The square of the surprise (g - v), averaged, debiased, written as a difference."""
    return {
        "average": Eq(v[t], v[t - 1] + (1 - beta_1) * (g[t] - v[t - 1])),
        "surprise": Eq(G[t], beta_2 * G[t - 1] + (1 - beta_2) * (g[t] - v[t]) ** 2),
        "corrected": debias(v, G),
        "step": Eq(theta[t + 1], theta[t] - alpha * hat(v)[t] / (hat(G)[t] + epsilon)),
    }


def belief_formula(g, theta, v, G, t, alpha, beta_1, beta_2, epsilon):
    v = beta_1 * v + (1 - beta_1) * g
    G = beta_2 * G + (1 - beta_2) * (g - v) ** 2
    v_hat, G_hat = v / (1 - beta_1 ** int(t)), G / (1 - beta_2 ** int(t))
    if not G_hat + epsilon:
        return {"v": v, "G": G, "theta": float("nan")}
    return {"v": v, "G": G, "theta": theta - alpha * v_hat / (G_hat + epsilon)}


def test_data_mixed_with_the_past_is_debiased_by_its_response():
    arguments = "theta g v G t alpha beta_1 beta_2 epsilon"
    verdict = judge_rule(belief, exactly(belief_formula, "v", "G")(arguments), **FEW)
    assert verdict.ok, verdict.message


@update_rule(defaults={alpha: 0.01, rho: 0.5})
def fading():
    """A sum over the past whose terms fade; no state of it is known to the declaration."""
    return {
        "gradient": define(g[t, i], d(L(theta[t, i]), theta[t, i])),
        "sum": Eq(a[t, i], Sigma(Rational(1, 2) ** (t - tau) * g[tau, i] ** 2, (tau, 1, t))),
        "step": Eq(theta[t + 1, i], theta[t, i] - alpha * g[t, i] / sqrt(a[t, i] + rho)),
    }


def test_a_fading_sum_over_the_past_is_summed_by_brute_force():
    def step(theta, g, a, alpha, rho):
        T = theta.dtype.type
        a[:] = T(0.5) * a + g * g
        theta -= T(alpha) * g / np.sqrt(a + T(rho))

    def kernel(step):
        arguments = ("theta", "g", "a", "alpha", "rho")
        return Subject(step, arguments, lambda theta: {"a": np.zeros_like(theta)})

    assert judge_rule(fading, kernel(step)).ok

    def kept(theta, g, a, alpha, rho):
        step(theta, g, a, alpha, rho)
        a *= theta.dtype.type(1.0001)

    assert not judge_rule(fading, kernel(kept)).ok


@update_rule(defaults={alpha: 0.01, epsilon: 1e-6})
def by_length():
    return {"step": Eq(theta[t + 1], theta[t] - alpha * g[t] / (Norm(g[t]) + epsilon))}


def test_a_norm_is_taken_over_all_components():
    def step(theta, g, alpha, epsilon):
        T = theta.dtype.type
        length = np.sqrt(np.sum(g * g, dtype=g.dtype))
        theta -= T(alpha) * g / (length + T(epsilon))

    def kernel(step):
        return Subject(step, ("theta", "g", "alpha", "epsilon"), lambda _: {})

    verdict = judge_rule(by_length, kernel(step), steps=2, size=18)
    assert verdict.ok, verdict.message


def test_what_cannot_be_debiased_is_refused_with_the_reason():
    @update_rule(initial={v: 0})
    def squared():
        return {
            "average": Eq(v[t], beta * v[t - 1] ** 2 + (1 - beta) * g[t]),
            "corrected": debias(v),
            "step": Eq(theta[t + 1], theta[t] - hat(v)[t]),
        }

    with pytest.raises(DeclarationError, match=r"squared\.average cannot be debiased: v does not"):
        judge_rule(squared, exactly(sign_formula, "v")("theta g v beta"))


def test_a_kernel_of_which_nothing_can_be_judged_is_not_accepted():
    @update_rule
    def enormous():
        return {"step": Eq(theta[t + 1], theta[t] - (theta[t] + 10) ** 2 * 10**30 * 10**30 * g[t])}

    def step(theta, g):
        theta[:] = np.inf * g

    verdict = judge_rule(enormous, Subject(step, ("theta", "g"), lambda _: {}))
    assert not verdict.ok
