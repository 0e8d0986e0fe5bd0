from sympy import Eq

from symopt.declaration import update_rule
from symopt.nodes import Sigma, d
from symopt.symbols import L, alpha, example, f, n, t, theta, x, y


@update_rule(
    title="Gradient descent, the sum written out",
    family="gd",
    source="slide 'Stochastic Gradient Descent'",
    defaults={alpha: 0.01},
)
def gd_full():
    """Gradient descent with the sum over all n examples written out."""
    gradient = d(L(y[example], f(x[example], theta)), theta)
    return {"full": Eq(theta[t + 1], theta[t] - alpha / n * Sigma(gradient, (example, 1, n)))}
