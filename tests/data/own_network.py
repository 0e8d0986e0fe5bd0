"""A network with an activation and a loss that the catalogue knows nothing of."""

from sympy import Eq, KroneckerDelta, exp

from symopt import (
    Largest,
    Sigma,
    count,
    given,
    label,
    layer,
    loss,
    network,
    penalty,
    sequence,
    statistic,
)
from symopt.catalog.lecture.dropout import dropout
from symopt.catalog.lecture.early_stopping import early_stopping
from symopt.catalog.lecture.l2 import l2
from symopt.catalog.lecture.momentum import momentum
from symopt.catalog.network.affine import affine
from symopt.catalog.network.reduce_on_plateau import reduce_on_plateau
from symopt.symbols import example as i

x, y = given("x"), sequence("y")


@layer
def swish():
    """Each number times its own sigmoid."""
    return {"output": Eq(y[i], x[i] / (1 + exp(-x[i])))}


z, p = given("z"), sequence("p")
K, labels = count("K"), label("l", python="labels")
M, Z = statistic("M"), statistic("Z", positive=True)
total = statistic("loss", latex=r"\ell", unicode="ℓ")


@loss(over="C")
def brier():
    """The squared distance of the probabilities from the label."""
    return {
        "largest": Eq(M, Largest(z[i], (i, 1, K))),
        "total": Eq(Z, Sigma(exp(z[i] - M), (i, 1, K))),
        "probability": Eq(p[i], exp(z[i] - M) / Z),
        "loss": Eq(total, Sigma((p[i] - KroneckerDelta(i, labels)) ** 2, (i, 1, K))),
    }


@network(inputs=(2,))
def rings():
    """Two rings in the plane, told apart."""
    return {
        "layers": [affine(K=16), swish, dropout(p=0.1), affine(K=2)],
        "loss": brier,
        "penalties": [penalty(l2, 1e-4, "W")],
        "rule": momentum(gamma=0.9),
        "schedule": reduce_on_plateau(alpha=0.05, patience=5),
        "stopping": early_stopping(patience=30),
    }
