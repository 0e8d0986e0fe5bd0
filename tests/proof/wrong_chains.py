"""Wrong lines about gradients and means, each plausible, of chains whose other lines are right."""

from sympy import Eq, exp, log, sqrt
from sympy.abc import c

from symopt import Expectation, Sigma, chain, d, given, index, sequence, statistic
from symopt.nodes import Variance
from symopt.symbols import L, alpha, beta_1, epsilon, example, g, gamma, m, t, theta, v

k, j = index("k"), index("j", "example")
x, w, y, z = given("x"), given("w"), sequence("y"), sequence("z")
mu, total, loss = statistic("mu"), statistic("Z", positive=True), statistic("l")
s2 = statistic("sigma2", nonnegative=True, latex=r"\sigma^2", unicode="σ²")


def over(body, which=example):
    return Sigma(body, (which, 1, m))


NORM = (
    lambda: Eq(mu, over(x[example]) / m),
    lambda: Eq(s2, over((x[example] - mu) ** 2) / m),
    lambda: Eq(y[example], (x[example] - mu) / sqrt(s2 + epsilon)),
)
SOFT = (
    lambda: Eq(total, over(exp(x[example]))),
    lambda: Eq(y[example], exp(x[example]) / total),
)
AVERAGE = (
    lambda: Eq(v[t], beta_1 * v[t - 1] + (1 - beta_1) * g[t]),
    lambda: Eq(v[0], 0),
)
MEAN_G = Expectation(g[t])
dy = d(L, y[example])

RIGHT = {
    "a sum over another index": (
        NORM,
        lambda: Eq(over(d(L, x[j]), j), 0),
    ),
    "the closed form of batch norm's gradient": (
        NORM,
        lambda: Eq(
            d(L, x[example]),
            (dy - over(d(L, y[j]), j) / m - y[example] / m * over(d(L, y[j]) * y[j], j))
            / sqrt(s2 + epsilon),
        ),
    ),
    "orthogonal but for ε": (
        NORM,
        lambda: Eq(
            over(x[example] * d(L, x[example])),
            epsilon / (s2 + epsilon) * over(dy * y[example]),
        ),
    ),
    "softmax": (
        SOFT,
        lambda: Eq(d(L, x[example]), y[example] * (dy - over(d(L, y[j]) * y[j], j))),
    ),
    "cross-entropy": (
        (
            *SOFT,
            lambda: Eq(loss, -over(w[example] * log(y[example]))),
        ),
        lambda: Eq(d(L, x[example]), d(L, loss) * (y[example] * over(w[j], j) - w[example])),
    ),
    "squares": (
        AVERAGE,
        lambda: Eq(Expectation((g[t] + 1) ** 2), Expectation(g[t] ** 2) + 2 * MEAN_G + 1),
    ),
    "two steps of one average": (
        AVERAGE,
        lambda: Eq(Expectation(v[t + 1] - beta_1 * v[t]), (1 - beta_1) * Expectation(g[t + 1])),
    ),
    "a multiple's variance": (
        (lambda: Eq(z[t], alpha * g[t] + gamma),),
        lambda: Eq(Variance(z[t]), alpha**2 * (Expectation(g[t] ** 2) - MEAN_G**2)),
    ),
    "a step in the mean": (
        (*AVERAGE, lambda: Eq(theta[t + 1], theta[t] - alpha * v[t])),
        lambda: Eq(
            Expectation(theta[t + 1]),
            Expectation(theta[t]) - alpha * (1 - beta_1**t) * MEAN_G,
        ),
    ),
}

WRONG = {
    "a way forgotten": (NORM, lambda: Eq(d(L, x[example]), dy / sqrt(s2 + epsilon))),
    "the way through the mean forgotten": (
        NORM,
        lambda: Eq(
            d(L, x[example]),
            dy / sqrt(s2 + epsilon) + 2 / m * d(L, s2) * (x[example] - mu),
        ),
    ),
    "a factor": (
        NORM,
        lambda: Eq(
            d(L, x[example]),
            dy / sqrt(s2 + epsilon) + d(L, mu) / m + d(L, s2) / m * (x[example] - mu),
        ),
    ),
    "a sign of a gradient": (NORM, lambda: Eq(d(L, mu), over(dy) / sqrt(s2 + epsilon))),
    "a sum forgotten": (NORM, lambda: Eq(d(L, mu), -dy / sqrt(s2 + epsilon))),
    "the diagonal alone": (
        SOFT,
        lambda: Eq(d(L, x[example]), y[example] * (1 - y[example]) * dy),
    ),
    "orthogonal without ε": (
        NORM,
        lambda: Eq(over(x[example] * d(L, x[example])), 0),
    ),
    "a square of the mean": (AVERAGE, lambda: Eq(Expectation(g[t] ** 2), MEAN_G**2)),
    "a product of one letter at two steps": (
        AVERAGE,
        lambda: Eq(Expectation(g[t] * g[t + 1]), MEAN_G**2),
    ),
    "a square of the average": (
        AVERAGE,
        lambda: Eq(Expectation(v[t] ** 2), (1 - beta_1**t) ** 2 * MEAN_G**2),
    ),
    "a product with the average": (
        AVERAGE,
        lambda: Eq(Expectation(v[t] * g[t]), Expectation(v[t]) * MEAN_G),
    ),
    "no bias": (AVERAGE, lambda: Eq(Expectation(v[t]), MEAN_G)),
    "the power of the step before": (
        AVERAGE,
        lambda: Eq(Expectation(v[t]), (1 - beta_1 ** (t - 1)) * MEAN_G),
    ),
    "an average that is its mean": (AVERAGE, lambda: Eq(Expectation(v[t]), v[t])),
    "a quotient": (AVERAGE, lambda: Eq(Expectation(1 / g[t]), 1 / MEAN_G)),
    "a variance": (
        AVERAGE,
        lambda: Eq(Variance(v[t]), (1 - beta_1**t) * Variance(g[t])),
    ),
    "a multiple's variance": (
        AVERAGE,
        lambda: Eq(Variance(2 * g[t]), 2 * Variance(g[t])),
    ),
    "another first step": (AVERAGE, lambda: Eq(v[1], 2 * (1 - beta_1) * g[1])),
}


def written(name, lines):
    """Some lines as a chain."""

    def body():
        return [line() for line in lines]

    body.__name__ = "_".join(name.split())
    return chain()(body)


__all__ = ["RIGHT", "WRONG", "c", "k", "written"]
