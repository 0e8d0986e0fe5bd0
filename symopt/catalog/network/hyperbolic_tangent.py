from sympy import Eq, tanh

from symopt.declaration import layer
from symopt.notation import given, sequence
from symopt.symbols import example as i

x, y = given("x"), sequence("y")


@layer(title="Hyperbolic tangent", source="tanh")
def hyperbolic_tangent():
    """Every number into (−1, 1)."""
    return {"output": Eq(y[i], tanh(x[i]))}
