from sympy import Eq, erf, sqrt

from symopt.declaration import layer
from symopt.notation import given, sequence
from symopt.symbols import example as i

x, y = given("x"), sequence("y")


@layer(title="Gaussian error linear unit", source="Hendrycks and Gimpel, 2016")
def gelu():
    """Each number times the probability that a standard normal one is smaller."""
    return {"output": Eq(y[i], x[i] / 2 * (1 + erf(x[i] / sqrt(2))))}
