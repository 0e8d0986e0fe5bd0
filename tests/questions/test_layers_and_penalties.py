"""Questions about layers, losses and penalties, against torch, plain NumPy and scans of values."""

import numpy as np
import pytest
import torch

from symopt import derivations
from symopt.declaration import BestInputs, NoiseAsPenalty, ScaledWeights, Shrinkage
from symopt.derivation.best_inputs import derive_best_inputs
from symopt.derivation.noise_as_penalty import derive_noise_as_penalty
from symopt.derivation.scaled_weights import derive_scaled_weights
from symopt.derivation.shrinkage import derive_shrinkage
from symopt.errors import DeclarationError, DerivationError


def formulas(several):
    return [formula for one in several for formula, _, _ in one.rows()]


def test_scaled_weights_before_batch_norm_have_gradients_that_are_as_much_smaller(library):
    shown = formulas(derivations(library["normalized_weights"]))
    assert "dL/dw′ₖ = 1/a·dL/dwₖ" in shown
    assert "Σ_{k=1..n} wₖ·dL/dwₖ = γ·ε/(σ²_B + ε)·Σ_{j=1..m} dL/dyⱼ·x̂ⱼ" in shown
    source = torch.Generator().manual_seed(0)
    u, w, target = (
        torch.randn(shape, generator=source, dtype=torch.float64) for shape in ((7, 3), (3,), (7,))
    )

    def slope(weights, epsilon):
        weights = weights.clone().requires_grad_()
        x = u @ weights
        y = torch.nn.functional.batch_norm(x[:, None], None, None, training=True, eps=epsilon)
        (torch.exp(y[:, 0]) * target).sum().backward()
        return weights.grad, x.detach(), y.detach()[:, 0]

    one, x, y = slope(w, 0.3)
    other, _, _ = slope(5 * w, 25 * 0.3)
    assert torch.allclose(other, one / 5, rtol=1e-12)
    spread = x.var(unbiased=False)
    left = 0.3 / (spread + 0.3) * (torch.exp(y) * target * y).sum()
    assert (w @ one).item() == pytest.approx(left.item(), rel=1e-12)


def test_a_layer_that_sees_the_scale_is_refused(library):
    with pytest.raises(DerivationError) as error:
        derive_scaled_weights(ScaledWeights(library["sigmoid"]))
    assert str(error.value) == (
        "the output of sigmoid changes with the scale of its input; ask about a layer of which "
        "it does not, such as batch_norm"
    )
    assert derive_scaled_weights(ScaledWeights(library["layer_norm"]))
    assert derive_scaled_weights(ScaledWeights(library["rms_norm"]))


def test_dropout_adds_a_penalty_that_all_masks_add_up_to(library):
    assert formulas(derivations(library["dropout_penalty"]))[-1] == (
        "E[(u − z)²] = (Σ_{i=1..n} wᵢ·xᵢ − z)² + p/(1 − p)·Σ_{i=1..n} wᵢ²·xᵢ²"
    )
    w, x, z, p = np.array([2.0, -1.0, 0.5, 3.0]), np.array([1.0, 4.0, -2.0, 0.3]), 1.7, 0.3
    total = 0.0
    for mask in np.ndindex(2, 2, 2, 2):
        kept = np.array(mask)
        weight = np.prod(np.where(kept == 1, 1 - p, p))
        total += weight * (w @ (kept * x) / (1 - p) - z) ** 2
    assert total == pytest.approx((w @ x - z) ** 2 + p / (1 - p) * (w**2) @ (x**2))
    with pytest.raises(DerivationError) as error:
        derive_noise_as_penalty(NoiseAsPenalty(library["relu"]))
    assert str(error.value) == (
        "relu draws no letter for each element of its output; ask about a layer that does, such "
        "as dropout"
    )


def test_smoothed_targets_keep_logits_finite(library):
    assert formulas(derivations(library["smoothed_logits"]))[-1] == (
        "zₗ − zⱼ = log((K − 1)·α/(1 − α))"
    )
    z = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    target = torch.tensor([0.1 / 3, 0.9, 0.1 / 3, 0.1 / 3], dtype=torch.float64)
    optimizer = torch.optim.LBFGS([z], max_iter=200, tolerance_grad=1e-14)

    def loss():
        optimizer.zero_grad()
        value = -(target * torch.log_softmax(z, 0)).sum()
        value.backward()
        return value

    optimizer.step(loss)
    assert (z[1] - z[0]).item() == pytest.approx(np.log(3 * 0.9 / 0.1), abs=1e-5)


def test_the_other_readings_of_smoothing_and_a_loss_without_a_label(library):
    last = formulas(derive_best_inputs(BestInputs(library["softmax_cross_entropy_all"])))[-1]
    # the correct class has α + (1 − α)/K, each other one (1 − α)/K
    alpha, K = 0.9, 4
    assert last == "zₗ − zⱼ = log((1 + K·α − α)/(1 − α))"
    assert (K * alpha + 1 - alpha) / (1 - alpha) == pytest.approx(
        (alpha + (1 - alpha) / K) / ((1 - alpha) / K)
    )
    with pytest.raises(DerivationError, match="ask about a loss"):
        derive_best_inputs(BestInputs(library["squared_error"]))
    with pytest.raises(DeclarationError) as error:
        BestInputs(library["gd"])
    assert str(error.value) == (
        "BestInputs was given gd, an update rule; give it a layer or a loss"
    )


@pytest.mark.parametrize(
    ("name", "by_hand"),
    [
        ("l2", lambda goal, h, weight: goal * h / (h + 2 * weight)),
        ("l1", lambda goal, h, weight: np.sign(goal) * max(0.0, abs(goal) - weight / h)),
    ],
)
def test_shrinkage_is_where_a_scan_finds_the_minimum(name, by_hand, library):
    shown = formulas(derive_shrinkage(Shrinkage(library[name])))[-1].rpartition("= ")[2]
    assert shown == {"l2": "θ*/(1 + 2·(λ/h))", "l1": "sign(θ*)·max(0, |θ*| − λ/h)"}[name]
    penalty = {"l2": np.square, "l1": np.abs}[name]
    grid = np.linspace(-4, 4, 80001)
    for goal, h, weight in ((3.0, 2.0, 1.0), (-0.4, 2.0, 1.0), (-3.5, 0.5, 0.2)):
        values = h / 2 * (grid - goal) ** 2 + weight * penalty(grid)
        assert grid[values.argmin()] == pytest.approx(by_hand(goal, h, weight), abs=1e-4)
