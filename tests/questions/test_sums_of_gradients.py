"""Sums over gradients: what a constant one gives, what a drift leaves, and whether steps fade."""

import numpy as np
import pytest

from symopt.declaration import Drift, Fading, Unrolled
from symopt.derivation.drift import derive_drift
from symopt.derivation.fading import derive_fading
from symopt.derivation.unrolled_step import derive_unrolled_step
from symopt.errors import DerivationError


def lines(several):
    return [formula for one in several for formula, _, _ in one.rows()]


def test_the_effective_learning_rate_of_momentum_is_that_of_a_long_run(library):
    shown = lines(derive_unrolled_step(Unrolled(library["momentum"])))
    assert "vₜ = Σ_{k=1..t} α·γ^(t − k)·gₖ" in shown
    assert shown[-1] == "θₜ₊₁ − θₜ = −α·g/(1 − γ)"
    v = 0.0
    for _ in range(2000):
        v = 0.9 * v + 0.01 * 3.0
    assert v == pytest.approx(0.01 * 3.0 / (1 - 0.9), rel=1e-12)


def test_a_drift_leaves_what_a_long_run_leaves(library):
    shown = lines(derive_drift(Drift(library["adam"])))
    assert "E[v̂ₜ] − E[gₜ] = −b·β₁/(1 − β₁)" in shown
    v, b = 0.0, 0.25
    for k in range(1, 1001):
        v = 0.9 * v + 0.1 * (2.0 + b * k)
    assert v - (2.0 + b * 1000) == pytest.approx(-b * 0.9 / 0.1, rel=1e-9)


def test_adagrad_fades_and_rmsprop_does_not(library):
    assert lines(derive_fading(Fading(library["adagrad"])))[-2:] == [
        "lim(√t·inf(|θₜ₊₁ − θₜ|)) = α·g_min/g_max",
        "lim(√t·sup(|θₜ₊₁ − θₜ|)) = α·g_max/g_min",
    ]
    smallest = lines(derive_fading(Fading(library["rmsprop"])))[-2]
    assert smallest.startswith("lim(inf(|θₜ₊₁ − θₜ|)) = ")
    low, high, G, total = 0.5, 2.0, 0.0, 0.0
    for _ in range(400):
        G = 0.9 * G + 0.1 * high**2
        total += high**2
    formula = smallest.partition("= ")[2]
    assert formula == "α·g_min/√(β·g_max² + ε + g_min² − β·g_min²)"
    by_hand = low / np.sqrt(0.9 * G + 0.1 * low**2)
    assert by_hand == pytest.approx(low / np.sqrt(low**2 + 0.9 * (high**2 - low**2)), rel=1e-9)
    assert np.sqrt(401) * low / np.sqrt(total + low**2) == pytest.approx(low / high, rel=2e-3)


def test_what_does_not_fit_is_refused(library):
    cases = {
        "momentum corrects no average, so nothing is said of its bias; ask about a rule with "
        "debias(v)": lambda: derive_drift(Drift(library["momentum"])),
        "adam does not step by one average of gradients; ask about a rule that does, such as "
        "momentum": lambda: derive_unrolled_step(Unrolled(library["adam"])),
        "adam does not divide the gradient by a function of an average of squares; ask about a "
        "rule that does, such as rmsprop": lambda: derive_fading(Fading(library["adam"])),
    }
    for message, ask in cases.items():
        with pytest.raises(DerivationError) as error:
            ask()
        assert str(error.value) == message
