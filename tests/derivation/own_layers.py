"""Layers that no catalogue has, plain forward passes by hand, and expressions at plain numbers."""

from fractions import Fraction

import mpmath
from sympy import Abs, Eq, Indexed, Symbol, exp, sqrt

from symopt import Sigma, given, hat, layer, parameter, sequence, statistic
from symopt.nodes import Gradient
from symopt.printing.unicode import unicode
from symopt.symbols import epsilon, m
from symopt.symbols import example as i

x, z, y = given("x"), given("z"), sequence("y")
gamma, beta = parameter("gamma"), parameter("beta")
mu, q, v = statistic("mu"), statistic("q", nonnegative=True), statistic("v")
MEAN = Eq(mu, 1 / m * Sigma(x[i], (i, 1, m)))
VARIANCE = Eq(q, 1 / m * Sigma((x[i] - mu) ** 2, (i, 1, m)))
NORMALIZE = Eq(hat(x)[i], (x[i] - mu) / sqrt(q + epsilon))


def made(body, **options):
    def own():
        return body()

    return layer(**options)(own)


OWN = {
    "weight standardization": {
        "mean": MEAN,
        "variance": VARIANCE,
        "normalize": Eq(y[i], (x[i] - mu) / sqrt(q + epsilon)),
    },
    "mean absolute value": {
        "size": Eq(q, 1 / m * Sigma(Abs(x[i]), (i, 1, m))),
        "divide": Eq(y[i], x[i] / (epsilon + q)),
    },
    "mean absolute deviation": {
        "mean": MEAN,
        "size": Eq(q, 1 / m * Sigma(Abs(x[i] - mu), (i, 1, m))),
        "divide": Eq(y[i], (x[i] - mu) / (epsilon + q)),
    },
    "variance by moments": {
        "mean": MEAN,
        "square": Eq(v, 1 / m * Sigma(x[i] ** 2, (i, 1, m))),
        "variance": Eq(q, v - mu**2),
        "normalize": Eq(y[i], (x[i] - mu) / sqrt(q + epsilon)),
    },
    "residual": {
        "mean": MEAN,
        "variance": VARIANCE,
        "normalize": NORMALIZE,
        "add": Eq(y[i], gamma * hat(x)[i] + x[i]),
    },
    "centring": {"mean": MEAN, "shift": Eq(y[i], gamma * (x[i] - mu) + beta)},
    "softmax": {
        "total": Eq(q, Sigma(exp(x[i]), (i, 1, m))),
        "share": Eq(y[i], exp(x[i]) / q),
    },
    "an epsilon of its own beside the root": {
        "mean": MEAN,
        "variance": VARIANCE,
        "normalize": Eq(y[i], epsilon * (x[i] - mu) / sqrt(q + epsilon)),
    },
}


def numeric(expr, letters, elements, bound=None):
    """An expression at a point by its own structure; letters and elements go by their names."""
    bound = bound or {}
    if isinstance(expr, Gradient):
        variable = expr.variable
        return elements[f"dL/d{unicode(variable.base)}"][bound[variable.indices[0]] - 1]
    if isinstance(expr, Sigma):
        last = int(numeric(expr.bounds[1], letters, elements, bound))
        places = range(1, last + 1)
        return sum(numeric(expr.body, letters, elements, {**bound, expr.index: k}) for k in places)
    if isinstance(expr, Indexed):
        return elements[unicode(expr.base)][bound[expr.indices[0]] - 1]
    if expr.is_Rational:
        return Fraction(expr.p, expr.q)
    if isinstance(expr, Symbol):
        return letters[unicode(expr)]
    parts = [numeric(part, letters, elements, bound) for part in expr.args]
    if expr.is_Add:
        return sum(parts)
    if expr.is_Mul:
        product = 1
        for part in parts:
            product *= part
        return product
    if expr.is_Pow:
        exact = parts[1].denominator == 1
        return parts[0] ** (parts[1] if exact else mpmath.mpf(parts[1].numerator) / 2)
    return {"Abs": abs, "exp": lambda u: mpmath.exp(mpmath.mpf(u.numerator) / u.denominator)}[
        type(expr).__name__
    ](*parts)


def close(one, other):
    return abs(real(one) - real(other)) < mpmath.mpf(10) ** -30


def data(size, seed=0):
    return [Fraction((3 * k * k + 5 * seed) % 11 - 4, k % 3 + 1) for k in range(1, size + 1)]


def real(number):
    if isinstance(number, Fraction):
        return mpmath.mpf(number.numerator) / number.denominator
    return mpmath.mpf(number)


# plain forward passes, by hand


def plain_mean(xs):
    return sum(xs) / len(xs)


def plain_variance(xs):
    mean = plain_mean(xs)
    return sum((one - mean) ** 2 for one in xs) / len(xs)


def plain_standard(xs, eps):
    root = mpmath.sqrt(real(plain_variance(xs) + eps))
    return [real(one - plain_mean(xs)) / root for one in xs]


def plain_rms(xs, eps):
    root = mpmath.sqrt(real(sum(one**2 for one in xs) / len(xs) + eps))
    return [real(one) / root for one in xs]


def everything(xs, eps, weights=None):
    """All letters of batch normalization at γ = 7/5, β = −2/3, with plain names."""
    standard = plain_standard(xs, eps)
    letters = {
        "m": len(xs),
        "ε": real(eps),
        "γ": real(Fraction(7, 5)),
        "β": real(Fraction(-2, 3)),
        "μ_B": real(plain_mean(xs)),
        "σ²_B": real(plain_variance(xs)),
    }
    ys = [letters["γ"] * one + letters["β"] for one in standard]
    return letters, {"x": list(map(real, xs)), "x̂": standard, "y": ys, "dL/dy": weights}
