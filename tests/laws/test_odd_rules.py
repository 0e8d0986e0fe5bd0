"""Rules in forms that the lecture does not use, each through the whole path."""

import inspect
import itertools

import numpy as np
import pytest
from sampling import every
from sympy import (
    Abs,
    And,
    Eq,
    Interval,
    Max,
    Min,
    Ne,
    Not,
    Or,
    Piecewise,
    Rational,
    ceiling,
    cos,
    exp,
    floor,
    log,
    sign,
    sqrt,
    tanh,
)

from symopt import (
    Sigma,
    compile,
    d,
    debias,
    define,
    given,
    hat,
    hyperparameter,
    index,
    initially,
)
from symopt.judging import verify
from symopt.symbols import (
    L,
    alpha,
    beta,
    example,
    f,
    g,
    gamma,
    m,
    t,
    tau,
    theta,
    u,
    v,
    x,
    y,
)

rho = hyperparameter("rho", Interval.open(0, 1))
h = given("h")
k = index("k", "step")
LOSS = d(L(y[example], f(x[example], theta)), theta)


def step(right):
    return {"step": Eq(theta[t + 1], right)}


def cases():
    above, below = And(g[t] > 0, theta[t] < 1), Or(g[t] < -1, Eq(theta[t], 0))
    return Piecewise((g[t], above), (2 * g[t], below), (-theta[t], True))


