from sympy import Eq

from symopt.declaration import update_rule
from symopt.nodes import d
from symopt.symbols import L, alpha, example, f, t, theta, x, y


@update_rule(
    title="Stochastic gradient descent",
    source="slide 'Stochastic Gradient Descent'",
    defaults={alpha: 0.01},
)
def sgd():
    """A step against the gradient at one example: fast, but not as exact."""
    gradient = d(L(y[example], f(x[example], theta)), theta)
    return {"step": Eq(theta[t + 1], theta[t] - alpha * gradient)}
