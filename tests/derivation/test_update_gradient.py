"""Adjoints of a step against SymPy's derivative of the whole step, all equations put in."""

import pytest
from sympy import Abs, Eq, Float, Indexed, Max, Min, Piecewise, S, Symbol, ceiling, floor, sign

from symopt import compile, initially, sequence
from symopt.derivation.api import step_gradients
from symopt.derivation.branches import derivative
from symopt.derivation.readable import readable, sums_in
from symopt.derivation.rule import derive_rule
from symopt.derivation.update_gradient import dL, update_gradient
from symopt.errors import UsageError
from symopt.nodes import Gradient, Sigma
from symopt.printing.unicode import unicode
from symopt.symbols import alpha, beta_1, c, g, i, t, theta, v
from symopt.views import canonical

# the law


def put_in(assignments):
    """New values as functions of what the step reads, one equation put into the next."""
    known = {}
    for one in assignments:
        known[canonical(one.left)] = canonical(one.right).xreplace(known)
    return known


def at_numbers(expr, numbers):
    """An expression of letters at fixed numbers between 0 and 1, to 30 digits."""
    letters = expr.atoms(Indexed) | {one for one in expr.free_symbols if isinstance(one, Symbol)}
    values = {
        one: numbers.setdefault(one, Float(3 + len(numbers), 30) / 41)
        for one in sorted(letters, key=str)
    }
    return expr.xreplace({one: value for one, value in values.items() if one != t}).subs(t, 3).n(30)


def test_adjoints_are_the_derivatives_of_the_whole_step(rules):
    """L = Σ δ·(new value) with everything put in, differentiated by SymPy, at a point."""
    for rule in rules:
        system = derive_rule(rule)
        if any(one.examples for one in system.variables):
            continue  # kernels are judged by differences
        found, numbers = update_gradient(system), {}
        new = put_in(system.assignments)
        whole = sum(one.handed * new[one.of] for one in found.made if one.handed is not None)
        adjoints = {}
        for one in (*found.made, *found.sources):
            terms = [*([one.handed] if one.handed else []), *(x.value for x in one.shares)]
            value = sum(map(canonical, terms), S.Zero).xreplace(adjoints).xreplace(new)
            adjoints[canonical(dL(one.of))] = value
            if one in found.sources:
                assert not value.has(Gradient)
                letter = Symbol("letter", positive=True)
                wanted = whole.xreplace({one.of: letter}).diff(letter).xreplace({letter: one.of})
                gap = at_numbers(value, numbers) - at_numbers(wanted, numbers)
                assert abs(gap) < 1e-25, (rule.name, one.of)


def test_each_temporary_is_differentiated_once(library):
    made = update_gradient(derive_rule(library["adam"])).made
    assert len({one.of for one in made}) == len(made) == 5


# examples


def test_the_gradient_of_adams_step_reads_well(library):
    (shown,) = step_gradients(library["adam"])
    assert str(shown).splitlines() == [
        "gradient of one step of adam",
        "  dL/dθₜ₊₁ = δθₜ₊₁    handed in",
        "  dL/dĜₜ = α·v̂ₜ/(2·(Ĝₜ + ε)^(3/2))·dL/dθₜ₊₁    through adam.step",
        "  dL/dv̂ₜ = −α/√(Ĝₜ + ε)·dL/dθₜ₊₁    through adam.step",
        "  dL/dGₜ = δGₜ + 1/(1 − β₂ᵗ)·dL/dĜₜ    handed in, through adam.bias_correction",
        "  dL/dvₜ = δvₜ + 1/(1 − β₁ᵗ)·dL/dv̂ₜ    handed in, through adam.bias_correction",
        "  dL/dθₜ = dL/dθₜ₊₁    through adam.step",
        "  dL/dvₜ₋₁ = β₁·dL/dvₜ    through adam.first_moment",
        "  dL/dGₜ₋₁ = β₂·dL/dGₜ    through adam.second_moment",
        "  dL/dgₜ = (1 − β₁)·dL/dvₜ + 2·(1 − β₂)·gₜ·dL/dGₜ    "
        "through adam.first_moment, adam.second_moment",
        "  dL/dα = −Σ_j v̂ₜ/√(Ĝₜ + ε)·dL/dθₜ₊₁    through adam.step",
        "  dL/dβ₁ = Σ_j ((vₜ₋₁ − gₜ)·dL/dvₜ + β₁^(t − 1)·t·vₜ/(1 − β₁ᵗ)²·dL/dv̂ₜ)    "
        "through adam.first_moment, adam.bias_correction",
        "  dL/dβ₂ = Σ_j ((Gₜ₋₁ − gₜ²)·dL/dGₜ + β₂^(t − 1)·t·Gₜ/(1 − β₂ᵗ)²·dL/dĜₜ)    "
        "through adam.second_moment, adam.bias_correction",
        "  dL/dε = Σ_j α·v̂ₜ/(2·(Ĝₜ + ε)^(3/2))·dL/dθₜ₊₁    through adam.step",
        "  assuming δθₜ₊₁ is dL/dθₜ₊₁ by what comes after the step",
        "  assuming gₜ is held apart from θₜ",
        "  assuming j runs over all elements",
    ]
    tex = shown.latex()
    assert r"\frac{dL}{dv_t} &= \delta v_t + \frac{1}{1 - \beta_1^t} \frac{dL}{d\hat{v}_t}" in tex


