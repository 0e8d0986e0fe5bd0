from sympy import Eq, Interval, Piecewise

from symopt.declaration import layer
from symopt.notation import given, hyperparameter, sequence
from symopt.symbols import example as i

x, y = given("x"), sequence("y")
slope = hyperparameter("slope", Interval.Ropen(0, 1), latex="a", unicode="a")


@layer(title="Leaky rectified linear unit", source="Maas et al., 2013", defaults={slope: 0.01})
def leaky_relu():
    """What is negative passes with a small slope; at 0 the derivative taken is that slope."""
    return {"output": Eq(y[i], Piecewise((x[i], x[i] > 0), (slope * x[i], True)))}
