"""Running statistics without the trace of their start, by running the averages themselves."""

from fractions import Fraction

import numpy as np
import pytest

from symopt.runtime.compiling import compile


def batches(count):
    """Batches of one channel with the mean 3 and the variance 4, exactly."""
    return [np.array([[1.0], [5.0], [1.0], [5.0]]) for _ in range(count)]


@pytest.mark.parametrize("alpha", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("steps", [1, 2, 30])
def test_a_constant_variance_is_read_as_it_is_from_the_first_batch_on(library, alpha, steps):
    """Divided by 1 − (1 − α)^t alone, a variance that starts at 1 would read 103 for this 4."""
    made = compile(library["batch_norm_debiased"]).BatchNormDebiased(
        1, alpha=alpha, epsilon=0.0, dtype=np.float64
    )
    for batch in batches(steps):
        made(batch)
    made.evaluate()
    wrong = made.sigma2[0] / (1 - (1 - alpha) ** steps)
    assert alpha != 0.01 or steps > 1 or wrong == pytest.approx(103)
    np.testing.assert_allclose(made(np.array([[3.0], [5.0], [7.0]])), [[0], [1], [2]], atol=1e-12)


def test_averages_are_the_recurrence_in_exact_fractions(library):
    module = compile(library["batch_norm_debiased"])
    alpha, mean, spread = Fraction(1, 8), Fraction(0), Fraction(1)
    arrays = np.zeros(1), np.ones(1)
    random = np.random.default_rng(0)
    weights = []
    for _ in range(12):
        x = random.integers(-8, 8, size=(4, 1)).astype(float)
        module.forward(x, np.ones(1), np.zeros(1), *arrays, alpha=float(alpha))
        values = [Fraction(int(one)) for one in x[:, 0]]
        own = sum(values) / 4
        mean = alpha * own + (1 - alpha) * mean
        spread = alpha * sum((one - own) ** 2 for one in values) / 4 + (1 - alpha) * spread
        weights = [one * (1 - alpha) for one in weights] + [alpha]
    np.testing.assert_allclose([float(mean), float(spread)], np.ravel(arrays), rtol=1e-15)
    kept = 1 - sum(weights)
    x = random.normal(size=(3, 1))
    wanted = (x - float(mean / sum(weights))) / np.sqrt(float((spread - kept) / sum(weights)))
    found = module.inference(x, np.ones(1), np.zeros(1), *arrays, t=12, alpha=0.125, epsilon=0.0)
    np.testing.assert_allclose(found, wanted, rtol=1e-13)


@pytest.mark.parametrize("t", [0, -1, 1.5, None])
def test_the_number_of_batches_counts_from_one(library, t):
    module = compile(library["batch_norm_debiased"])
    one, zero = np.ones(1), np.zeros(1)
    with pytest.raises(ValueError, match=r"batch_norm_debiased: t is .*, but steps are whole"):
        module.inference(np.ones((2, 1)), one, zero, zero, one, t=t)
