"""Bias corrections against the recurrence itself, run in exact fractions."""

from fractions import Fraction

import pytest
from sympy import Abs, Eq, Interval, Max, Rational, oo, sqrt

from symopt import debias, hat, hyperparameter, initially, sequence
from symopt.derivation.rule import derive_rule
from symopt.errors import DerivationError
from symopt.symbols import G, alpha, beta, beta_1, beta_2, g, t, theta, v
from symopt.views import canonical

rho = hyperparameter("rho", Interval.open(0, 1))
kappa = hyperparameter("kappa", Interval(0, oo))


def rule_of(declare, recurrence, start):
    return declare(
        lambda: {
            "average": recurrence(),
            "start": initially(start, v),
            "correction": debias(v),
            "step": Eq(theta[t + 1], theta[t] - alpha * hat(v)[t]),
        }
    )


def corrected(system, values, drive):
    """The corrected average after each step, by substituting exact numbers into the system."""
    state = {one.sequence: one.initial.subs(values) for one in system.of_role("state")}
    found = []
    for k, gradient in enumerate(drive, start=1):
        now = {}
        for one in system.assignments:
            if one.target == theta:
                continue
            known = {g[t]: gradient, **{key[t - 1]: value for key, value in state.items()}}
            known.update({key[t]: value for key, value in now.items()})
            now[one.target] = canonical(one.right).xreplace(known).subs(values).subs(t, k)
        state.update({key: value for key, value in now.items() if key in state})
        found.append(now[hat(v)])
    return found


CASES = {
    "an exponential average": (lambda: Eq(v[t], beta * v[t - 1] + (1 - beta) * g[t]), 0),
    "one that starts elsewhere": (lambda: Eq(v[t], beta * v[t - 1] + (1 - beta) * g[t]), 1),
    "one in its other form": (lambda: Eq(v[t], v[t - 1] + (1 - beta) * (g[t] - v[t - 1])), 3),
    "one by the weight of the new": (lambda: Eq(v[t], rho * g[t] + (1 - rho) * v[t - 1]), 0),
    "a geometric sum": (lambda: Eq(v[t], rho * v[t - 1] + g[t]), Rational(1, 2)),
    "a weighted geometric sum": (lambda: Eq(v[t], rho * v[t - 1] + kappa * g[t]), 0),
    "a plain sum": (lambda: Eq(v[t], v[t - 1] + g[t]), 2),
    "a running mean": (lambda: Eq(v[t], (1 - 1 / t) * v[t - 1] + g[t] / t), 5),
    "weights that vary and do not add up": (lambda: Eq(v[t], v[t - 1] / t + 3 * g[t]), 1),
}
VALUES = {beta: Rational(3, 7), rho: Rational(2, 5), kappa: Rational(4, 3)}


@pytest.mark.parametrize("case", CASES)
def test_the_corrected_average_of_a_constant_gradient_is_that_gradient(declare, case):
    system = derive_rule(rule_of(declare, *CASES[case]))
    constant = Rational(11, 13)
    assert corrected(system, VALUES, [constant] * 6) == [constant] * 6


@pytest.mark.parametrize("case", CASES)
def test_the_correction_is_what_the_recurrence_itself_responds_with(declare, case):
    """(v_t − what v_0 alone leaves) / (the response to 1), all three runs in exact fractions."""
    recurrence, start = CASES[case]
    system = derive_rule(rule_of(declare, recurrence, start))
    drive = [Rational(k * k - 7, k + 2) for k in range(1, 7)]

    def run(first, gradients):
        right = canonical(recurrence().rhs)
        state, found = Rational(first), []
        for k, gradient in enumerate(gradients, start=1):
            state = right.xreplace({g[t]: gradient, v[t - 1]: state}).subs(VALUES).subs(t, k)
            found.append(state)
        return found

    whole, left = run(start, drive), run(start, [Rational(0)] * 6)
    response = run(0, [Rational(1)] * 6)
    wanted = [(a - b) / c for a, b, c in zip(whole, left, response, strict=True)]
    assert corrected(system, VALUES, drive) == wanted


