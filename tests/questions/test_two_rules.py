"""Two rules compared: the forms of Nesterov's momentum, and decay in the loss or beside it."""

import pytest
import torch
from sympy import Eq

from symopt import derivations
from symopt.declaration import DecayInLoss, SameTrajectory
from symopt.derivation.decay_in_loss import derive_decay_in_loss
from symopt.derivation.same_trajectory import derive_same_trajectory
from symopt.derivation.steps import in_words
from symopt.errors import DerivationError
from symopt.nodes import d
from symopt.notation import sequence
from symopt.proof.checking import checked
from symopt.symbols import L, alpha, gamma, t

phi, b = sequence("phi"), sequence("b")


def test_the_change_of_letters_takes_the_slides_rule_to_torch(library):
    (found,) = derivations(library["nesterov_forms"])
    formulas = [formula for formula, _, _ in found.rows()]
    assert formulas[:2] == ["φₜ = θₜ − γ·vₜ₋₁", "bₜ₋₁ = 1/α·vₜ₋₁"]
    assert [in_words(one) for one in found.assumptions] == [
        "α is the same at every step",
        "γ is the same at every step",
    ]
    place = torch.tensor([2.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([place], lr=0.1, momentum=0.8, nesterov=True)
    theta, v = 2.0, 0.0
    for _ in range(12):
        optimizer.zero_grad()
        torch.cosh(place).backward()
        optimizer.step()
        point = torch.tensor(theta - 0.8 * v, dtype=torch.float64)
        v = 0.8 * v + 0.1 * torch.sinh(point).item()
        theta -= v
        assert place.item() == pytest.approx(theta - 0.8 * v, rel=1e-13)


def test_momentum_is_not_nesterov_in_other_letters(library, declare):
    def heavy():
        return {
            "velocity": Eq(b[t], gamma * b[t - 1] + alpha * d(L(phi), phi)),
            "step": Eq(phi[t + 1], phi[t] - b[t]),
        }

    own = declare(heavy, "heavy", initial={b: 0})
    assert derive_same_trajectory(SameTrajectory(library["momentum"], own))
    with pytest.raises(DerivationError) as error:
        derive_same_trajectory(SameTrajectory(library["nesterov"], own))
    assert str(error.value) == (
        "nesterov and heavy are not one rule in other letters: no linear change of letters leads "
        "from each step of the one to a step of the other; compare other rules"
    )
    late = declare(heavy, "late", initial={b: 1})
    with pytest.raises(DerivationError, match="momentum and late do not begin alike"):
        derive_same_trajectory(SameTrajectory(library["momentum"], late))


def test_rules_with_common_letters_are_told_so(library):
    with pytest.raises(DerivationError) as error:
        derive_same_trajectory(SameTrajectory(library["nesterov"], library["momentum"]))
    assert str(error.value) == (
        "nesterov and momentum share letters, so no change between them can be written; give one "
        "of them letters of its own"
    )


def test_decay_is_a_factor_for_sgd_and_for_no_other(library):
    by_rule = {
        name: derive_decay_in_loss(DecayInLoss(library[name], library["l2"]))[0]
        for name in ("sgd", "momentum", "adam")
    }
    assert by_rule["sgd"].rows()[-1][0] == "c = 2·α·λ"
    for name in ("momentum", "adam"):
        _, (one, _, _), (other, _, _) = by_rule[name].rows()
        assert one != other
    # θ₁ = 1 and g = 1, 1 by hand: the velocity remembers the decay of the first step
    theta, v, free, u = 1.0, 0.0, 0.0, 0.0
    for _ in range(2):
        before, old = theta, free
        v = 0.9 * v + 0.01 * (1.0 + 2e-4 * theta)
        theta -= v
        u = 0.9 * u + 0.01
        free -= u
    factor = (before + free - old - theta) / before
    assert by_rule["momentum"].rows()[2][0] == f"c = {factor:.6g}"


def test_answers_are_held_against_the_rule_but_for_cases_that_words_describe(library):
    same, *cases = checked(library["weight_decay"])
    assert (same.holds, same.unknown) == (True, ())
    assert len(cases) == 2
    for one in cases:
        assert (one.holds, len(one.unknown)) == (True, len(one.derivation.lines))
        assert {why for _, why in one.unknown} == {"what it takes for granted stands in words"}
