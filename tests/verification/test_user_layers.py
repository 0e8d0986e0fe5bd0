"""Layers that no slide shows: other axes, two inputs, kinks, parameters that differ in a group."""

from dataclasses import replace

import pytest
from handwritten_layers import subject
from sampling import every
from sympy import Abs, Eq, Max, exp, sqrt

from symopt.declaration import layer
from symopt.errors import DeclarationError
from symopt.nodes import Norm, Sigma
from symopt.notation import given, parameter, sequence, statistic
from symopt.symbols import epsilon, example, m
from symopt.verification import judge_layer

x, z, y = given("x"), given("z"), sequence("y")
gamma = parameter("gamma")
mu_B = statistic("mu_B")
spread = statistic("spread", nonnegative=True)
deviation = sequence("deviation")
DTYPES = ("float32", "float64")


def declared(name, equations, **options):
    def stated():
        return equations

    stated.__name__ = name
    return layer(defaults={epsilon: 1e-3}, **options)(stated)


def kernels(text, results, gradients):
    return replace(subject(text), results=results, gradients=gradients)


GATED = """
def wide(v, x):
    return v.reshape((1, -1) + (1,) * (x.ndim - 2))

def forward(x, z, gamma, epsilon):
    T, axes = x.dtype.type, tuple(range(1, x.ndim))
    spread = np.abs(x).mean(axis=axes, keepdims=True)
    y = np.maximum(wide(gamma, x) * x / (spread + T(epsilon)) + z * z, 0) * np.exp(-z)
    return y, spread.reshape(-1)

def backward(dy, x, z, gamma, spread, epsilon):
    T, axes = x.dtype.type, tuple(range(1, x.ndim))
    one = 1 / (spread.reshape((-1,) + (1,) * (x.ndim - 1)) + T(epsilon))
    inner = wide(gamma, x) * x * one + z * z
    dpositive = dy * np.exp(-z)
    dinner = dpositive * (inner > 0)
    dspread = -(dinner * wide(gamma, x) * x * one * one).mean(axis=axes, keepdims=True)
    dx = dinner * wide(gamma, x) * one + np.sign(x) * dspread
    dz = 2 * z * dinner - dpositive * np.maximum(inner, 0)
    return dx, dz, (dinner * x * one).sum(axis=tuple(k for k in range(x.ndim) if k != 1))
"""


def gated():
    """Two inputs, an absolute value and a maximum, a parameter for each channel of a group."""
    positive = Max(gamma * x[example] / (spread + epsilon) + z[example] ** 2, 0)
    return declared(
        "gated",
        {
            "spread": Eq(spread, 1 / m * Sigma(Abs(x[example]), (example, 1, m))),
            "output": Eq(y[example], positive * exp(-z[example])),
        },
        over="C H W",
    )


@pytest.mark.parametrize("dtype", every(2, DTYPES))
def test_kinks_and_a_second_input_are_judged(dtype):
    verdict = judge_layer(gated(), kernels(GATED, ("y", "spread"), ("x", "z", "gamma")), dtype)
    assert verdict.ok, verdict.message
    assert verdict.points > 900


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("np.sign(x) * dspread", "dspread", "gated, dL/dx at "),
        ("(inner > 0)", "(inner > -9)", "gated, dL/dx at "),
        (" - dpositive * np.maximum(inner, 0)", "", "gated, dL/dz at "),
        ("np.exp(-z)\n    return y", "np.exp(z)\n    return y", "gated.output, y at "),
    ],
)
def test_a_slip_beside_a_kink_is_refuted(old, new, where):
    assert GATED.count(old) == 1
    text = GATED.replace(old, new)
    verdict = judge_layer(gated(), kernels(text, ("y", "spread"), ("x", "z", "gamma")))
    assert verdict.where.startswith(where), verdict.message


WHOLE = """
def forward(x, epsilon):
    mu = x.mean()
    deviation = x - mu
    return deviation / np.sqrt((deviation**2).mean() + x.dtype.type(epsilon)), mu, deviation

def backward(dy, x, mu_B, deviation, epsilon):
    one = 1 / np.sqrt((deviation**2).mean() + x.dtype.type(epsilon))
    y = deviation * one
    return (dy - dy.mean() - y * (dy * y).mean()) * one
"""


@pytest.mark.parametrize("dtype", every(2, DTYPES))
def test_a_group_may_be_the_whole_array_and_a_result_a_letter_of_each_element(dtype):
    squares = 1 / m * Sigma(deviation[example] ** 2, (example, 1, m))
    whole = declared(
        "whole",
        {
            "mean": Eq(mu_B, 1 / m * Sigma(x[example], (example, 1, m))),
            "deviation": Eq(deviation[example], x[example] - mu_B),
            "output": Eq(y[example], deviation[example] / sqrt(squares + epsilon)),
        },
        over="N C H W",
    )
    results = ("y", "mu_B", "deviation")
    verdict = judge_layer(whole, kernels(WHOLE, results, ("x",)), dtype)
    assert verdict.ok, verdict.message
    wrong = WHOLE.replace("dy - dy.mean()", "dy - dy.mean(axis=0)")
    verdict = judge_layer(whole, kernels(wrong, results, ("x",)), dtype)
    assert verdict.where.startswith("whole, dL/dx at "), verdict.message


def test_a_norm_is_refused_with_the_way_out():
    normed = declared(
        "normed",
        {
            "mean": Eq(mu_B, 1 / m * Sigma(x[example], (example, 1, m))),
            "output": Eq(y[example], x[example] / (Norm(x[example]) + mu_B + epsilon)),
        },
    )
    with pytest.raises(DeclarationError, match="write a sum over them"):
        judge_layer(normed, kernels(WHOLE, ("y",), ("x",)))
