from symopt.declaration import minimize, objective
from symopt.nodes import Sigma
from symopt.symbols import L, example, f, n, theta, x, y


@objective(title="Objective, in short", family="sgd", source="slide 'Stochastic Gradient Descent'")
def sgd_objective():
    """The mean loss, the bounds of the sum left to the reader."""
    loss = L(y[example], f(x[example], theta))
    return {"objective": minimize(1 / n * Sigma(loss, example), theta)}
