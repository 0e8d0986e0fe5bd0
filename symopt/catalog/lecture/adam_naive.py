from sympy import Eq, sqrt

from symopt.catalog.lecture.momentum import momentum
from symopt.catalog.lecture.rmsprop import rmsprop
from symopt.declaration import slip, update_rule
from symopt.nodes import d
from symopt.symbols import G, L, alpha, beta, epsilon, gamma, t, theta, v


@update_rule(
    title="Adam, first sketch",
    source="slide 'Adam', first sketch",
    defaults={alpha: 1e-3, beta: 0.9, gamma: 0.9, epsilon: 1e-8},
    initial={v: 0, G: 0},
)
def adam_naive():
    """The first sketch of Adam: momentum's velocity over the root of RMSProp's cache."""
    return {
        "index_slip": slip(
            shown=Eq(v[t + 1], gamma * v[t] + alpha * d(L(theta), theta)),
            meant=momentum["velocity"],
            note="The slide shifts the index of the velocity by one against the slide on "
            "momentum; the velocity of this very step is meant.",
        ),
        "gradient": rmsprop["gradient"],
        "cache": rmsprop["cache"],
        "step": Eq(theta[t + 1], theta[t] - alpha / sqrt(G[t] + epsilon) * v[t]),
    }
