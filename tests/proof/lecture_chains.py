"""Right derivations of the lecture as chains, of which tests make wrong ones."""

from sympy import Eq, exp, sqrt

from symopt import Expectation, Sigma, chain, d, given, hat, index, sequence, statistic
from symopt.symbols import L, alpha, beta_1, epsilon, example, g, gamma, m, t, theta, v

k = index("k")
x, y, u = given("x"), sequence("y"), sequence("u")
mu, Z = statistic("mu"), statistic("Z", positive=True)
s2 = statistic("sigma2", nonnegative=True, latex=r"\sigma^2", unicode="σ²")


def total(body):
    return Sigma(body, (example, 1, m))


@chain()
def bias_correction():
    return [
        Eq(v[t], beta_1 * v[t - 1] + (1 - beta_1) * g[t]),
        Eq(v[0], 0),
        Eq(v[t], Sigma((1 - beta_1) * beta_1 ** (t - k) * g[k], (k, 1, t))),
        Eq(
            Expectation(v[t]),
            (1 - beta_1) * Sigma(beta_1 ** (t - k), (k, 1, t)) * Expectation(g[t]),
        ),
        Eq(Expectation(v[t]), (1 - beta_1**t) * Expectation(g[t])),
        Eq(hat(v)[t], v[t] / (1 - beta_1**t)),
        Eq(Expectation(hat(v)[t]), Expectation(g[t])),
    ]


@chain()
def variance():
    return [
        Eq(mu, 1 / m * total(x[example])),
        Eq(s2, 1 / m * total((x[example] - mu) ** 2)),
        Eq(s2, 1 / m * total(x[example] ** 2) - 2 * mu / m * total(x[example]) + mu**2),
        Eq(s2, 1 / m * total(x[example] ** 2) - mu**2),
        Eq(y[example], (x[example] - mu) / sqrt(s2 + epsilon)),
        Eq(total(y[example]), 0),
        Eq(1 / m * total(y[example] ** 2), s2 / (s2 + epsilon)),
    ]


@chain()
def batch_norm_gradient():
    return [
        Eq(mu, 1 / m * total(x[example])),
        Eq(s2, 1 / m * total((x[example] - mu) ** 2)),
        Eq(y[example], (x[example] - mu) / sqrt(s2 + epsilon)),
        Eq(
            d(L, s2),
            -total(d(L, y[example]) * (x[example] - mu))
            / (2 * (s2 + epsilon) * sqrt(s2 + epsilon)),
        ),
        Eq(d(L, mu), -1 / sqrt(s2 + epsilon) * total(d(L, y[example]))),
        Eq(
            d(L, x[example]),
            d(L, y[example]) / sqrt(s2 + epsilon)
            + d(L, mu) / m
            + 2 / m * d(L, s2) * (x[example] - mu),
        ),
    ]


@chain()
def softmax():
    return [
        Eq(Z, total(exp(x[example]))),
        Eq(y[example], exp(x[example]) / Z),
        Eq(total(y[example]), 1),
        Eq(total(y[example] * (1 - y[example])), 1 - total(y[example] ** 2)),
    ]


@chain()
def first_step():
    return [
        Eq(v[t], gamma * v[t - 1] + alpha * g[t]),
        Eq(v[0], 0),
        Eq(theta[t + 1], theta[t] - v[t]),
        Eq(v[1], alpha * g[1]),
        Eq(v[2], gamma * alpha * g[1] + alpha * g[2]),
        Eq(v[t], alpha * Sigma(gamma ** (t - k) * g[k], (k, 1, t))),
        Eq(theta[t + 1], theta[t] - alpha * Sigma(gamma ** (t - k) * g[k], (k, 1, t))),
    ]


CHAINS = (bias_correction, variance, batch_norm_gradient, softmax, first_step)
