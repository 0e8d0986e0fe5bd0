from sympy import Eq, exp

from symopt.declaration import layer
from symopt.nodes import Largest, Sigma
from symopt.notation import given, sequence, statistic
from symopt.symbols import example as i
from symopt.symbols import m

x, y = given("x"), sequence("y")
M = statistic("M")
Z = statistic("Z", positive=True)


@layer(title="Softmax", source="shifted by the largest, so that no exponential overflows", over="C")
def softmax():
    """The channels of each example as probabilities: in proportion to their exponentials."""
    return {
        "largest": Eq(M, Largest(x[i], (i, 1, m))),
        "total": Eq(Z, Sigma(exp(x[i] - M), (i, 1, m))),
        "output": Eq(y[i], exp(x[i] - M) / Z),
    }
