from sympy import Eq

from symopt.declaration import aside, update_rule
from symopt.nodes import d
from symopt.symbols import L, alpha, gamma, t, theta, v


@update_rule(
    title="Momentum",
    source="slide 'Stochastic Gradient Descent + Momentum'",
    defaults={alpha: 0.01, gamma: 0.9},
    initial={v: 0},
)
def momentum():
    """A velocity v that gathers the gradients, slowed down by the friction gamma."""
    return {
        "sgd": aside(Eq(theta[t + 1], theta[t] - alpha * d(L(theta), theta))),
        "velocity": Eq(v[t], gamma * v[t - 1] + alpha * d(L(theta), theta)),
        "step": Eq(theta[t + 1], theta[t] - v[t]),
    }
