from sympy import Eq

from symopt.declaration import update_rule
from symopt.nodes import Sigma, d
from symopt.symbols import L, alpha, example, f, m, t, theta, x, y


@update_rule(
    title="Mini-batch SGD", source="slide 'Stochastic Gradient Descent'", defaults={alpha: 0.01}
)
def minibatch():
    """A step against the mean gradient of m examples, a batch."""
    gradient = d(L(y[example], f(x[example], theta)), theta)
    return {"step": Eq(theta[t + 1], theta[t] - alpha / m * Sigma(gradient, (example, 1, m)))}
