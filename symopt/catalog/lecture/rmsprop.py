from sympy import Eq

from symopt.catalog.lecture.adagrad import adagrad
from symopt.declaration import default, update_rule
from symopt.symbols import G, alpha, beta, epsilon, g, i, t


@update_rule(
    title="RMSProp",
    source="slide 'RMSProp'",
    defaults={alpha: 1e-3, epsilon: 1e-8},
    initial={G: 0},
)
def rmsprop():
    """AdaGrad with an exponential average in place of the sum, so that its steps do not fade."""
    return {
        "gradient": adagrad["gradient"],
        "cache": Eq(G[t, i], beta * G[t - 1, i] + (1 - beta) * g[t, i] ** 2),
        "default": default(beta, 0.9),
        "step": adagrad["step"],
    }
