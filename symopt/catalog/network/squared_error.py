from sympy import Eq

from symopt.declaration import loss
from symopt.nodes import Sigma
from symopt.notation import given, statistic
from symopt.symbols import example as i
from symopt.symbols import m

x, target = given("x"), given("target", latex="t", unicode="t")
total = statistic("loss", nonnegative=True, latex=r"\ell", unicode="ℓ")


@loss(title="Squared error", source="least squares", over="C H W")
def squared_error():
    """The mean of the squared differences of an example's numbers from their targets."""
    return {"loss": Eq(total, 1 / m * Sigma((x[i] - target[i]) ** 2, (i, 1, m)))}
