from symopt.declaration import minimize, objective
from symopt.nodes import Sigma
from symopt.symbols import L, example, f, n, theta, x, y


@objective(title="Objective", family="gd", source="slide 'Stochastic Gradient Descent'")
def gd_objective():
    """The mean loss over all n examples."""
    loss = L(y[example], f(x[example], theta))
    return {"objective": minimize(1 / n * Sigma(loss, (example, 1, n)), theta)}
