from symopt.declaration import minimize, objective
from symopt.nodes import Sigma
from symopt.symbols import L, R, example, f, lambda_, n, theta, x, y


@objective(
    title="Objective with a penalty", family="regularization", source="slide 'Regularization'"
)
def regularized_objective():
    """The mean loss and a penalty on the parameters."""
    loss = L(y[example], f(x[example], theta))
    return {"objective": minimize(1 / n * Sigma(loss, example) + lambda_ * R(theta), theta)}
