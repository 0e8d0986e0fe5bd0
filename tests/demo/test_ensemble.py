"""The ensemble behind dropout: its mean is inference where the network is linear, else nearly."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from symopt.catalog.lecture.dropout import dropout
from symopt.demo.ensemble import ensemble
from symopt.runtime.compiling import compile

P, UNITS, OUTPUTS = 0.3, 12, 5
# P(|z| > 6) is 2·10⁻⁹ for each mean, and the seeds are fixed
ERRORS = 6.0


@pytest.fixture(scope="module")
def network():
    """Numbers of a layer with a dropped input: x, weights and a bias."""
    random = np.random.default_rng(11)
    return random.normal(size=UNITS), random.normal(size=(UNITS, OUTPUTS)), np.ones(OUTPUTS)


@pytest.fixture(scope="module")
def module():
    return compile(dropout)


def test_the_mean_over_drawings_of_a_linear_map_is_its_inference_within_the_standard_error(
    network, module
):
    x, weights, bias = network
    later = x @ weights + bias

    def output(step):
        return module.forward(x, 7, step, P) @ weights + bias

    found = ensemble(output, later, 4000)
    assert found.in_errors < ERRORS
    # Var[u] = p/(1 − p)·Σ w²x² by derivation. The root of its estimate from N members is off by
    # √((κ − 1)/4N) of it, with a kurtosis κ below 3 as that of each term is 1.8
    declared = np.sqrt(P / (1 - P) * (x**2 @ weights**2) / found.members)
    off = ERRORS * np.sqrt(1 / (2 * found.members))
    np.testing.assert_allclose(found.standard_error, declared, rtol=off)
    more = ensemble(output, later, 1000, first=4000)
    assert not np.array_equal(found.mean, more.mean)
    assert more.in_errors < ERRORS


def test_the_mean_over_drawings_of_a_tanh_is_near_its_inference_but_is_not_it(network, module):
    x, weights, bias = network
    weights = weights / 4
    later = np.tanh(x @ weights + bias)

    def output(step):
        return np.tanh(module.forward(x, 7, step, P) @ weights + bias)

    found = ensemble(output, later, 4000)
    assert found.in_errors > ERRORS  # more than chance explains, let alone rounding
    assert found.deviation < 0.2 * np.ptp(later)


def test_over_all_masks_a_linear_map_has_exactly_its_inference_as_mean_and_a_tanh_has_not(network):
    """The masks are handed in place of drawn ones: their weights are known, so the sum is exact."""
    x, weights, bias = network
    kept = np.array(list(product((0, 1), repeat=UNITS)), float)
    stay = kept.sum(axis=1)
    chance = (1 - P) ** stay * P ** (UNITS - stay)
    assert chance.sum() == pytest.approx(1, rel=1e-12)
    members = kept * x / (1 - P) @ weights + bias
    later = x @ weights + bias
    # 4096 terms of one sum each: some 4096 roundings of the terms' magnitudes
    rounding = len(kept) * np.finfo(float).eps * (chance @ abs(members))
    assert (abs(chance @ members - later) <= rounding).all()
    nonlinear = chance @ np.tanh(members)
    assert (abs(nonlinear - np.tanh(later)) > 1e3 * rounding).all()


def test_the_masks_of_many_steps_are_all_masks_with_their_chances(module):
    """Of three units the eight masks occur as often as they should, within six deviations."""
    steps = 8000
    found = np.zeros(8, int)
    for step in range(steps):
        found[module.mask(3, 5, step, P) @ (1, 2, 4)] += 1
    for code, times in enumerate(found):
        stay = code.bit_count()
        chance = (1 - P) ** stay * P ** (3 - stay)
        assert abs(times - steps * chance) < ERRORS * np.sqrt(steps * chance * (1 - chance))


def test_what_is_no_ensemble_is_refused():
    with pytest.raises(
        ValueError, match=r"^an ensemble of 1 has no standard error; take 2 members or more$"
    ):
        ensemble(lambda _: np.ones(2), np.ones(2), 1)
    with pytest.raises(
        ValueError, match=r"^a member's output has shape \(2,\), but that of inference \(3,\)$"
    ):
        ensemble(lambda _: np.ones(2), np.ones(3), 2)


def test_a_member_without_a_number_is_not_hidden():
    found = ensemble(lambda step: np.array([1.0, np.nan if step else 1.0]), np.ones(2), 3)
    assert np.isnan(found.deviation)
    assert np.isnan(found.in_errors)
