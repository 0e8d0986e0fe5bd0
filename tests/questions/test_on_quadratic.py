"""Rules on quadratics: regions, roots and best letters, against eigenvalues and runs in NumPy."""

import numpy as np
import pytest

from symopt import derivations
from symopt.declaration import OnQuadratic
from symopt.derivation.answers import ANSWERS
from symopt.derivation.on_quadratic import derive_on_quadratic
from symopt.derivation.quadratic import linear_step
from symopt.derivation.rates import best, rate
from symopt.derivation.stability import region, runs
from symopt.errors import DeclarationError, DerivationError
from symopt.symbols import alpha, gamma, kappa

RATES = {
    "gd": lambda k: (k - 1) / (k + 1),
    "momentum": lambda k: (np.sqrt(k) - 1) / (np.sqrt(k) + 1),
    "nesterov": lambda k: 1 - 2 / np.sqrt(3 * k + 1),  # Lessard, Recht and Packard, table 1
}


def left_after(name, a, g, curvatures, steps=400):
    """How far the slide's rule is from its minimum in the end, by hand."""
    theta, v = np.ones(len(curvatures)), np.zeros(len(curvatures))
    for _ in range(steps):
        point = theta - g * v if name == "nesterov" else theta
        v = g * v + a * curvatures * point if name != "gd" else a * curvatures * point
        theta = theta - v
    return np.abs(theta) + np.abs(v)


@pytest.mark.parametrize("name", RATES)
def test_runs_vanish_below_the_limit_and_grow_above_it(name, library):
    limit = region(linear_step(library[name])).limit
    for g in (0.0, 0.3, 0.8):
        edge = float(limit.subs(gamma, g))
        for bend in (0.5, 3.0):
            low, high = (
                left_after(name, share * edge / bend, g, np.array([bend]))[0]
                for share in (0.97, 1.03)
            )
            assert low < 1e-2 < 1e2 < high


@pytest.mark.parametrize("name", RATES)
def test_the_best_letters_attain_the_known_rate(name, library):
    found = best(linear_step(library[name]))
    for number in (3, 10, 100):
        r = RATES[name](number)
        assert float(found.rate.subs(kappa, number)) == pytest.approx(r, rel=1e-12)
        a = float(found.scaled.subs(rate, r))
        g = 0.0 if found.other is None else float(found.other.subs(rate, r))
        left = left_after(name, a, g, np.linspace(1, number, 9), steps=200)
        # a double root shrinks like t rᵗ⁻¹
        assert np.log(left.max()) < 199 * np.log(r) + np.log(200 * number)


def test_momentum_has_the_letters_of_polyak(library):
    several = derivations(library["friction"])
    lines = [formula for one in several for formula, _, _ in one.rows()]
    assert "α = 4/(√λ_max + √λ_min)²" in lines
    assert "γ = (√κ − 1)²/(1 + √κ)²" in lines
    assert "γ = (1 − √(α·λ))²" in lines
    assert "α = 2·(1 + γ)/λ" in lines


def test_a_letter_of_an_own_rule_is_found(declare):
    from sympy import Eq

    from symopt.symbols import g, t, theta, v

    def heavy():
        # friction as most libraries have it: the learning rate is outside of the velocity
        return {
            "velocity": Eq(v[t], gamma * v[t - 1] + g[t]),
            "step": Eq(theta[t + 1], theta[t] - alpha * v[t]),
        }

    own = declare(heavy, "heavy", initial={v: 0})
    assert region(linear_step(own)).limit.expand() == 2 + 2 * gamma
    assert runs(linear_step(own)) is None  # γ has no default


def test_what_is_not_linear_is_refused(library):
    with pytest.raises(DerivationError) as error:
        derive_on_quadratic(library["adagrad"])
    assert str(error.value) == (
        "adagrad has no matrix on a quadratic, for θₜ₊₁ is not linear in θₜ and Gₜ₋₁ there; ask "
        "about a rule whose step is linear in the gradient"
    )
    with pytest.raises(DerivationError) as error:
        derive_on_quadratic(library["minibatch"])
    assert str(error.value) == (
        "minibatch is handed several inputs or a gradient for each example; ask about a rule "
        "that is handed one gradient g"
    )


def test_a_request_about_what_is_no_rule_is_refused(library):
    with pytest.raises(DeclarationError) as error:
        OnQuadratic(library["l2"])
    assert str(error.value) == ("OnQuadratic was given l2, a regularizer; give it an update rule")


def test_every_question_of_the_catalogue_has_its_answer(library):
    questions = [one for one in library.values() if one.kind == "question"]
    asked = {type(s.content) for one in questions for s in one.statements}
    assert asked <= set(ANSWERS)
    for one in questions:
        for each in derivations(one):
            assert each.lines
            assert each.latex()
