"""Backward passes of tensor layers: their lines, numbers from elsewhere, and what is refused."""

from itertools import product
from math import prod
from pathlib import Path

import numpy as np
import pytest
import torch
from sympy import Add, Eq, Integer, KroneckerDelta, Mul, Pow, S
from torch.nn import functional

from symopt.calculus.normal_form import normal_form
from symopt.calculus.rules import RULES, WINDOWS, simplified
from symopt.catalog.network.affine import W, affine, b, x, y
from symopt.catalog.network.convolution import convolution
from symopt.cli.library import from_file
from symopt.declaration import padded, shape, tensor_layer
from symopt.derivation.api import derivations, gradient
from symopt.derivation.slopes import second_opinion
from symopt.derivation.tensor_layer import derive_tensor_layer
from symopt.derivation.tensor_sizes import class_sizes, operations, tensor_shapes
from symopt.errors import DerivationError, UsageError
from symopt.nodes import Gradient, Inside, Sigma
from symopt.notation import count, given, hyperparameter, index
from symopt.printing.unicode import unicode

USERS = Path(__file__).parent.parent / "data/tensor_layers.py"
n, j, k, p, q, i, h = map(index, "njkpqih")
N, J, K, T, A = map(count, "NJKTA")
z = given("z")
stride = hyperparameter("stride", S.Naturals)


@pytest.fixture(scope="module")
def users():
    return {one.name: one for one in from_file(USERS)}


@pytest.fixture(scope="module")
def backward():
    return derive_tensor_layer(convolution)


def test_the_gradients_of_an_affine_layer():
    (found,) = derivations(affine)
    checks = "proved for every N, J, K; agrees with exact differences at 5 choices of sizes"
    assert found.rows() == (
        ("dL/dx[n,j] = Σ_{k=1..K} dL/dy[n,k]·W[j,k]", "through affine.output", checks),
        ("dL/dW[j,k] = Σ_{n=1..N} x[n,j]·dL/dy[n,k]", "through affine.output", checks),
        ("dL/dbₖ = Σ_{n=1..N} dL/dy[n,k]", "through affine.output", checks),
    )


def test_the_gradients_of_a_convolution_state_their_ranges(backward):
    extent, lines = backward.derivations
    assert [formula for formula, *_ in extent.rows()] == [
        "P = ⌊(U + 2·r − A)/s⌋ + 1",
        "Q = ⌊(V + 2·r − B)/s⌋ + 1",
    ]
    chain, solved, by_weights, by_bias = lines.rows()
    assert chain[0].endswith(
        "W[o,c,i,j]·dL/dy[n,o,p,q]·δ[u, s·(p − 1) + i − r]·δ[v, s·(q − 1) + j − r]"
    )
    assert solved == (
        "dL/dx[n,c,u,v] = Σ_{o=1..O} Σ_{p=1..P} Σ_{q=1..Q} "
        "[1 ≤ u+r−s·(p − 1) ≤ A]·[1 ≤ v+r−s·(q − 1) ≤ B]·"
        "W[o,c,u+r−s·(p − 1),v+r−s·(q − 1)]·dL/dy[n,o,p,q]",
        "deltas solved: i = u − s·(p − 1) + r, j = v − s·(q − 1) + r",
        "agrees with exact differences at 5 choices of sizes",
    )
    assert by_weights[0] == (
        "dL/dW[o,c,i,j] = Σ_{n=1..N} Σ_{p=1..P} Σ_{q=1..Q} "
        "dL/dy[n,o,p,q]·x[n,c,s·(p − 1)+i−r,s·(q − 1)+j−r]"
    )
    assert by_bias[0] == "dL/dbₒ = Σ_{n=1..N} Σ_{p=1..P} Σ_{q=1..Q} dL/dy[n,o,p,q]"
    assert "assuming x is 0 where a place lies beyond its axis" in str(lines)


