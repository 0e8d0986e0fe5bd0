"""AdamW, which is not in the lecture: its weights decay beside Adam's step, not in the gradient."""

from sympy import Eq, sqrt

from symopt import debias, hat, initially, update_rule
from symopt.symbols import G, alpha, beta_1, beta_2, epsilon, g, lambda_, t, theta, v


@update_rule(
    source="Loshchilov and Hutter, 2019",
    defaults={alpha: 1e-3, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, lambda_: 0.01},
)
def adamw():
    """Adam with decoupled weight decay."""
    return {
        "first_moment": Eq(v[t], beta_1 * v[t - 1] + (1 - beta_1) * g[t]),
        "second_moment": Eq(G[t], beta_2 * G[t - 1] + (1 - beta_2) * g[t] ** 2),
        "initial": initially(0, v, G),
        "bias_correction": debias(v, G),
        "step": Eq(
            theta[t + 1],
            theta[t] - alpha / sqrt(hat(G)[t] + epsilon) * hat(v)[t] - alpha * lambda_ * theta[t],
        ),
    }
