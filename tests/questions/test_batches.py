"""The gradient of a batch: against all batches of an own example and NumPy's draws."""

from itertools import combinations, product

import numpy as np
import pytest

from symopt.declaration import MiniBatch
from symopt.derivation.samples_of_examples import derive_batches
from symopt.errors import DerivationError


def test_the_variance_without_replacement_is_that_of_all_batches(library):
    without, several = (one.rows() for one in derive_batches(MiniBatch(library["minibatch"])))
    assert without[-1][0] == "Var[ĝ] = (n − m)/(n − 1)·σ²/m"
    assert several[-1][0] == "Var[ĝ] = σ²/m"
    gradients = np.array([3.0, -1.0, 4.0, 1.5, -5.0, 9.0])
    n, spread = len(gradients), gradients.var()
    for m in (1, 2, 4, 6):
        once = np.array([gradients[list(b)].mean() for b in combinations(range(n), m)])
        assert once.mean() == pytest.approx(gradients.mean())
        assert once.var() == pytest.approx((n - m) / (n - 1) * spread / m, abs=1e-12)
    for m in (1, 2, 3):
        again = np.array([gradients[list(b)].mean() for b in product(range(n), repeat=m)])
        assert again.mean() == pytest.approx(gradients.mean())
        assert again.var() == pytest.approx(spread / m)


def test_a_rule_without_a_batch_is_refused(library):
    with pytest.raises(DerivationError) as error:
        derive_batches(MiniBatch(library["gd"]))
    assert str(error.value) == (
        "gd does not step by the mean of the gradients of a batch; ask about a rule that does, "
        "such as minibatch"
    )