def value(expr, numbers, arrays):
    """An expression in whole numbers, its sums written out; entries beyond an array are 0."""
    if expr in numbers:
        return numbers[expr]
    if isinstance(expr, Sigma):
        last = value(expr.bounds[1], numbers, arrays)
        return sum(value(expr.body, {**numbers, expr.index: m}, arrays) for m in range(1, last + 1))
    if isinstance(expr, Gradient):
        return value(given("dy")[expr.variable.indices], numbers, arrays)
    if expr.is_Indexed:
        places = [value(one, numbers, arrays) - 1 for one in expr.indices]
        array = arrays[expr.base.spelling.python]
        inside = all(0 <= at < length for at, length in zip(places, array.shape, strict=True))
        return int(array[tuple(places)]) if inside else 0
    if isinstance(expr, Inside):
        place, low, high = (value(one, numbers, arrays) for one in expr.args)
        return int(low <= place <= high)
    parts = [value(one, numbers, arrays) for one in expr.args]
    if isinstance(expr, Add | Mul):
        return sum(parts) if isinstance(expr, Add) else prod(parts)
    assert isinstance(expr, Integer | Pow)
    return int(expr) if isinstance(expr, Integer) else parts[0] ** parts[1]


@pytest.mark.parametrize(("s", "r"), [(1, 0), (1, 2), (2, 1), (3, 0)])
def test_the_closed_forms_of_a_convolution_are_torchs_in_whole_numbers(backward, s, r):
    source = np.random.default_rng([s, r])
    arrays = {
        "x": source.integers(-9, 9, size=(2, 2, 5, 4)),
        "W": source.integers(-9, 9, size=(3, 2, 3, 2)),
        "b": source.integers(-9, 9, size=3),
    }
    leaves = {
        name: torch.tensor(one, dtype=torch.float64, requires_grad=True)
        for name, one in arrays.items()
    }
    theirs = functional.conv2d(*leaves.values(), stride=s, padding=r)
    arrays["dy"] = source.integers(-9, 9, size=tuple(theirs.shape))
    theirs.backward(torch.tensor(arrays["dy"], dtype=torch.float64))
    lengths = dict(zip("NCUVOAB", (2, 2, 5, 4, 3, 3, 2), strict=True))
    lengths |= {"P": theirs.shape[2], "Q": theirs.shape[3], "stride": s, "padding": r}
    for one in backward.gradients:
        grad = leaves[one.letter.spelling.python].grad.numpy()
        letters = (one for one in one.form.free_symbols if str(one) in lengths)
        numbers = {letter: lengths[str(letter)] for letter in letters}
        for at in product(*map(range, grad.shape)):
            places = dict(zip(one.entry.indices, (m + 1 for m in at), strict=True))
            assert value(one.form, {**numbers, **places}, arrays) == grad[at]


def shape_of(call):
    """The shape that PyTorch gives, or nothing where it refuses."""
    try:
        return tuple(call().shape)
    except RuntimeError:
        return None


def fitted(layer, given_shape, chosen):
    """The shape of a layer's output in a network, or nothing where it is refused."""
    try:
        return tensor_shapes(layer, given_shape, chosen)[1]
    except UsageError:
        return None


def test_the_shape_of_an_output_is_torchs_whatever_the_windows(users):
    layer, refused = users["convolution_1d"], 0
    for length, window, s, r, d in product((1, 5), (1, 2, 4), (1, 3), (0, 2), (1, 2)):
        chosen = {"O": 2, "A": window, "stride": s, "padding": r, "dilation": d}
        x1, w1 = torch.zeros(1, 3, length), torch.zeros(2, 3, window)
        theirs = shape_of(
            lambda x1=x1, w1=w1, s=s, r=r, d=d: functional.conv1d(x1, w1, None, s, r, d)
        )
        mine = fitted(layer, (None, 3, length), chosen)
        assert mine == (theirs and (None, *theirs[1:])), chosen
        refused += mine is None
    assert 0 < refused < 24
    assert fitted(users["causal"], (3, 7), {"A": 4}) == (3, 7)


def test_a_gradient_of_a_users_layer_is_asked_for_by_its_letter(users):
    layer = users["bilinear"]
    by_weights = gradient(layer, layer.outline.learned[0])
    assert unicode(by_weights) == "Σ_{n=1..N} x1[n,i]·dL/dy[n,k]·x2[n,j]"
    with pytest.raises(DerivationError, match=r"bilinear\.output computes y, so it is no leaf"):
        gradient(layer, y)


