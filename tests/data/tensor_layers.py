"""Layers of a user's own, of which the catalogue knows nothing."""

from sympy import Eq, S, sqrt

from symopt import (
    Sigma,
    count,
    given,
    hyperparameter,
    index,
    learned,
    normal,
    padded,
    sequence,
    shape,
    tensor_layer,
)

n, o, c, p, q, i, j, k, s, g = map(index, "nocpqijksg")
N, O, C, T, A, J, K, G, I, U, V = map(count, "NOCTAJKGIUV")  # noqa: E741  # letters of formulas
S_ = count("S")
x, x1, x2, y = given("x"), given("x1"), given("x2"), sequence("y")
W, M, b = learned("W"), learned("M"), learned("b")
stride = hyperparameter("stride", S.Naturals)
padding = hyperparameter("padding", S.Naturals0)
dilation = hyperparameter("dilation", S.Naturals)
height, width = hyperparameter("height", S.Naturals), hyperparameter("width", S.Naturals)
alpha = hyperparameter("alpha")


@tensor_layer(initial={W: normal(sqrt(1 / J))})
def linear():
    """An affine layer without numbers of its own."""
    return {
        "input": shape(x, N, J),
        "weights": shape(W, J, K),
        "output": Eq(y[n, k], Sigma(x[n, j] * W[j, k], (j, 1, J))),
    }


@tensor_layer(initial={W: normal(sqrt(1 / J))})
def dense_at_each_place():
    """The same weighted sums over channels at each place."""
    return {
        "input": shape(x, N, J, S_),
        "weights": shape(W, J, K),
        "output": Eq(y[n, k, s], Sigma(x[n, j, s] * W[j, k], (j, 1, J))),
    }


@tensor_layer(
    defaults={stride: 1, padding: 0, dilation: 1}, initial={W: normal(sqrt(1 / (C * A))), b: 0}
)
def convolution_1d():
    """A window with gaps in one dimension."""
    place = stride * (p - 1) + dilation * (i - 1) + 1 - padding
    return {
        "input": shape(x, N, C, padded(T, padding)),
        "weights": shape(W, O, C, A),
        "output": Eq(y[n, o, p], Sigma(W[o, c, i] * x[n, c, place], (c, 1, C), (i, 1, A)) + b[o]),
    }


@tensor_layer(defaults={padding: 0}, initial={W: normal(1), b: 0})
def grouped():
    """Each group of channels has windows and outputs of its own."""
    window = x[n, g, c, p + i - 1 - padding]
    return {
        "input": shape(x, N, G, C, padded(T, padding)),
        "weights": shape(W, G, O, C, A),
        "output": Eq(y[n, g, o, p], Sigma(W[g, o, c, i] * window, (c, 1, C), (i, 1, A)) + b[g, o]),
    }


@tensor_layer(initial={W: normal(1), b: 0})
def bilinear():
    """A weight for each pair of entries of two inputs."""
    return {
        "one": shape(x1, N, I),
        "other": shape(x2, N, J),
        "weights": shape(W, K, I, J),
        "output": Eq(y[n, k], Sigma(x1[n, i] * W[k, i, j] * x2[n, j], (i, 1, I), (j, 1, J)) + b[k]),
    }


@tensor_layer(defaults={stride: 2})
def mean_pooling():
    """The mean of each window, of which nothing is learned."""
    window = x[n, c, stride * (p - 1) + i, stride * (q - 1) + j]
    return {
        "input": shape(x, N, C, U, V),
        "output": Eq(
            y[n, c, p, q], 1 / (height * width) * Sigma(window, (i, 1, height), (j, 1, width))
        ),
    }


@tensor_layer(initial={W: normal(1)})
def causal():
    """Each place sees itself and what was before, the latest first."""
    return {
        "input": shape(x, N, C, padded(T, A - 1, 0)),
        "weights": shape(W, C, A),
        "output": Eq(y[n, c, p], Sigma(W[c, i] * x[n, c, p - i + 1], (i, 1, A))),
    }


@tensor_layer(initial={W: normal(1)})
def single():
    """A window over one example alone, channels before outputs in the weights."""
    window = x[c, p + i - 2]
    return {
        "input": shape(x, C, padded(T, 1)),
        "weights": shape(W, C, O, A),
        "output": Eq(y[o, p], Sigma(W[c, o, i] * window, (c, 1, C), (i, 1, A))),
    }


@tensor_layer()
def scores():
    """Each example by each other, of which nothing is learned."""
    m = index("m")
    products = Sigma(x[n, j] * x[m, j], (j, 1, J))
    return {"input": shape(x, N, J), "output": Eq(y[n, m], 1 / sqrt(J) * products)}


@tensor_layer(initial={W: 1}, defaults={padding: 2})
def edges():
    """The first place, a place in the zeros before it, and one in those after the last."""
    several = x[n, 1] + x[n, 1 - padding] + x[n, T + padding]
    return {
        "input": shape(x, N, padded(T, padding)),
        "weights": shape(W, K),
        "output": Eq(y[n, k], several * W[k]),
    }


@tensor_layer(initial={W: normal(1), M: 1})
def mixed():
    """Squares, a number in front, a product of sums, and the input itself."""
    squares = Sigma(x[n, j] ** 2 * W[j, k], (j, 1, J))
    gate = Sigma(x[n, j] * W[k, j], (j, 1, J)) + M[k]
    return {
        "input": shape(x, N, J),
        "weights": shape(W, J, J),
        "gates": shape(M, J),
        "output": Eq(y[n, k], x[n, k] - alpha / sqrt(J) * squares + 2 * gate * M[k] + 3),
    }
