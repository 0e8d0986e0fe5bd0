from sympy import Eq, sqrt

from symopt.declaration import define, update_rule
from symopt.nodes import Sigma, d
from symopt.symbols import G, L, alpha, epsilon, g, i, t, tau, theta


@update_rule(title="AdaGrad", source="slide 'AdaGrad'", defaults={alpha: 0.01, epsilon: 1e-8})
def adagrad():
    """A learning rate of its own for each parameter, small where it was updated often."""
    return {
        "gradient": define(g[t, i], d(L(theta[t, i]), theta[t, i])),
        "cache": Eq(G[t, i], Sigma(g[tau, i] ** 2, (tau, 1, t))),
        "step": Eq(theta[t + 1, i], theta[t, i] - alpha / sqrt(G[t, i] + epsilon) * g[t, i]),
    }
