"""First steps and largest steps, against torch's Adam and against steps taken by hand in NumPy."""

import numpy as np
import pytest
import torch

from symopt.declaration import FirstSteps, LargestStep
from symopt.derivation.answers import ANSWERS
from symopt.derivation.first_steps import derive_first_steps
from symopt.derivation.largest_step import derive_largest_step
from symopt.errors import DerivationError
from symopt.symbols import epsilon, lambda_


def rows(library, name):
    (content,) = (one.content for one in library["first_steps"].statements if one.key == name)
    return {
        one.title if isinstance(one.title, str) else one.title[0]: one.rows()
        for one in derive_first_steps(content)
    }


def test_the_table_is_what_the_slides_formulas_give_by_hand(library):
    table = [
        row for title, row in rows(library, "without_correction").items() if "constant" in title
    ]
    v = G = 0.0
    for formula, _, _ in table[0]:
        v, G = 0.9 * v + 0.1 * 5.0, 0.999 * G + 0.001 * 25.0
        length = float(formula.partition("−")[2].rpartition("−")[2].removesuffix("·α"))
        assert length == pytest.approx(v / np.sqrt(G), rel=2e-4)


def test_the_corrected_first_steps_are_those_of_torch(library):
    theta = torch.tensor([0.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([theta], lr=1.0, eps=0.0)
    lengths = []
    for _ in range(3):
        before = theta.item()
        theta.grad = torch.tensor([7.0], dtype=torch.float64)
        optimizer.step()
        lengths.append(theta.item() - before)
    assert lengths == pytest.approx([-1.0] * 3)
    table = next(row for title, row in rows(library, "with_correction").items() if "const" in title)
    assert [formula for formula, _, _ in table[:2]] == ["θ₂ − θ₁ = −1.0·α", "θ₃ − θ₂ = −1.0·α"]


def test_the_first_uncorrected_step_is_too_long_by_a_known_factor(library):
    lines = [row[0] for several in rows(library, "without_correction").values() for row in several]
    assert "θ₂ − θ₁ = −(1 − β₁)·α/√(1 − β₂)" in lines
    assert "θₜ₊₁ − θₜ = −(1 − β₁ᵗ)·α/√(1 − β₂ᵗ)" in lines
    assert "(θₜ₊₁ − θₜ)/g = −(1 − β₁ᵗ)·α/√ε" in lines


def test_no_gradients_lead_further_than_the_bound(library):
    (found,) = derive_largest_step(LargestStep(library["adam"]))
    bounds = found.rows()
    limit = next(
        float(f.split(" = ")[1].removesuffix("·α")) for f, r, _ in bounds if "t = 10," in r
    )
    source, longest = np.random.default_rng(0), 0.0
    for scale in (0.5, 0.9, 0.9 / 0.999, 1.0, 1.3):
        for _ in range(50):
            v = G = 0.0
            for k in range(1, 11):
                g = scale ** (10 - k) * source.choice([-1, 1, 1, 1]) * (1 + source.random() / 50)
                v, G = 0.9 * v + 0.1 * g, 0.999 * G + 0.001 * g * g
            step = abs(v) / (1 - 0.9**10) / np.sqrt(G / (1 - 0.999**10))
            longest = max(longest, step)
    assert 0.99 * limit < longest < 1.005 * limit  # the bound is shown with three digits


def test_a_letter_that_the_rule_does_not_have_is_refused(library):
    with pytest.raises(DerivationError) as error:
        derive_first_steps(FirstSteps(library["adam"], small=lambda_))
    assert str(error.value) == "adam has no letter λ; name one of its own, or none"
    assert ANSWERS[FirstSteps](FirstSteps(library["momentum"]))
    assert epsilon in library["adam"].default_values


def test_a_step_that_is_no_such_quotient_is_refused(library):
    with pytest.raises(DerivationError) as error:
        derive_largest_step(LargestStep(library["momentum"]))
    assert str(error.value) == (
        "momentum does not step by an average of gradients over the root of an average of their "
        "squares; ask about a rule that does"
    )
