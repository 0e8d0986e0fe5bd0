"""One-line Unicode for terminals and comments."""

import pytest
from sympy import Abs, And, Eq, Max, Ne, Not, Or, Piecewise, evaluate, floor, oo, sign, sqrt

from symopt import Sigma, d, hat
from symopt.nodes import Expectation, Norm
from symopt.printing.unicode import unicode
from symopt.symbols import G, L, alpha, beta_1, epsilon, g, gamma, i, layer, m, t, tau, theta, v

with evaluate(False):
    SHOWN = {
        "vₜ₋₁": v[t - 1],
        "θ[t+1,i]": theta[t + 1, i],
        "v̂ₜ": hat(v)[t],
        "vₜ/(1 − β₁ᵗ)": v[t] / (1 - beta_1**t),
        "θₜ − α/√(Ĝₜ + ε)·v̂ₜ": theta[t] - alpha / sqrt(hat(G)[t] + epsilon) * hat(v)[t],
        "α/m·Σ_{τ=1..m} g[τ]": alpha / m * Sigma(g[tau], (tau, 1, m)),
        "(vₜ − gₜ)·γ": (v[t] - g[t]) * gamma,
        "vₜ/(γ·α)": v[t] / (gamma * alpha),
        "dL(θ − γ·vₜ₋₁)/dθ": d(L(theta - gamma * v[t - 1]), theta),
        "‖θₗ‖²": Norm(theta[layer]) ** 2,
        "sign(gₜ)": sign(g[t]),
        "|gₜ|": Abs(g[t]),
        "E[gₜ²]": Expectation(g[t] ** 2),
        "⌊t/m⌋": floor(t / m),
        "γ^(t − 1)": gamma ** (t - 1),
        "max(gₜ, vₜ)": Max(g[t], v[t]),
        "{gₜ if vₜ > 1; 0 otherwise}": Piecewise((g[t], v[t] > 1), (0, True)),
        "−vₜ": -v[t],
        "{1 if vₜ ≥ α and (gₜ ≤ 2 or gₜ ≠ vₜ); −∞ if not (gₜ < 1); ∞ otherwise}": Piecewise(
            (1, And(v[t] >= alpha, Or(g[t] <= 2, Ne(g[t], v[t])))),
            (-oo, Not(g[t] < 1)),
            (oo, True),
        ),
        "{0 if vₜ = 1; 1 otherwise}": Piecewise((0, Eq(v[t], 1)), (1, True)),
    }


@pytest.mark.parametrize("text", SHOWN)
def test_an_expression_reads_as_a_person_would_write_it(text):
    assert unicode(SHOWN[text]) == text
