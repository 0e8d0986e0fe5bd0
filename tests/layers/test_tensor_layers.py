"""Tensor layers beside PyTorch's, in both dtypes; and what their modules do at the edges."""

import inspect
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from sampling import every
from torch.nn import functional

from symopt.cli.library import catalogue, from_file
from symopt.runtime.compiling import compile

USERS = Path(__file__).parent.parent / "data/tensor_layers.py"
DTYPES = ("float32", "float64")
# roundings of sums of a few dozen products of numbers near 1, in units of the last place
ROUNDINGS = 64


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Small arrays, so that threads would wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def modules():
    known = {one.name: one for one in (*catalogue(), *from_file(USERS))}
    return cache(lambda name: compile(known[name]))


def numbers(dtype, *shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(dtype)


def beside(module, theirs, arrays, **chosen):
    """Output and gradients of the functions and of PyTorch, one after the other."""
    leaves = {name: torch.tensor(one, requires_grad=True) for name, one in arrays.items()}
    wanted = theirs(**leaves)
    dy = numbers(next(iter(arrays.values())).dtype, *wanted.shape, seed=1)
    wanted.backward(torch.tensor(dy))
    taken = inspect.signature(module.backward).parameters
    y = module.forward(**arrays, **chosen)
    gradients = module.backward(
        dy=dy,
        **{name: one for name, one in arrays.items() if name in taken},
        **{name: one for name, one in chosen.items() if name in taken},
    )
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    order = [name for name in inspect.signature(module.forward).parameters if name in arrays]
    yield "y", y, wanted.detach().numpy()
    for name, one in zip(order, gradients, strict=True):
        yield f"d{name}", one, leaves[name].grad.numpy()


def same(module, theirs, arrays, **chosen):
    for name, mine, wanted in beside(module, theirs, arrays, **chosen):
        assert mine.shape == wanted.shape, name
        assert mine.dtype == wanted.dtype, name
        unit = np.finfo(wanted.dtype).eps * max(1.0, float(abs(wanted).max(initial=0.0)))
        assert float(abs(mine - wanted).max(initial=0.0)) <= ROUNDINGS * unit, (name, chosen)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("examples", [0, 1, 7])
def test_an_affine_layer(modules, dtype, examples):
    arrays = {
        "x": numbers(dtype, examples, 5),
        "W": numbers(dtype, 5, 3),
        "b": numbers(dtype, 3),
    }
    same(modules("affine"), lambda x, W, b: functional.linear(x, W.T, b), arrays)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("stride", [1, 2, 5])
@pytest.mark.parametrize("padding", [0, 1, 3])
@pytest.mark.parametrize("window", [(1, 1), (3, 2), (2, 4)])
def test_a_convolution(modules, dtype, stride, padding, window):
    """Windows of all sorts, strides larger than they are, windows in the zeros alone."""
    arrays = {
        "x": numbers(dtype, 3, 2, 6, 7),
        "W": numbers(dtype, 4, 2, *window),
        "b": numbers(dtype, 4),
    }
    same(
        modules("convolution"),
        lambda x, W, b: functional.conv2d(x, W, b, stride, padding),
        arrays,
        stride=stride,
        padding=padding,
    )


@pytest.mark.parametrize("examples", [0, 5])
def test_a_convolution_of_several_blocks_and_the_rest_of_one(modules, examples):
    """Two examples have as many windows as fit into a block."""
    module = modules("convolution")
    arrays = {
        "x": numbers("float64", examples, 4, 60, 50),
        "W": numbers("float64", 2, 4, 3, 3),
        "b": numbers("float64", 2),
    }
    assert examples == 0 or module._step(examples, 4 * 9 * 60 * 50) == 2
    same(module, lambda x, W, b: functional.conv2d(x, W, b, 1, 1), arrays, padding=1)


OF_USERS = {
    "linear": (
        {"x": (4, 5), "W": (5, 3)},
        {},
        lambda x, W: functional.linear(x, W.T),
    ),
    "dense_at_each_place": (
        {"x": (3, 4, 5), "W": (4, 6)},
        {},
        lambda x, W: torch.einsum("njs,jk->nks", x, W),
    ),
    "convolution_1d": (
        {"x": (3, 2, 9), "W": (4, 2, 3), "b": (4,)},
        {"stride": 2, "padding": 3, "dilation": 2},
        lambda x, W, b: functional.conv1d(x, W, b, 2, 3, 2),
    ),
    "grouped": (
        {"x": (3, 2, 4, 7), "W": (2, 5, 4, 3), "b": (2, 5)},
        {"padding": 2},
        lambda x, W, b: functional.conv1d(
            x.reshape(3, 8, 7), W.reshape(10, 4, 3), b.reshape(10), 1, 2, 1, 2
        ).reshape(3, 2, 5, -1),
    ),
    "bilinear": (
        {"x1": (3, 4), "x2": (3, 5), "W": (6, 4, 5), "b": (6,)},
        {},
        lambda x1, x2, W, b: functional.bilinear(x1, x2, W, b),
    ),
    "mean_pooling": (
        {"x": (3, 2, 6, 7)},
        {"height": 2, "width": 3, "stride": 1},
        lambda x: functional.avg_pool2d(x, (2, 3), 1),
    ),
    "causal": (
        {"x": (3, 2, 6), "W": (2, 3)},
        {},
        lambda x, W: functional.conv1d(functional.pad(x, (2, 0)), W.flip(1)[:, None], groups=2),
    ),
    "single": (
        {"x": (2, 6), "W": (2, 4, 3)},
        {},
        lambda x, W: functional.conv1d(x[None], W.transpose(0, 1), None, 1, 1)[0],
    ),
    "scores": ({"x": (3, 4)}, {}, lambda x: x @ x.T / 2),
    "edges": ({"x": (3, 4), "W": (5,)}, {"padding": 2}, lambda x, W: x[:, :1] * W),
    "mixed": (
        {"x": (3, 4), "W": (4, 4), "M": (4,)},
        {"alpha": 0.75},
        lambda x, W, M: x - 0.75 / 2 * (x**2 @ W) + 2 * (x @ W.T + M) * M + 3,
    ),
}


@pytest.mark.parametrize("name", every(3, OF_USERS))
def test_a_layer_of_a_users_own(modules, name):
    shapes, chosen, theirs = OF_USERS[name]
    arrays = {key: numbers("float64", *shape) for key, shape in shapes.items()}
    same(modules(name), theirs, arrays, **chosen)


# what is no number


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_seen_where_they_are_read_and_not_beside_zeros(
    modules, bad
):
    """The corner of a window lies beyond the array at all places of the first row and column."""
    x, weights = numbers("float32", 2, 3, 6, 7), numbers("float32", 4, 3, 3, 3)
    weights[1, 0, 0, 0] = bad
    y = modules("convolution").forward(x, weights, numbers("float32", 4), padding=1)
    lost = np.zeros(y.shape, bool)
    lost[:, 1, 1:, 1:] = True
    np.testing.assert_array_equal(~np.isfinite(y), lost)


def test_a_gradient_that_is_no_number_spoils_the_weights_that_it_meets(modules):
    """At the first place, all of a window but its last row and column lies beyond the array."""
    x, weights = numbers("float64", 2, 3, 6, 7), numbers("float64", 4, 3, 3, 3)
    dy = numbers("float64", 2, 4, 8, 9)
    dy[1, 2, 0, 0] = np.nan
    dx, by_weights, by_bias = modules("convolution").backward(dy, x, weights, padding=2)
    assert np.argwhere(np.isnan(dx)).tolist() == [[1, c, 0, 0] for c in range(3)]
    assert np.argwhere(np.isnan(by_weights)).tolist() == [[2, c, 2, 2] for c in range(3)]
    assert np.argwhere(np.isnan(by_bias)).tolist() == [[2]]


# calls that do not fit

X, W, B = numbers("float64", 4, 5), numbers("float64", 5, 3), numbers("float64", 3)
IMAGE, WINDOW, BIAS = (
    numbers("float64", 2, 3, 6, 7),
    numbers("float64", 4, 3, 3, 3),
    numbers("float64", 4),
)
REFUSED = {
    "a letter with two lengths": (
        lambda of: of("affine").forward(X, W.T.copy(), B),
        "affine: J is 5 in axis 1 of x, but 3 in axis 0 of W",
    ),
    "an axis too few": (
        lambda of: of("affine").forward(X[0], W, B),
        "affine: x has shape (5,), but needs the axes (N, J)",
    ),
    "another number of examples": (
        lambda of: of("affine").backward(numbers("float64", 3, 3), X, W),
        "affine: N is 3 in axis 0 of dy, but 4 in axis 0 of x",
    ),
    "two dtypes": (
        lambda of: of("affine").forward(X, W.astype("float32"), B),
        "affine: W is float32, but x is float64; use one dtype",
    ),
    "whole numbers": (
        lambda of: of("affine").forward(X.astype(int), W, B),
        "affine: x has dtype int64; float32 or float64 is needed",
    ),
    "a list": (
        lambda of: of("affine").forward(X.tolist(), W, B),
        "affine: x is a list, not a NumPy array",
    ),
    "a mask": (
        lambda of: of("affine").forward(np.ma.array(X), W, B),
        "affine: x is a MaskedArray, not a NumPy array",
    ),
    "a window that does not fit": (
        lambda of: of("convolution").forward(IMAGE, numbers("float64", 4, 3, 7, 3), BIAS),
        "convolution: the output has no place, as P = ⌊(U + 2·r − A)/s⌋ + 1 is 0 for A = 7, "
        "U = 6, r = 0, s = 1",
    ),
    "an output of another size": (
        lambda of: of("convolution").backward(numbers("float64", 2, 4, 4, 4), IMAGE, WINDOW),
        "convolution: Q is 4 in axis 3 of dy, but 5 by ⌊(V + 2·r − B)/s⌋ + 1",
    ),
    "no stride": (
        lambda of: of("convolution").forward(IMAGE, WINDOW, BIAS, stride=0),
        "convolution: stride = 0.0 is outside its range {1, 2, …}",
    ),
    "half a zero": (
        lambda of: of("convolution").forward(IMAGE, WINDOW, BIAS, padding=0.5),
        "convolution: padding = 0.5 is outside its range {0, 1, …}",
    ),
    "a huge stride": (
        lambda of: of("convolution").forward(IMAGE, WINDOW, BIAS, stride=1e300),
        "convolution: stride = 1e+300 is too large for a size",
    ),
    "a truth": (
        lambda of: of("convolution").Convolution(3, 4, 3, 3, stride=True),
        "convolution: stride is True, not a number in {1, 2, …}",
    ),
    "no outputs": (
        lambda of: of("affine").Affine(5, 0),
        "affine: K is 0, but takes whole numbers from 1 on",
    ),
    "a seed below 0": (
        lambda of: of("affine").Affine(5, 3, seed=-1),
        "affine: seed is -1, but takes whole numbers from 0 on",
    ),
    "a dtype without a kernel": (
        lambda of: of("affine").Affine(5, 3, dtype="float16"),
        "affine: the dtype is 'float16'; float32 or float64 is needed",
    ),
    "a gradient before a call": (
        lambda of: of("affine").Affine(5, 3).backward(numbers("float32", 1, 3)),
        "affine: backward needs a call in training before it",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_in_a_sentence(modules, name):
    call, message = REFUSED[name]
    with pytest.raises(ValueError) as error:  # noqa: PT011  # the whole message is compared below
        call(modules)
    assert str(error.value) == message


def test_an_axis_that_is_read_at_a_fixed_place_is_not_empty(tmp_path):
    path = tmp_path / "first.py"
    path.write_text(
        "from sympy import Eq\n"
        "from symopt import count, given, index, learned, sequence, shape, tensor_layer\n"
        "x, y, W, n, k = given('x'), sequence('y'), learned('W'), index('n'), index('k')\n"
        "N, C, K = map(count, 'NCK')\n"
        "@tensor_layer(initial={W: 1})\n"
        "def first():\n"
        "    '''The first channel by each weight.'''\n"
        "    return {'x': shape(x, N, C), 'W': shape(W, K), 'y': Eq(y[n, k], x[n, 1] * W[k])}\n"
    )
    module = compile(from_file(path)[0])
    np.testing.assert_array_equal(module.forward(X, B), X[:, :1] * B)
    with pytest.raises(ValueError, match="first: x is read along axis 1, which is empty"):
        module.forward(X[:, :0], B)


# the class


def test_a_class_starts_from_numbers_of_the_declared_spread(modules):
    """The variance of n normal numbers is off by √(2/n) of itself, rarely by five times that."""
    one = modules("affine").Affine(200, 300, seed=3, dtype=np.float64)
    assert one.W.shape == (200, 300)
    assert abs(one.W.var() * 200 / 2 - 1) < 5 * np.sqrt(2 / one.W.size)
    assert abs(one.W.mean()) < 5 * np.sqrt(2 / 200 / one.W.size)
    np.testing.assert_array_equal(one.b, 0)
    philox = np.random.Generator(np.random.Philox(3)).standard_normal((200, 300))
    np.testing.assert_allclose(one.W, philox * np.sqrt(0.01), rtol=1e-15)
    again = modules("affine").Affine(200, 300, seed=3)
    np.testing.assert_array_equal(again.W, one.W.astype(np.float32))
    assert not np.array_equal(modules("affine").Affine(200, 300).W, again.W)


def test_a_convolution_goes_on_from_what_was_saved(modules):
    make = modules("convolution").Convolution
    one = make(3, 4, 3, 2, stride=2, padding=1, dtype="float64", seed=5)
    other = make(3, 4, 3, 2, dtype="float64")
    other.load_state_dict(one.state_dict())
    assert other.hyperparameters == {"stride": 2, "padding": 1}
    np.testing.assert_array_equal(other(IMAGE), one(IMAGE))
    assert set(one.parameters) == {"W", "b"}
    assert one.averages == {}
    dy = numbers("float64", 2, 4, 3, 4)
    np.testing.assert_array_equal(other.backward(dy), one.backward(dy))
    assert set(one.gradients) == {"W", "b"}
    with pytest.raises(ValueError, match="it is of 'convolution', not of affine"):
        modules("affine").Affine(3, 4).load_state_dict(one.state_dict())


def test_results_may_be_kept_from_call_to_call(modules):
    kept = modules("convolution").Convolution(3, 4, 3, 3, padding=1, dtype="float64", reuse=True)
    fresh = modules("convolution").Convolution(3, 4, 3, 3, padding=1, dtype="float64")
    dy = numbers("float64", 2, 4, 6, 7)
    for step in range(2):
        np.testing.assert_array_equal(kept(IMAGE + step), fresh(IMAGE + step))
        np.testing.assert_array_equal(kept.backward(dy + step), fresh.backward(dy + step))
        np.testing.assert_array_equal(kept.gradients["W"], fresh.gradients["W"])
    assert kept(IMAGE) is kept(IMAGE)
    assert kept.backward(dy) is kept.backward(dy)
    assert fresh(IMAGE) is not fresh(IMAGE)


def test_two_inputs_are_called_and_differentiated_together(modules):
    one = modules("bilinear").Bilinear(4, 5, 6, dtype="float64")
    first, second = numbers("float64", 3, 4), numbers("float64", 3, 5)
    y = one(first, second)
    np.testing.assert_allclose(
        y, np.einsum("ni,kij,nj->nk", first, one.W, second), rtol=1e-12, atol=1e-12
    )
    by_first, by_second = one.backward(np.ones_like(y))
    assert by_first.shape == first.shape
    assert by_second.shape == second.shape