def test_a_square_and_a_product_of_sums_are_differentiated(users):
    assert unicode(gradient(users["mixed"], given("x"))) == (
        "2·Σ_{k′=1..J} dL/dy[n,k′]·W[k′,k]·M[k′] "
        "− 2·α/√J·Σ_{k′=1..J} x[n,k]·dL/dy[n,k′]·W[k,k′] + dL/dy[n,k]"
    )


@pytest.mark.parametrize(
    ("letter", "wrong"),
    [
        (x, Sigma(Gradient(_L := gradient(affine, x).atoms(Gradient).pop().loss, y[n, k]) * W[k, j],
                  (k, 1, K))),
        (x, Sigma(Gradient(_L, y[n, k]) * W[j, k], (k, 1, K)) * 2),
        (W, Sigma(x[n, j] * Gradient(_L, y[n, k]), (n, 1, N)) / N),
        (b, Sigma(Gradient(_L, y[n, k]), (n, 1, N)) / N),
    ],
)  # fmt: skip
def test_a_wrong_form_does_not_pass_the_second_opinion(letter, wrong):
    """W transposed, a factor 2, sums over examples that are means."""
    entry = {x: x[n, j], W: W[j, k], b: b[k]}[letter]
    with pytest.raises((AssertionError, KeyError)):  # no such entry, where J is not K
        second_opinion(affine, entry, wrong, ())
    right = gradient(affine, letter)
    assert second_opinion(affine, entry, right, ()) == (
        "agrees with exact differences at 5 choices of sizes"
    )


def test_a_delta_of_a_window_leaves_a_bracket_and_only_where_it_can_be_solved():
    total = Sigma(z[i] * KroneckerDelta(2 * p + i, h), (i, 1, A))
    assert simplified(total) == total
    solved = simplified(total, (*RULES, *WINDOWS))
    assert solved == Inside(h - 2 * p, 1, A) * z[h - 2 * p]
    steep = Sigma(z[i] * KroneckerDelta(2 * p + 3 * i, h), (i, 1, A))
    assert simplified(steep, (*RULES, *WINDOWS)) == steep


def test_normal_forms_leave_a_delta_of_a_window_alone():
    total = Sigma(z[i] * KroneckerDelta(2 * p + i, h), (i, 1, A))
    other = Sigma(z[j] * KroneckerDelta(2 * p + j, h), (j, 1, A))
    assert normal_form(total) == normal_form(other)
    assert normal_form(total) != normal_form(z[h - 2 * p])


def own(**statements):
    def own():
        return statements

    return tensor_layer(own)