def test_nesterovs_point_has_a_gradient_of_its_own(library):
    _, point = step_gradients(library["nesterov"])
    assert [formula for formula, _, _ in point.rows()] == [
        "dL/dpointₜ = δpointₜ",
        "dL/dvₜ₋₁ = −γ·dL/dpointₜ",
        "dL/dθₜ = dL/dpointₜ",
        "dL/dγ = −Σ_j vₜ₋₁·dL/dpointₜ",
    ]


def test_a_batch_has_a_gradient_for_each_example(library):
    (shown,) = step_gradients(library["minibatch"])
    assert "dL/dg[t,i] = −α/m·dL/dθₜ₊₁" in [formula for formula, _, _ in shown.rows()]


# traps


def test_nothing_goes_back_through_a_sign(declare):
    rule = declare(
        lambda: {
            "average": Eq(v[t], beta_1 * v[t - 1] + g[t]),
            "direction": Eq(c[t], sign(v[t])),
            "step": Eq(theta[t + 1], theta[t] - alpha * c[t]),
            "start": initially(0, v),
        }
    )
    (shown,) = step_gradients(rule)
    rows = [row[:2] for row in shown.rows()]
    assert ("dL/dvₜ = δvₜ", "handed in") in rows
    assert "sign by the branch that is taken" in map(str, shown.assumptions)
    compile(rule)


X, Y = Symbol("x", real=True), Symbol("y", real=True)
KINKS = {
    "the sign of a letter is constant": (sign(X) * X, X, sign(X)),
    "the magnitude of a letter changes by its sign": (Abs(X * Y), X, Y * sign(X * Y)),
    "steps are flat": (floor(X) + ceiling(X), X, S.Zero),
    "of equals the first is taken": (Max(X, Y), X, Piecewise((1, X >= Y), (0, True))),
    "so it is of minima": (Min(X, 2 * Y), Y, Piecewise((2, 2 * Y <= X), (0, True))),
    "cases have the derivative of the case": (
        Piecewise((X**2, X > Y), (Y, True)),
        X,
        Piecewise((2 * X, X > Y), (0, True)),
    ),
}


@pytest.mark.parametrize("case", KINKS)
def test_a_kink_has_the_derivative_of_its_branch(case):
    expr, by, wanted = KINKS[case]
    assert derivative(expr, by) == wanted


def test_a_power_of_a_letter_keeps_its_value_at_zero():
    """β^t/β is 0/0 at β = 0."""
    assert derivative(beta_1**t, beta_1) == t * beta_1 ** (t - 1)


def test_a_sum_over_examples_is_differentiated_term_by_term():
    w = sequence("w")
    assert derivative(Sigma(w[t] ** 2 * g[t, i], i), w[t]) == 2 * w[t] * Sigma(g[t, i], i)


def test_sums_are_shown_as_their_author_wrote_them():
    stated = 1 - beta_1
    assert unicode(readable(2 * v[t] / stated, sums_in([stated]))) == "2·vₜ/(1 − β₁)"
    assert unicode(readable(canonical(-v[t] + g[t]), {})) == "gₜ − vₜ"


# refusals


def test_only_update_rules_take_steps(library):
    with pytest.raises(UsageError) as error:
        step_gradients(library["l2"])
    assert str(error.value) == ("l2 is a regularizer, which takes no steps; give an update rule")
    with pytest.raises(UsageError) as error:
        step_gradients("adam")
    assert str(error.value) == "step_gradients was given 'adam'; give it a declaration"
