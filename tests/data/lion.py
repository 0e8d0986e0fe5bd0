from sympy import Eq, sign

from symopt import initially, sequence, update_rule
from symopt.symbols import alpha, beta_1, beta_2, g, t, theta

c, m = sequence("c"), sequence("m")


@update_rule(defaults={alpha: 1e-4, beta_1: 0.9, beta_2: 0.99})
def lion():
    """The sign of one average of the gradients moves the parameters; another one remembers."""
    return {
        "update": Eq(c[t], beta_1 * m[t - 1] + (1 - beta_1) * g[t]),
        "step": Eq(theta[t + 1], theta[t] - alpha * sign(c[t])),
        "momentum": Eq(m[t], beta_2 * m[t - 1] + (1 - beta_2) * g[t]),
        "initial": initially(0, m),
    }