def test_adams_factors_are_those_of_a_loop_in_fractions(library):
    system = derive_rule(library["adam"])
    shown = {one.left: one.right for one in system.assignments if one.id == "adam.bias_correction"}
    for average, decay in ((v, beta_1), (G, beta_2)):
        factor = canonical(shown[hat(average)[t]]) / average[t]
        weight, response = Fraction(9, 10), Fraction(0)
        for k in range(1, 6):
            response = weight * response + (1 - weight)
            found = factor.subs({decay: Rational(9, 10), t: k})
            assert found == Rational(response.denominator, response.numerator)


def test_weights_of_a_real_power_are_followed_to_forty_digits(declare):
    power = Rational(-4, 5)
    recurrence = lambda: Eq(v[t], (1 - t**power) * v[t - 1] + t**power * g[t])  # noqa: E731
    system = derive_rule(rule_of(declare, recurrence, 1))
    checks = [line.check for line in system.derivations[0].lines if line.check]
    assert checks == ["checked t = 1…8, to 40 digits"] * 2


def test_a_scalar_state_is_derived_where_there_is_no_closed_form(declare):
    system = derive_rule(rule_of(declare, *CASES["a running mean"]))
    (scalar,) = [one for one in system.variables if one.scalar]
    assert (scalar.name, scalar.role, scalar.initial) == ("v_decay", "state", 1)


REFUSED = {
    "its square root": lambda: Eq(v[t], sqrt(v[t - 1]) + g[t]),
    "a maximum": lambda: Eq(v[t], Max(beta * v[t - 1], Abs(g[t]))),
    "a coefficient of data": lambda: Eq(v[t], g[t] * v[t - 1] + g[t]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_linear_recurrence_is_refused_with_the_reason(declare, case):
    with pytest.raises(DerivationError) as error:
        derive_rule(rule_of(declare, REFUSED[case], 0))
    assert str(error.value) == (
        "debias(v) does not apply: rule.average makes vₜ no linear function of vₜ₋₁ with a "
        "coefficient free of the data; leave vₜ uncorrected"
    )


def test_two_averaged_terms_are_refused(declare):
    with pytest.raises(DerivationError, match="adds 2 terms to the past of vₜ; give what is aver"):
        derive_rule(rule_of(declare, lambda: Eq(v[t], beta * v[t - 1] + g[t] + theta[t]), 0))


def test_a_range_in_which_the_geometric_sum_divides_by_zero_is_refused(declare):
    wide = hyperparameter("omega")
    with pytest.raises(DerivationError, match=r"which may be 1, .* narrow the range of ω"):
        derive_rule(rule_of(declare, lambda: Eq(v[t], wide * v[t - 1] + g[t]), 0))


def test_a_derivation_names_a_reason_for_each_line(library):
    derivation = derive_rule(library["adam"]).derivations[0]
    assert [(formula, reason) for formula, reason, _ in derivation.rows()] == [
        ("vₜ = β₁·vₜ₋₁ + (1 − β₁)·gₜ", "adam.first_moment"),
        ("vₜ = Σ_{k=1..t} (1 − β₁)·β₁^(t − k)·gₖ", "unrolled"),
        ("E[vₜ] = Σ_{k=1..t} (1 − β₁)·β₁^(t − k)·E[gₜ]", "E[gₖ] = E[gₜ], assumption"),
        ("E[vₜ] = (1 − β₁ᵗ)·E[gₜ]", "geometric sum, β₁ ≠ 1"),
        ("v̂ₜ = vₜ/(1 − β₁ᵗ)", "so that E[v̂ₜ] = E[gₜ]"),
    ]


def test_the_average_of_an_average_is_corrected_too(declare):
    u = sequence("u")
    rule = declare(
        lambda: {
            "inner": Eq(u[t], beta_1 * u[t - 1] + (1 - beta_1) * g[t]),
            "outer": Eq(v[t], beta_2 * v[t - 1] + (1 - beta_2) * (g[t] - u[t]) ** 2),
            "start": initially(0, u, v),
            "correction": debias(u, v),
            "step": Eq(theta[t + 1], theta[t] - alpha * hat(u)[t] / hat(v)[t]),
        }
    )
    targets = {one.target for one in derive_rule(rule).assignments}
    assert {hat(u), hat(v)} <= targets
