"""Layers with kinks, jumps, powers and several inputs, beside torch.autograd in float64."""

import numpy as np
import pytest
import torch
from sampling import every
from sympy import Abs, Eq, Interval, Max, Min, Piecewise, Rational, exp, floor, log, sign, sqrt

from symopt import Sigma, given, hyperparameter, layer, parameter, sequence, statistic
from symopt.runtime.compiling import compile
from symopt.symbols import epsilon, m
from symopt.symbols import example as i

x, z, y, u = given("x"), given("z"), sequence("y"), sequence("u")
gamma, w = parameter("gamma"), parameter("w")
mu, nu, q = statistic("mu"), statistic("nu"), statistic("q", nonnegative=True)
kappa = hyperparameter("kappa", Interval(0, 10))
power = hyperparameter("power", Interval(1, 3))
MEAN = Eq(mu, 1 / m * Sigma(x[i], (i, 1, m)))


def mean(a):
    return a.mean(dim=(0, 2), keepdim=True)


def per_channel(a):
    return a[:, None]


LAYERS = {
    "clipped": (
        lambda: {"mean": MEAN, "clip": Eq(y[i], Max(-kappa, Min(kappa, x[i] - mu)))},
        lambda a: (a - mean(a)).clamp(-0.7, 0.7),
        {"kappa": 0.7},
    ),
    "above the mean": (
        lambda: {"mean": MEAN, "cut": Eq(y[i], Piecewise((x[i] - mu, x[i] > mu), (0, True)))},
        lambda a: (a - mean(a)).relu(),
        {},
    ),
    "signed": (
        lambda: {"mean": MEAN, "turn": Eq(y[i], sign(x[i]) * Abs(x[i] - mu) * gamma)},
        lambda a, g: a.sign() * (a - mean(a)).abs() * per_channel(g),
        {"gamma": None},
    ),
    "stepped": (
        lambda: {"mean": MEAN, "step": Eq(y[i], floor(3 * x[i]) + mu * x[i])},
        lambda a: (3 * a).floor() + mean(a) * a,
        {},
    ),
    "power of a size": (
        lambda: {"size": Eq(q, 1 / m * Sigma(x[i] ** 4, (i, 1, m))),
                 "divide": Eq(y[i], x[i] / q ** Rational(1, 4))},
        lambda a: a / mean(a**4) ** 0.25,
        {},
    ),
    "free power": (
        lambda: {"mean": MEAN, "raise": Eq(y[i], Abs(x[i]) ** power - mu)},
        lambda a: a.abs() ** 1.7 - mean(a),
        {"power": 1.7},
    ),
    "two inputs": (
        lambda: {"mean": MEAN, "other": Eq(nu, 1 / m * Sigma(x[i] * z[i], (i, 1, m))),
                 "mix": Eq(y[i], gamma * z[i] * nu + x[i] - mu)},
        lambda a, b, g: per_channel(g) * b * mean(a * b) + a - mean(a),
        {"z": None, "gamma": None},
    ),
    "statistics of a computed letter": (
        lambda: {"mean": MEAN, "centre": Eq(u[i], x[i] - mu),
                 "size": Eq(q, log(1 / m * Sigma(exp(w * u[i]), (i, 1, m)))),
                 "scale": Eq(y[i], u[i] / sqrt(q**2 + epsilon))},
        lambda a, g: (a - mean(a))
        / (mean((per_channel(g) * (a - mean(a))).exp()).log() ** 2 + 0.1).sqrt(),
        {"w": None, "epsilon": 0.1},
    ),
    "a sum beside an element": (
        lambda: {"shift": Eq(y[i], x[i] - 2 / m * Sigma(x[i] ** 2, (i, 1, m)) * gamma)},
        lambda a, g: a - 2 * mean(a**2) * per_channel(g),
        {"gamma": None},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", every(4, LAYERS))
def test_an_odd_layer_is_torchs(name):
    body, peer, taken = LAYERS[name]

    def own():
        return body()

    module = compile(layer(own))
    source = np.random.default_rng(7)
    a = source.normal(size=(3, 2, 4)) + 0.2
    dy = source.normal(size=a.shape)
    arrays = {"x": a}
    for key, value in taken.items():
        if value is None:
            arrays[key] = source.normal(size=a.shape if key == "z" else 2)
    numbers = {key: value for key, value in taken.items() if value is not None}
    found = module.forward(**arrays, **numbers)
    result, *_ = found if isinstance(found, tuple) else (found,)
    leaves = {key: torch.tensor(one, requires_grad=True) for key, one in arrays.items()}
    theirs = peer(*leaves.values())
    (theirs * torch.tensor(dy)).sum().backward()
    np.testing.assert_allclose(result, theirs.detach().numpy(), rtol=1e-11, atol=1e-12)
    sizes = (2,) if "gamma" in taken or "w" in taken else ()
    starts = {key: 1.0 for key in ("gamma", "w") if key in taken}
    made = module.Own(*sizes, **starts, **numbers, dtype=np.float64)
    for key in starts:
        getattr(made, key)[...] = arrays[key]
    inputs = [arrays[key] for key in ("x", "z") if key in arrays]
    np.testing.assert_array_equal(made(*inputs), result)
    back = made.backward(dy)
    for key, one in zip(("x", "z"), back if isinstance(back, tuple) else (back,), strict=False):
        wanted = leaves[key].grad.numpy()
        np.testing.assert_allclose(one, wanted, rtol=1e-9, atol=1e-11)
    for key in starts:
        np.testing.assert_allclose(made.gradients[key], leaves[key].grad.numpy(), rtol=1e-9)
