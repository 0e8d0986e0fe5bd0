"""Derivations as students write them, each with a slip in its last line."""

from sympy import Eq, sqrt

from symopt import Expectation, Sigma, chain, d, given, index, sequence, statistic
from symopt.symbols import L, beta_1, epsilon, example, g, m, t, v

k = index("k")
x, y = given("x"), sequence("y")
mu = statistic("mu")
s2 = statistic("sigma2", nonnegative=True, latex=r"\sigma^2", unicode="σ²")


@chain()
def bias_correction():
    return [
        Eq(v[t], beta_1 * v[t - 1] + (1 - beta_1) * g[t]),
        Eq(v[0], 0),
        Eq(v[t], Sigma((1 - beta_1) * beta_1 ** (t - k) * g[k], (k, 1, t))),
        Eq(Expectation(v[t]), (1 - beta_1**2) * Expectation(g[t])),
    ]


@chain()
def variance():
    return [
        Eq(mu, 1 / m * Sigma(x[example], (example, 1, m))),
        Eq(s2, 1 / m * Sigma((x[example] - mu) ** 2, (example, 1, m))),
        Eq(s2, 1 / m * Sigma(x[example] ** 2, (example, 1, m)) - mu),
    ]


@chain()
def batch_norm_gradient():
    return [
        Eq(mu, 1 / m * Sigma(x[example], (example, 1, m))),
        Eq(s2, 1 / m * Sigma((x[example] - mu) ** 2, (example, 1, m))),
        Eq(y[example], (x[example] - mu) / sqrt(s2 + epsilon)),
        Eq(
            d(L, s2),
            -Sigma(d(L, y[example]) * (x[example] - mu), (example, 1, m))
            / (2 * (s2 + epsilon) * sqrt(s2 + epsilon)),
        ),
        Eq(d(L, mu), -1 / sqrt(s2 + epsilon) * Sigma(d(L, y[example]), (example, 1, m))),
        Eq(d(L, x[example]), d(L, y[example]) / sqrt(s2 + epsilon) + d(L, mu) / m),
    ]
