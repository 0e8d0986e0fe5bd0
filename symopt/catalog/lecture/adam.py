from sympy import Eq, sqrt

from symopt.declaration import debias, default, initially, update_rule
from symopt.notation import hat
from symopt.symbols import G, alpha, beta_1, beta_2, epsilon, g, t, theta, v


@update_rule(source="slide 'Adam'", defaults={alpha: 1e-3, epsilon: 1e-8})
def adam():
    """Momentum's average of the gradients over the root of RMSProp's average of their squares."""
    return {
        "first_moment": Eq(v[t], beta_1 * v[t - 1] + (1 - beta_1) * g[t]),
        "second_moment": Eq(G[t], beta_2 * G[t - 1] + (1 - beta_2) * g[t] ** 2),
        "beta_1": default(beta_1, 0.9),
        "beta_2": default(beta_2, 0.999),
        "initial": initially(0, v, G),
        "bias_correction": debias(v, G),
        "step": Eq(theta[t + 1], theta[t] - alpha / sqrt(hat(G)[t] + epsilon) * hat(v)[t]),
    }
