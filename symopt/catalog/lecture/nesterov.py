from sympy import Eq

from symopt.catalog.lecture.momentum import momentum
from symopt.declaration import update_rule
from symopt.nodes import d
from symopt.symbols import L, alpha, gamma, t, theta, v


@update_rule(
    title="Nesterov momentum",
    source="slide 'Nesterov Momentum'",
    defaults={alpha: 0.01, gamma: 0.9},
    initial={v: 0},
)
def nesterov():
    """Momentum with the gradient taken where the velocity is about to lead."""
    return {
        "velocity": Eq(v[t], gamma * v[t - 1] + alpha * d(L(theta - gamma * v[t - 1]), theta)),
        "step": momentum["step"],
    }
