from sympy import Eq, Piecewise, exp

from symopt.declaration import layer
from symopt.notation import given, sequence
from symopt.symbols import example as i

x, y = given("x"), sequence("y")


@layer(title="Sigmoid", source="the logistic function, so written that no exponential overflows")
def sigmoid():
    """Every number into (0, 1)."""
    above, below = 1 / (1 + exp(-x[i])), exp(x[i]) / (1 + exp(x[i]))
    return {"output": Eq(y[i], Piecewise((above, x[i] > 0), (below, True)))}
