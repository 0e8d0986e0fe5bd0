"""The gradients of the classifier are the derivatives of its loss."""

from __future__ import annotations

import numpy as np
import pytest

from symopt.demo import softmax

EXAMPLES = 5


@pytest.fixture
def drawn():
    random = np.random.default_rng(3)
    params = [random.normal(size=(64, 10)) / 8, random.normal(size=10)]
    return params, random.random((EXAMPLES, 64)), random.integers(10, size=EXAMPLES)


def test_a_gradient_is_the_slope_of_the_loss(drawn):
    params, x, y = drawn
    _, gradients = softmax.mean_gradients(params, x, y)
    # a central difference is off by step²/6 times a third derivative, which is at most 2 for
    # pixels in [0, 1], and by the roundings of two losses, some 64 sums each, over two steps
    step = 2.0**-17
    tolerance = step**2 / 3 + 64 * np.finfo(float).eps * softmax.loss(params, x, y) / step
    for place, gradient in enumerate(gradients):
        for at in [*np.ndindex(gradient.shape)][::7]:
            losses = []
            for side in (step, -step):
                moved = [one.copy() for one in params]
                moved[place][at] += side
                losses.append(softmax.loss(moved, x, y))
            slope = (losses[0] - losses[1]) / (2 * step)
            assert slope == pytest.approx(gradient[at], abs=tolerance, rel=0)


def test_the_mean_of_the_examples_gradients_is_the_gradient_of_the_mean_loss(drawn):
    loss, means = softmax.mean_gradients(*drawn)
    same, each = softmax.example_gradients(*drawn)
    assert same == loss
    for mean, batch in zip(means, each, strict=True):
        assert batch.shape == (EXAMPLES, *mean.shape)
        # each of the two means takes as many roundings as there are examples, and one more
        # for products; its terms are at most 1
        bound = 2 * (EXAMPLES + 1) * np.finfo(float).eps
        np.testing.assert_allclose(batch.mean(axis=0), mean, rtol=0, atol=bound)


def test_scores_of_any_size_give_a_finite_loss(drawn):
    _, x, y = drawn
    huge = [np.full((64, 10), 1e300) * np.arange(10), np.zeros(10)]
    assert np.isfinite(softmax.loss(huge, x / 64, y))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("gradients", [softmax.mean_gradients, softmax.example_gradients])
def test_gradients_have_the_dtype_of_the_parameters(gradients, dtype, drawn):
    params, x, y = drawn
    _, found = gradients([one.astype(dtype) for one in params], x.astype(dtype), y)
    assert [one.dtype for one in found] == [dtype, dtype]
    assert all(one.flags.c_contiguous for one in found)


def test_accuracy_is_the_share_of_the_digits_that_are_told():
    params = softmax.start("float64")
    params[1][4] = 1.0
    images = np.zeros((4, 64))
    assert softmax.accuracy(params, images, np.array([4, 4, 4, 5])) == 0.75
