"""Layers beside PyTorch's: outputs, statistics and gradients in float64, to rounding."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from symopt.runtime.compiling import compile

SHAPES = ((4, 6), (3, 6, 5), (2, 6, 3, 4), (1, 6, 2, 2, 2), (1, 6, 1, 1))
# roundings of a double that a sum of a few dozen terms and a division by a small spread may take
ROUNDING = 1e-12


class Data:
    """An input whose mean is off zero, a gradient by the output, and learned numbers."""

    def __init__(self, shape, learned):
        source = np.random.default_rng([len(shape), *shape])
        self.x = source.normal(size=shape) * 3 + 2
        self.dy = source.normal(size=shape)
        self.gamma = source.normal(size=learned)
        self.beta = source.normal(size=learned)

    def torch(self, call):
        """PyTorch's output and its gradients by x, γ and β."""
        leaves = [torch.tensor(one, requires_grad=True) for one in (self.x, self.gamma, self.beta)]
        y = call(*leaves)
        (y * torch.tensor(self.dy)).sum().backward()
        return [
            y.detach().numpy(),
            *(None if one.grad is None else one.grad.numpy() for one in leaves),
        ]


def same(mine, theirs):
    for one, other in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("shape", SHAPES)
def test_batch_norm(library, shape):
    layer, data = compile(library["batch_norm"]), Data(shape, 6)
    mean, spread = np.zeros(6), np.ones(6)
    y, mu, sigma2 = layer.forward(data.x, data.gamma, data.beta, mean, spread)
    mine = [y, *layer.backward(data.dy, data.x, data.gamma, mu, sigma2)]
    if data.x.size == 6:  # PyTorch refuses a single example; the equations make y = β of it
        np.testing.assert_array_equal(y.ravel(), data.beta)
        np.testing.assert_array_equal(mine[1], 0.0)
        return
    same(mine, data.torch(lambda x, g, b: functional.batch_norm(x, None, None, g, b, True)))


def test_running_averages_differ_from_torchs_by_the_unbiased_variance(library):
    """The slide averages σ²_B itself; PyTorch m/(m−1) times it. The means are the same."""
    layer, data = compile(library["batch_norm"]), Data((4, 6, 5), 6)
    mean, spread = np.zeros(6), np.ones(6)
    layer.forward(data.x, data.gamma, data.beta, mean, spread, alpha=0.3)
    theirs = torch.zeros(6, dtype=torch.float64), torch.ones(6, dtype=torch.float64)
    functional.batch_norm(torch.tensor(data.x), *theirs, training=True, momentum=0.3)
    m = 4 * 5
    same([mean, (spread - 0.7) * m / (m - 1) + 0.7], [one.numpy() for one in theirs])


def test_inference(library):
    layer, data = compile(library["batch_norm"]), Data((4, 6, 5), 6)
    mean, spread = data.gamma * 2, data.beta**2
    mine = layer.inference(data.x, data.gamma, data.beta, mean, spread)
    given = (torch.tensor(one) for one in (mean, spread))
    theirs = data.torch(lambda x, g, b: functional.batch_norm(x, *given, g, b))
    same([mine], theirs[:1])


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
@pytest.mark.parametrize("shape", SHAPES)
def test_group_norm(library, shape, groups):
    layer, data = compile(library["group_norm"]), Data(shape, 6)
    y, mu, sigma2 = layer.forward(data.x, data.gamma, data.beta, groups)
    mine = [y, *layer.backward(data.dy, data.x, data.gamma, mu, sigma2, groups)]
    if np.prod(shape[1:]) == groups:  # PyTorch refuses groups of one; the equations give y = β
        np.testing.assert_array_equal(y.reshape(-1, 6), np.tile(data.beta, (shape[0], 1)))
        np.testing.assert_array_equal(mine[1], 0.0)
        return
    same(mine, data.torch(lambda x, g, b: functional.group_norm(x, groups, g, b)))


@pytest.mark.parametrize("shape", SHAPES[1:4])
def test_instance_norm(library, shape):
    layer, data = compile(library["instance_norm"]), Data(shape, 6)
    y, mu, sigma2 = layer.forward(data.x, data.gamma, data.beta)
    mine = [y, *layer.backward(data.dy, data.x, data.gamma, mu, sigma2)]
    same(mine, data.torch(lambda x, g, b: functional.instance_norm(x, None, None, g, b)))


@pytest.mark.parametrize("trailing", [1, 2, 3])
@pytest.mark.parametrize("name", ["layer_norm", "rms_norm"])
def test_layers_over_the_last_axes(library, name, trailing):
    shape = (3, 2, 4, 5)
    layer, data = compile(library[name]), Data(shape, shape[-trailing:])
    if name == "layer_norm":
        y, *statistics = layer.forward(data.x, data.gamma, data.beta)
        theirs = data.torch(lambda x, g, b: functional.layer_norm(x, shape[-trailing:], g, b))
    else:
        y, *statistics = layer.forward(data.x, data.gamma)
        theirs = data.torch(lambda x, g, _: functional.rms_norm(x, shape[-trailing:], g, 1e-5))[:3]
    assert all(one.shape == shape[:-trailing] for one in statistics)
    same([y, *layer.backward(data.dy, data.x, data.gamma, *statistics)], theirs)


@pytest.mark.parametrize("shape", [(8, 6), (5, 6, 7, 3)])
def test_strided_inputs_give_the_same(library, shape):
    """An input with gaps in memory is copied, never misread."""
    layer, data = compile(library["batch_norm"]), Data(shape, 6)
    odd = np.repeat(data.x, 2, axis=0)[::2]
    assert not odd.flags.c_contiguous
    states = [np.zeros(6), np.ones(6)], [np.zeros(6), np.ones(6)]
    found = [
        layer.forward(x, data.gamma, data.beta, *s)
        for x, s in zip((data.x, odd), states, strict=True)
    ]
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_batch_norm_of_arrays_with_channels_last(library):
    """More elements than one thread takes, laid out as PyTorch lays its channels last."""
    module, data = compile(library["batch_norm"]), Data((7, 6, 31, 33), 6)
    theirs = data.torch(
        lambda x, gamma, beta: functional.batch_norm(x, None, None, gamma, beta, training=True)
    )
    layer = module.BatchNorm(6, dtype=np.float64)
    layer.gamma[:], layer.beta[:] = data.gamma, data.beta
    last = [
        np.moveaxis(np.ascontiguousarray(np.moveaxis(one, 1, -1)), -1, 1)
        for one in (data.x, data.dy)
    ]
    y = layer(last[0])
    for dy in (last[1], data.dy):  # in the layout of the input, and in another
        dx = layer.backward(dy)
        same([y, dx, layer.gradients["gamma"], layer.gradients["beta"]], theirs)
    assert y.strides == last[0].strides
    layer.evaluate()
    assert layer(last[0]).strides == last[0].strides
    np.testing.assert_allclose(layer(last[0]), layer(data.x), rtol=1e-13, atol=1e-13)
