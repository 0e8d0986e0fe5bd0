"""Results may be kept from call to call: the same numbers, in the same arrays."""

import numpy as np
import pytest

from symopt import compile
from symopt.catalog.lecture.batch_norm import batch_norm
from symopt.catalog.lecture.softmax_cross_entropy import softmax_cross_entropy


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_with_reuse_a_layer_writes_the_same_bits_into_the_same_arrays(dtype):
    module, numbers = compile(batch_norm), np.random.default_rng(0)
    fresh, reused = (module.BatchNorm(3, dtype=dtype, reuse=reuse) for reuse in (False, True))
    x, dy = (numbers.normal(size=(8, 3)).astype(dtype) for _ in range(2))
    outputs, gradients, learned = [], [], []
    for _ in range(2):
        assert np.array_equal(fresh(x), reused(x))
        assert np.array_equal(fresh.backward(dy), reused.backward(dy))
        for name in ("gamma", "beta"):
            assert np.array_equal(fresh.gradients[name], reused.gradients[name])
        outputs.append(reused(x))
        gradients.append(reused.backward(dy))
        learned.append(reused.gradients["gamma"])
        x += 1
    for first, second in (outputs, gradients, learned):
        assert first is second
    assert fresh(x) is not fresh(x)


def test_shapes_of_their_own_have_arrays_of_their_own():
    layer = compile(softmax_cross_entropy).SoftmaxCrossEntropy(dtype=np.float64, reuse=True)
    z = np.random.default_rng(0).normal(size=(5, 4))
    labels = np.array([0, 1, 2, 3, 0])
    layer(z, labels)
    whole = layer.backward()
    layer(z[:2], labels[:2])
    part = layer.backward()
    layer(z, labels)
    assert layer.backward() is whole
    assert part.shape == (2, 4)
