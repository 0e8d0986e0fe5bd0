"""Activations beside PyTorch's, and where exponentials would overflow."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from symopt.runtime.compiling import compile

PEERS = {
    "relu": functional.relu,
    "leaky_relu": functional.leaky_relu,
    "sigmoid": torch.sigmoid,
    "hyperbolic_tangent": torch.tanh,
    "gelu": functional.gelu,
    "softmax": lambda x: x.softmax(1),
}


def run(module, x, dy):
    found = module.forward(x)
    y, *statistics = found if isinstance(found, tuple) else (found,)
    names = module.backward.__code__.co_varnames[: module.backward.__code__.co_argcount]
    inputs = [x] if "x" in names else []
    return y, module.backward(dy, *inputs, *statistics)


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("shape", [(7, 5), (2, 3, 4), (1, 2, 3, 2)])
def test_output_and_gradient(library, name, shape):
    source = np.random.default_rng(3)
    x, dy = source.normal(size=shape) * 3, source.normal(size=shape)
    leaf = torch.tensor(x, requires_grad=True)
    theirs = PEERS[name](leaf)
    (theirs * torch.tensor(dy)).sum().backward()
    y, dx = run(compile(library[name]), x, dy)
    np.testing.assert_allclose(y, theirs.detach().numpy(), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(dx, leaf.grad.numpy(), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("name", ["sigmoid", "hyperbolic_tangent", "softmax", "gelu"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_inputs_stay_finite(library, name, dtype):
    x = np.array([[-1e4, 0.0, 1e4], [1e4, 1e4, -1e4], [3e4, 2e4, 1e4]], dtype)
    y, dx = run(compile(library[name]), x, np.ones_like(x))
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()


@pytest.mark.parametrize("shape", [(), (4,), (0, 3), (2, 3, 4, 5)])
def test_elementwise_layers_take_any_shape(library, shape):
    x = np.random.default_rng(0).normal(size=shape)
    y, dx = run(compile(library["relu"]), np.asarray(x), np.ones(shape))
    assert y.shape == dx.shape == shape
    np.testing.assert_array_equal(y, np.maximum(x, 0))
    np.testing.assert_array_equal(dx, (x > 0).astype(float))


def test_an_object_of_an_activation_needs_no_size(library):
    made = compile(library["leaky_relu"]).LeakyRelu(slope=0.5)
    x = np.array([-2.0, 3.0], np.float32)
    np.testing.assert_array_equal(made(x), [-1, 3])
    np.testing.assert_array_equal(made.backward(np.ones_like(x)), [0.5, 1])
    assert made.parameters == {}
    assert made.gradients == {}