BEYOND = {
    "after the end": (
        lambda: own(input=shape(x, N, T), w=shape(W, T), output=Eq(y[n, p], x[n, p + 1] * W[p])),
        "own.output reads x[n,p+1], which may lie after the places of x along axis 1; let it lie "
        "within, or put zeros around it with padded(…)",
    ),
    "before the start": (
        lambda: own(input=shape(x, N, T), w=shape(W, T), output=Eq(y[n, p], x[n, p - 1] * W[p])),
        "own.output reads x[n,p−1], which may lie before the places of x along axis 1; let it lie "
        "within, or put zeros around it with padded(…)",
    ),
    "more than the zeros": (
        lambda: own(
            input=shape(x, N, padded(T, 1)),
            w=shape(W, A),
            output=Eq(y[n, p], Sigma(x[n, p + i - 3] * W[i], (i, 1, A))),
        ),
        "own.output reads x[n,i+p−3], which may lie before the places of x along axis 1; let it "
        "lie within, or put zeros around it with padded(…)",
    ),
    "two unknown ends": (
        lambda: own(input=shape(x, N, T), output=Eq(y[n, p, q], x[n, p + q])),
        "own.output reads x[n,p+q], from which the last p and the last q do not follow each by "
        "itself; let an array have one of them alone",
    ),
    "a slope of no sign": (
        lambda: own(
            input=shape(x, N, T),
            output=Eq(y[n, p], x[n, hyperparameter("turn", S.Integers) * p]),
        ),
        "own.output reads x[n,turn·p], of which it is not known whether it grows or falls with p; "
        "let what p is multiplied by be in Naturals",
    ),
    "a square of an index": (
        lambda: own(input=shape(x, N, T), output=Eq(y[n, p], x[n, p**2])),
        "p² grows with p by 2·p, which depends on an index; let a place be a sum of multiples of "
        "indices",
    ),
    "nothing that depends on it": (
        lambda: own(
            input=shape(x, N, J),
            w=shape(W, J),
            output=Eq(y[n, j], Add(x[n, j], -x[n, j], W[j], evaluate=False)),
        ),
        "own.output does not depend on x, as all that holds it cancels; leave x out",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BEYOND)
def test_what_may_lie_beyond_an_array_is_refused(name):
    make, message = BEYOND[name]
    with pytest.raises(DerivationError) as error:
        derive_tensor_layer(make())
    assert str(error.value) == message


def test_sizes_in_a_network_are_told_by_the_input_or_given():
    assert tensor_shapes(affine, (784,), {"K": 512}) == ({"J": 784, "K": 512}, (512,))
    sizes, output = tensor_shapes(
        convolution, (None, 3, 28, 27), {"O": 8, "A": 5, "B": 3, "stride": 2, "padding": 1}
    )
    theirs = functional.conv2d(torch.zeros(1, 3, 28, 27), torch.zeros(8, 3, 5, 3), None, 2, 1)
    assert output == (None, *theirs.shape[1:])
    taken = {"C": 3, "O": 8, "A": 5, "B": 3, "stride": 2, "padding": 1}
    assert list(class_sizes(convolution, sizes).items()) == list(taken.items())


def test_multiply_adds_are_counted():
    """Each of the outputs takes one for each weight of its window."""
    sizes, (_, rows, columns) = tensor_shapes(convolution, (3, 9, 8), {"O": 4, "A": 3, "B": 2})
    assert operations(convolution, sizes) == 4 * rows * columns * (3 * 3 * 2)
    assert operations(affine, {"J": 7, "K": 5}) == 35
    with pytest.raises(UsageError, match="affine needs K"):
        operations(affine, {"J": 7})


def test_products_of_three_count_twice_and_pooling_not_at_all(users):
    assert operations(users["bilinear"], {"I": 2, "J": 3, "K": 5}) == 2 * (2 * 3 * 5)
    sizes, output = tensor_shapes(users["mean_pooling"], (3, 8, 8), {"height": 2, "width": 2})
    assert output == (3, 4, 4)
    assert operations(users["mean_pooling"], sizes) == 0


UNFIT = {
    "axes": ((3, 28), {}, "convolution takes an input with the axes (C, U, V), not one of shape "
             "(3, 28)"),
    "missing": ((3, 28, 28), {"O": 8, "B": 3}, "convolution needs A, which an input of shape "
                "(3, 28, 28) does not tell; give it by the name A"),
    "small": ((3, 2, 5), {"O": 8, "A": 3, "B": 3}, "convolution has no output: "
              "P = ⌊(U + 2·r − A)/s⌋ + 1 is 0 for A = 3, U = 2, r = 0, s = 1"),
    "other": ((3, 9, 9), {"O": 8, "A": 3, "B": 3, "C": 2}, "convolution has C = 2, but axis 0 of "
              "the input is 3"),
    "unknown": ((3, 9, 9), {"o": 8}, "convolution has no o to be given; known are C, U, V, O, A, "
                "B, stride, padding"),
    "none": ((3, 9, 9), {"O": 0}, "convolution takes a whole number from 1 on for O, not 0"),
    "range": ((3, 9, 9), {"stride": 0}, "convolution takes a whole number in Naturals for stride, "
              "not 0"),
    "truth": ((3, 9, 9), {"O": True}, "convolution takes a whole number from 1 on for O, not "
              "True"),
    "length": ((3, 9, 0), {}, "convolution takes whole numbers from 1 on for the lengths of its "
               "input, not 0 for V"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNFIT)
def test_sizes_that_do_not_fit_are_refused_in_a_sentence(name):
    given_shape, chosen, message = UNFIT[name]
    with pytest.raises(UsageError) as error:
        tensor_shapes(convolution, given_shape, chosen)
    assert str(error.value) == message


def test_a_layer_of_two_inputs_is_no_link_of_a_chain(users):
    with pytest.raises(UsageError) as error:
        tensor_shapes(users["bilinear"], (3,), {})
    assert str(error.value) == (
        "bilinear has the inputs x1 and x2; a chain of layers passes on one"
    )
