from sympy import Eq, S, sqrt

from symopt.declaration import normal, padded, shape, tensor_layer
from symopt.nodes import Sigma
from symopt.notation import count, given, hyperparameter, index, learned, sequence

n, o, c, p, q, i, j = map(index, "nocpqij")
N, O, C, U, V, A, B = map(count, "NOCUVAB")  # noqa: E741  # the letters of the formula
x, y = given("x"), sequence("y")
W, b = learned("W"), learned("b")
stride = hyperparameter("stride", S.Naturals, latex="s", unicode="s")
padding = hyperparameter("padding", S.Naturals0, latex="r", unicode="r")


@tensor_layer(
    title="Convolution in two dimensions",
    source="starting weights by He and others, 2015: their variance is 2 over the number of inputs",
    defaults={stride: 1, padding: 0},
    initial={W: normal(sqrt(2 / (C * A * B))), b: 0},
)
def convolution():
    """Every output is a weighted sum over a window of all channels, the same at each place."""
    window = x[n, c, stride * (p - 1) + i - padding, stride * (q - 1) + j - padding]
    total = Sigma(W[o, c, i, j] * window, (c, 1, C), (i, 1, A), (j, 1, B))
    return {
        "input": shape(x, N, C, padded(U, padding), padded(V, padding)),
        "weights": shape(W, O, C, A, B),
        "output": Eq(y[n, o, p, q], total + b[o]),
    }
