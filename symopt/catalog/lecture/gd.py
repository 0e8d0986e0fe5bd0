from sympy import Eq

from symopt.declaration import update_rule
from symopt.nodes import d
from symopt.symbols import L, alpha, t, theta


@update_rule(
    title="Gradient descent", source="slide 'Stochastic Gradient Descent'", defaults={alpha: 0.01}
)
def gd():
    """A step against the gradient of the whole objective: one pass over the data, exact."""
    return {"step": Eq(theta[t + 1], theta[t] - alpha * d(L, theta))}
