"""Sums over the past against the sums written out."""

import pytest
from sympy import Eq, Rational, Sum, sqrt

from symopt import Sigma
from symopt.derivation.rule import derive_rule
from symopt.errors import DerivationError
from symopt.symbols import G, alpha, beta, g, gamma, t, tau, theta
from symopt.views import canonical


def rule_of(declare, right):
    return declare(
        lambda: {
            "cache": Eq(G[t], right()),
            "step": Eq(theta[t + 1], theta[t] - alpha * G[t]),
        }
    )


def run(system, drive, values):
    """Every G_t by the derived recurrence, in exact fractions."""
    state = {one.sequence: one.initial for one in system.of_role("state")}
    found = []
    for k, gradient in enumerate(drive, start=1):
        now = {}
        for one in system.assignments[:-1]:
            known = {g[t]: gradient, **{key[t - 1]: value for key, value in state.items()}}
            known.update({key[t]: value for key, value in now.items()})
            now[one.target] = canonical(one.right).xreplace(known).subs(values).subs(t, k)
        state.update({key: value for key, value in now.items() if key in state})
        found.append(now[G])
    return found


SUMS = {
    "AdaGrad's": (lambda: Sigma(g[tau] ** 2, (tau, 1, t)), lambda x, _k, _j: x**2),
    "SymPy's own Sum": (lambda: Sum(g[tau] ** 2, (tau, 1, t)), lambda x, _k, _j: x**2),
    "weighted by age": (
        lambda: Sigma(beta ** (t - tau) * g[tau], (tau, 1, t)),
        lambda x, k, j: Rational(1, 3) ** (k - j) * x,
    ),
    "divided by the step": (
        lambda: Sigma(g[tau] / t, (tau, 1, t)),
        lambda x, k, _j: x / k,
    ),
    "weighted by its own step": (
        lambda: Sigma(tau * g[tau], (tau, 1, t)),
        lambda x, _k, j: j * x,
    ),
}


@pytest.mark.parametrize("case", SUMS)
def test_the_recurrence_gives_the_sum_written_out(declare, case):
    right, term = SUMS[case]
    drive = [Rational(2 * k - 5, k) for k in range(1, 7)]
    wanted = [
        sum(term(drive[j - 1], Rational(k), Rational(j)) for j in range(1, k + 1))
        for k in range(1, 7)
    ]
    system = derive_rule(rule_of(declare, right))
    assert run(system, drive, {beta: Rational(1, 3)}) == wanted


def test_a_sum_inside_an_expression_becomes_a_state_of_its_own(declare):
    system = derive_rule(rule_of(declare, lambda: sqrt(Sigma(g[tau] ** 2, (tau, 1, t)) / t)))
    assert [(one.name, one.role) for one in system.variables][:2] == [
        ("G_sum", "state"),
        ("g", "input"),
    ]
    drive = [Rational(3), Rational(4)]
    assert run(system, drive, {}) == [3, sqrt(Rational(25, 2))]


@pytest.mark.parametrize(
    ("right", "message"),
    [
        (
            lambda: Sigma(g[tau], (tau, 1, t - 1)),
            "rule.cache sums g[τ] from 1 to t − 1, of which no recurrence follows; "
            "let the sum run from 1 to t",
        ),
        (
            lambda: Sigma(g[tau] / (t + tau), (tau, 1, t)),
            "rule.cache weights the terms of Σ_{τ=1..t} g[τ]/(t + τ) unevenly as t grows, "
            "so that no recurrence follows; write the recurrence itself",
        ),
        (
            lambda: Sigma(gamma, (tau, 1, t)),
            "rule.cache weights the terms of Σ_{τ=1..t} γ unevenly as t grows, "
            "so that no recurrence follows; write the recurrence itself",
        ),
    ],
)
def test_a_sum_without_a_recurrence_is_refused(declare, right, message):
    with pytest.raises(DerivationError) as error:
        derive_rule(rule_of(declare, right))
    assert str(error.value) == message
