from sympy import Eq, Piecewise

from symopt.declaration import layer
from symopt.notation import given, sequence
from symopt.symbols import example as i

x, y = given("x"), sequence("y")


@layer(title="Rectified linear unit", source="Nair and Hinton, 2010")
def relu():
    """What is positive passes, the rest is 0; at 0 the derivative taken is 0."""
    return {"output": Eq(y[i], Piecewise((x[i], x[i] > 0), (0, True)))}