ODD = {
    "a gradient of another letter": lambda: {
        "name": define(u[t], d(L(theta), theta)),
        **step(theta[t] - alpha * u[t]),
    },
    "a correction from an initial value that is chosen": lambda: {
        "average": Eq(v[t], beta * v[t - 1] + (1 - beta) * g[t] ** 2),
        "start": initially(rho, v),
        "correction": debias(v),
        **step(theta[t] - alpha * g[t] / sqrt(hat(v)[t] + 1)),
    },
    "two inputs": lambda: step(theta[t] - alpha * g[t] - h[t]),
    "no input": lambda: step(beta * theta[t]),
    "no hyperparameter": lambda: step(theta[t] - g[t]),
    "a gradient beside a given g": lambda: step(theta[t] - alpha * d(L, theta) - g[t]),
    "a state one step ahead": lambda: {
        "velocity": Eq(v[t + 1], gamma * v[t] + alpha * g[t]),
        "start": initially(1, v),
        "correction": debias(v),
        **step(theta[t] - hat(v)[t + 1]),
    },
    "weights that vary": lambda: {
        "average": Eq(v[t], v[t - 1] / t + 3 * g[t]),
        "start": initially(1, v),
        "correction": debias(v),
        **step(theta[t] - hat(v)[t]),
    },
    "a vote of examples": lambda: step(theta[t] - alpha * Sigma(sign(LOSS), (example, 1, m)) / m),
    "a variance over examples": lambda: {
        "spread": Eq(v[t], Sigma((LOSS - v[t - 1]) ** 2, (example, 1, m)) / m),
        "start": initially(0, v),
        **step(theta[t] - alpha * v[t]),
    },
    "cases beside what differs between examples": lambda: {
        "spread": Eq(
            v[t], Sigma((LOSS - Max(theta[t], alpha) * theta[t]) ** 2, (example, 1, m)) / m
        ),
        **step(theta[t] - alpha * v[t]),
    },
    "powers": lambda: step(theta[t] - alpha * g[t] ** 5 + 0.3 * g[t] - theta[t] ** 7 / 3),
    "a root": lambda: step(theta[t] - alpha * Abs(g[t]) ** Rational(1, 3)),
    "functions": lambda: step(
        theta[t] - alpha * exp(-(g[t] ** 2)) * tanh(g[t]) * log(1 + Abs(g[t])) - cos(theta[t])
    ),
    "whole numbers": lambda: step(
        theta[t] - alpha * floor(g[t]) + ceiling(theta[t]) - Min(g[t], theta[t], 1)
    ),
    "cases": lambda: step(theta[t] - alpha * cases()),
    "brackets": lambda: step(theta[t] - alpha * (-g[t] - (theta[t] - (g[t] - 1)))),
    "an old value after the new one": lambda: {
        "average": Eq(v[t], beta * v[t - 1] + (1 - beta) * g[t]),
        "start": initially(0, v),
        **step(theta[t] - alpha * v[t] + gamma * v[t - 1]),
    },
    "rational powers of numbers": lambda: {
        "average": Eq(v[t], (1 - t ** Rational(-4, 5)) * v[t - 1] + t ** Rational(-4, 5) * g[t]),
        "start": initially(1, v),
        "correction": debias(v),
        **step(theta[t] - alpha ** Rational(1, 3) * t ** Rational(1, 2) * hat(v)[t]),
    },
    "quotients of numbers": lambda: step(
        theta[t] - alpha * g[t] / 2 * Rational(2, 3) / Rational(1, 5) * 0.1
    ),
    "clipping by a hyperparameter": lambda: step(theta[t] - Max(-alpha, Min(alpha, g[t]))),
    "cases of hyperparameters": lambda: step(
        theta[t] - Piecewise((g[t], g[t] > alpha), (rho, g[t] < -alpha), (alpha + rho, True))
    ),
    "a weight with an equation of its own": lambda: {
        "weight": Eq(u[t], 1 - t ** Rational(-4, 5)),
        "average": Eq(v[t], u[t] * v[t - 1] + (1 - u[t]) * g[t]),
        "start": initially(0, v),
        "correction": debias(v),
        **step(theta[t] - alpha * hat(v)[t]),
    },
    "dual averaging": lambda: step(theta[t] - alpha * Sigma(g[tau], (tau, 1, t))),
    "momentum on the iterates": lambda: {
        "inner": Eq(v[t], theta[t] - alpha * g[t]),
        "outer": Eq(theta[t + 1], v[t] + gamma * (v[t] - v[t - 1])),
        "start": initially(theta[1], v),
    },
    "another letter for the step": lambda: {
        "step": Eq(theta[k + 1], theta[k] - alpha / k * g[k]),
    },
    "a scalar state read bare": lambda: {
        "weight": Eq(u[t], beta * u[t - 1] + 1),
        "average": Eq(v[t], gamma * v[t - 1] + u[t] * g[t]),
        "start": initially(0, u, v),
        **step(theta[t] - alpha * v[t]),
    },
    "a correction of what has cases": lambda: {
        "average": Eq(v[t], beta * v[t - 1] + (1 - beta) * Piecewise((g[t], g[t] > 0), (0, True))),
        "start": initially(0, v),
        "correction": debias(v),
        **step(theta[t] - alpha * hat(v)[t]),
    },
    "a part shared with a sum over examples": lambda: {
        "spread": Eq(
            v[t],
            Sigma((LOSS - (v[t - 1] + theta[t])) ** 2, (example, 1, m)) / m
            + (v[t - 1] + theta[t]) * (v[t - 1] + theta[t]),
        ),
        "start": initially(0, v),
        **step(theta[t] - alpha * v[t]),
    },
    "a heavy ball": lambda: {
        **step(theta[t] - alpha * g[t] + gamma * (theta[t] - v[t - 1])),
        "previous": Eq(v[t], theta[t]),
        "start": initially(theta[1], v),
    },
    "an average of the parameters": lambda: {
        **step(theta[t] - alpha * g[t]),
        "average": Eq(v[t], beta * v[t - 1] + (1 - beta) * theta[t + 1]),
        "start": initially(theta[1], v),
    },
    "a part that is written twice": lambda: step(
        theta[t] - alpha * sqrt(g[t] ** 2 + 1) - rho / sqrt(g[t] ** 2 + 1)
    ),
}


