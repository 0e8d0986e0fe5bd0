"""The formulas of a network: every part under its own number, and the gradients that fit them."""

from dataclasses import replace

from parts import normalized

from symopt import penalty
from symopt.catalog.lecture.group_norm import group_norm
from symopt.catalog.lecture.l2 import l2
from symopt.catalog.lecture.layer_norm import layer_norm
from symopt.catalog.lecture.momentum import momentum
from symopt.derivation.api import derivations, formulas
from symopt.derivation.network_summary import summary
from symopt.printing.unicode import UnicodePrinter


def shown():
    return {one.id: one.text for one in formulas(normalized, UnicodePrinter())}


def test_what_one_layer_gives_the_next_one_takes():
    texts = shown()
    assert texts["normalized.batch_norm.affine"] == "h⁽¹⁾ᵢ = γ⁽¹⁾·x̂⁽¹⁾ᵢ + β⁽¹⁾"
    assert texts["normalized.relu.output"] == "h⁽²⁾ᵢ = {h⁽¹⁾ᵢ if h⁽¹⁾ᵢ > 0; 0 otherwise}"
    assert texts["normalized.batch_norm_2.mean"] == "μ_B⁽³⁾ = 1/m⁽³⁾·Σ_{i=1..m⁽³⁾} h⁽²⁾ᵢ"
    assert texts["normalized.softmax_cross_entropy.shifted"] == "u⁽⁴⁾ᵢ = h⁽³⁾ᵢ − M⁽⁴⁾"


def test_letters_that_a_layer_and_the_rule_share_are_told_apart_with_their_values():
    texts = shown()
    assert texts["normalized.batch_norm.epsilon"] == "ε⁽¹⁾ = 1e-05"
    assert texts["normalized.batch_norm_2.epsilon"] == "ε⁽³⁾ = 0.001"
    assert texts["normalized.softmax_cross_entropy.alpha"] == "α⁽⁴⁾ = 0.9"
    assert texts["normalized.adam.alpha"] == "α = 0.01"


def test_what_training_makes_small_is_the_mean_loss_and_the_penalty():
    texts = shown()
    assert texts["normalized.objective"] == "J(θ) = 1/N·Σ_{n=1..N} ℓ⁽⁴⁾ₙ + 0.001·R(γ)"
    assert texts["normalized.l2"] == "R(γ) = Σ_l ‖γₗ‖²"


def test_the_backward_pass_goes_from_the_loss_to_the_input():
    (backward,) = derivations(normalized)
    rows = [formula for formula, _, _ in backward.rows()]
    lefts = [row.split(" = ")[0] for row in rows]
    assert lefts == [
        "dL/dℓ⁽⁴⁾",
        "dL/dh⁽³⁾ᵢ",
        "dL/dγ⁽³⁾",
        "dL/dβ⁽³⁾",
        "dL/dh⁽²⁾ᵢ",
        "dL/dh⁽¹⁾ᵢ",
        "dL/dγ⁽¹⁾",
        "dL/dβ⁽¹⁾",
        "dL/dxᵢ",
        "dJ/dγ⁽¹⁾",
        "dJ/dγ⁽³⁾",
    ]
    assert rows[1] == "dL/dh⁽³⁾ᵢ = dL/dℓ⁽⁴⁾·(p⁽⁴⁾ᵢ − q⁽⁴⁾ᵢ)"
    assert rows[-1] == "dJ/dγ⁽³⁾ = dL/dγ⁽³⁾ + 0.002·γ⁽³⁾"
    assert [reason for _, reason, _ in backward.rows()][2] == "through batch_norm_2"


def test_latex_never_has_a_power_on_a_power():
    texts = [one.text for one in formulas(normalized)]
    assert (
        r"(\sigma_B^{(3)})^2 = \frac{1}{m^{(3)}} \sum_{i=1}^{m^{(3)}} (h^{(2)}_i - \mu_B^{(3)})^2"
        in texts
    )


def test_the_summary_counts_what_is_learned():
    found = summary(normalized)
    assert [(one.name, one.outputs, one.parameters) for one in found.stages] == [
        ("batch_norm", (4,), 8),
        ("relu", (4,), 0),
        ("batch_norm_2", (4,), 8),
    ]
    assert found.parameters == 16
    assert found.json()["layers"][1]["name"] == "relu"
    assert str(found).splitlines()[-1].split()[:3] == ["in", "all", "16"]


def test_gradients_of_what_several_groups_share_are_added_up():
    declared = replace(normalized, layers=(layer_norm(), group_norm(groups=2)))
    (backward,) = derivations(declared)
    rows = {formula.split(" = ")[0]: (formula, reason) for formula, reason, _ in backward.rows()}
    formula, reason = rows["dL/dγ⁽¹⁾ᵢ"]
    assert formula == "dL/dγ⁽¹⁾ᵢ = Σ_n dL/dh⁽¹⁾ᵢ·x̂⁽¹⁾ᵢ"
    assert reason == "through layer_norm, added up over all that share it"
    assert rows["dL/dβ⁽²⁾ᵢ"][0] == "dL/dβ⁽²⁾ᵢ = Σ_n dL/dh⁽²⁾ᵢ"


def test_the_step_goes_along_the_gradient_of_all_that_is_made_small():
    assert shown()["normalized.adam.gradient_of_all"] == "gₜ := dJ(θ)/dθ"
    declared = replace(normalized, rule=momentum())
    texts = {one.id: one.text for one in formulas(declared, UnicodePrinter())}
    assert texts["normalized.momentum.velocity"] == "vₜ = γ·vₜ₋₁ + α·dJ(θ)/dθ"


def test_a_penalty_on_two_letters_is_shown_on_each():
    declared = replace(normalized, penalties=(penalty(l2, 0.5, "gamma", "beta"),))
    texts = {one.id: one.text for one in formulas(declared, UnicodePrinter())}
    assert texts["normalized.objective"].endswith("+ 0.5·R_1(γ) + 0.5·R_2(β)")
