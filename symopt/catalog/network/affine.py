from sympy import Eq, sqrt

from symopt.declaration import normal, shape, tensor_layer
from symopt.nodes import Sigma
from symopt.notation import count, given, index, learned, sequence

n, j, k = index("n"), index("j"), index("k")
N, J, K = count("N"), count("J"), count("K")
x, y = given("x"), sequence("y")
W, b = learned("W"), learned("b")


@tensor_layer(
    title="Affine layer",
    source="starting weights by He and others, 2015: their variance is 2 over the number of inputs",
    initial={W: normal(sqrt(2 / J)), b: 0},
)
def affine():
    """Every output is a weighted sum of all inputs and a number of its own."""
    return {
        "input": shape(x, N, J),
        "weights": shape(W, J, K),
        "output": Eq(y[n, k], Sigma(x[n, j] * W[j, k], (j, 1, J)) + b[k]),
    }