@pytest.mark.parametrize(
    ("case", "dtype"), every(11, itertools.product(ODD, ["float32", "float64"]))
)
def test_an_odd_rule_verifies(declare, case, dtype):
    verdict = verify(declare(ODD[case]), dtype, steps=6)
    assert verdict.ok, verdict.message


@pytest.mark.parametrize(
    ("case", "inputs"),
    [
        ("two inputs", [[np.ones(3)], [np.ones(3)]]),
        ("no input", []),
        ("no hyperparameter", [[np.ones(3)]]),
        ("a vote of examples", [[np.ones((2, 3))]]),
    ],
)
def test_the_class_of_an_odd_rule_steps(declare, case, inputs):
    module = compile(declare(ODD[case]))
    parameters = inspect.signature(module.Rule).parameters
    values = {"alpha": 0.5, "beta": 0.5}
    chosen = {key: value for key, value in values.items() if key in parameters}
    theta = np.ones(3)
    optimizer = module.Rule([theta], **chosen)
    optimizer.step(*inputs)
    wanted = {"two inputs": -0.5, "no input": 0.5, "no hyperparameter": 0.0}
    assert np.array_equal(theta, np.full(3, wanted.get(case, 0.5)))
    assert optimizer.t == 1


def test_a_part_that_is_written_twice_is_computed_once(declare):
    module = compile(declare(ODD["a part that is written twice"]))
    for kernel in (module._step, module._step_vjp):
        assert inspect.getsource(kernel.py_func).count("math.sqrt") == 1


def test_a_hyperparameter_in_a_closed_form_takes_no_schedule(library):
    module = compile(library["adam"])
    with pytest.raises(ValueError, match=r"beta_1 is <function .*>, not a number in"):
        module.Adam([np.zeros(2)], beta_1=lambda t: 0.5 / t)


def test_points_without_a_value_are_counted_and_the_first_is_named(declare):
    """AdaMax divides by a maximum that is zero until the first gradient that is not."""
    rule = declare(
        lambda: {
            "largest": Eq(v[t], Max(beta * v[t - 1], Abs(g[t]))),
            **step(theta[t] - alpha * g[t] / v[t]),
            "start": initially(0, v),
        }
    )
    verdict = verify(rule, "float64", steps=4)
    assert verdict.ok
    assert verdict.undefined > 0
    assert "the declared value does not exist" in verdict.note
    assert "v = 0.0, g = " in verdict.note


NAN_CASES = {
    "a later branch": lambda: Piecewise((alpha, g[t] > 0), (gamma, theta[t] > 0), (5, True)),
    "a negated and": lambda: Piecewise((alpha, Not(And(g[t] > 0, theta[t] > 0))), (gamma, True)),
    "a negated or": lambda: Piecewise((alpha, Not(Or(g[t] > 0, theta[t] < 0))), (gamma, True)),
    "an inequality": lambda: Piecewise((alpha, Ne(g[t], 0)), (gamma, True)),
}


@pytest.mark.parametrize("case", NAN_CASES)
def test_a_nan_in_a_condition_is_never_hidden(declare, case):
    module = compile(declare(lambda: step(theta[t] - NAN_CASES[case]() - 0 * gamma)))
    numbers = {"alpha": 0.5, "gamma": 0.25}
    read = set(inspect.signature(module.step).parameters)
    theta_ = np.ones(2)
    module.step(theta_, np.array([np.nan, 1.0]), **{k: x for k, x in numbers.items() if k in read})
    assert list(np.isnan(theta_)) == [True, False]


def test_a_scalar_state_keeps_its_double_precision(declare):
    module = compile(declare(ODD["a scalar state read bare"]))
    theta_, g_ = np.zeros(2, np.float32), np.ones(2, np.float32)
    states = module.initial_states(theta_)
    for _ in range(3):
        module.step(theta_, g_, **states, alpha=0.1, beta=0.9, gamma=0.5)
    assert states["u"][0] == 0.9 * (0.9 * 1.0 + 1) + 1
