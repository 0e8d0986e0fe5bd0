"""Sums over many rows: those near by are added up in the arrays' dtype, all of them in float64."""

import numpy as np
import pytest
from sampling import every

from symopt import compile

ROWS, LENGTH = 30_000, 40
# half a unit in the last place; what rows near by may lose shrinks as their blocks are added up
HALF = np.finfo(np.float32).eps / 2


@pytest.fixture
def arrays():
    rng = np.random.default_rng(3)
    x = rng.normal(2, 1, (ROWS, LENGTH)).astype(np.float32)
    return x, rng.uniform(0.5, 1.5, (ROWS, LENGTH)).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "cls"), every(2, [("layer_norm", "LayerNorm"), ("batch_norm", "BatchNorm")])
)
def test_they_lose_little_more_than_rounding_the_exact_sum_does(library, name, cls, arrays):
    x, dy = arrays
    layer = getattr(compile(library[name]), cls)(LENGTH)
    layer(x)
    layer.backward(dy)
    exact = dy.sum(axis=0, dtype=np.float64)
    lost = np.abs(layer.gradients["beta"] - exact) / exact
    assert lost.max() <= 2 * HALF


def test_a_plain_sum_of_as_many_rows_loses_more(arrays):
    _, dy = arrays
    total = np.zeros(LENGTH, np.float32)
    for row in dy[: ROWS // 32]:
        total += row
    exact = dy[: ROWS // 32].sum(axis=0, dtype=np.float64)
    assert (np.abs(total - exact) / exact).max() > 4 * HALF


def test_the_mean_and_the_variance_of_a_column_too(library, arrays):
    x, _ = arrays
    module = compile(library["batch_norm"])
    ones, zeros = np.ones(LENGTH, np.float32), np.zeros(LENGTH, np.float32)
    _, mean, variance = module.forward(x, ones, zeros, zeros.copy(), ones.copy())
    wide = x.astype(np.float64)
    assert (np.abs(mean / wide.mean(axis=0) - 1)).max() <= 2 * HALF
    assert (np.abs(variance / wide.var(axis=0) - 1)).max() <= 4 * HALF
