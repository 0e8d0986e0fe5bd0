"""Each mistake that an author can make, with the whole sentence that it is answered by."""

import math

import pytest
from sympy import Abs, Eq, FiniteSet, Interval, S, Symbol, besselj, sqrt

from symopt import (
    Norm,
    Sigma,
    aside,
    d,
    debias,
    default,
    hat,
    hyperparameter,
    index,
    initially,
    regularizer,
    schedule,
    sequence,
    slip,
)
from symopt.derivation.api import derivations
from symopt.derivation.rule import derive_rule
from symopt.errors import SymoptError
from symopt.runtime.compiling import compile
from symopt.symbols import (
    G,
    L,
    R,
    alpha,
    beta,
    c,
    example,
    f,
    g,
    gamma,
    i,
    lambda_,
    layer,
    m,
    t,
    tau,
    theta,
    u,
    v,
    x,
    y,
)

STEP = Eq(theta[t + 1], theta[t] - alpha * g[t])


def step(right):
    return {"step": Eq(theta[t + 1], right)}


# what an author writes ⇒ what is said; declared, then derived, then compiled
MISTAKES = {
    "an undefined symbol": (
        lambda: step(theta[t] - Symbol("zeta") * g[t]),
        {},
        "rule.step uses the bare SymPy symbol zeta, of which nothing is known; "
        "declare it with hyperparameter('zeta') or sequence('zeta')",
    ),
    "an undefined sequence": (
        lambda: step(theta[t] - alpha * u[t]),
        {},
        "rule.step reads uₜ, which no equation of rule defines; "
        "add an equation for u, or declare it with given('u') if it comes from outside",
    ),
    "a state without an initial value": (
        lambda: {"average": Eq(v[t], beta * v[t - 1] + g[t]), **step(theta[t] - alpha * v[t])},
        {},
        "rule.average reads the past of the state v, which has no initial value; "
        "add initially(0, v), or what else it starts from",
    ),
    "a correction of a state without an initial value": (
        lambda: {
            "average": Eq(v[t], beta * v[t - 1] + (1 - beta) * g[t]),
            "correction": debias(v),
            **step(theta[t] - alpha * hat(v)[t]),
        },
        {},
        "rule.average reads the past of the state v, which has no initial value; "
        "add initially(0, v), or what else it starts from",
    ),
    "a correction of nothing": (
        lambda: {"correction": debias(v), **step(theta[t] - alpha * hat(v)[t])},
        {},
        "rule.correction corrects v, which no equation defines; add the recurrence of v",
    ),
    "an initial value of what is no state": (
        lambda: {"start": initially(0, G), "step": STEP},
        {},
        "rule gives an initial value to G, which is no state: no equation reads its past; "
        "leave the initial value out",
    ),
    "an initial value of the parameters": (
        lambda: {"start": initially(0, theta), **step(theta[t] - alpha * d(L, theta))},
        {},
        "rule gives an initial value to its parameters θ; "
        "their first value is their user's to choose, so leave it out",
    ),
    "a cycle": (
        lambda: {
            "one": Eq(u[t], c[t] + g[t]),
            "other": Eq(c[t], u[t]),
            **step(theta[t] - alpha * u[t]),
        },
        {},
        "rule goes in a circle: rule.one (uₜ) and rule.other (cₜ) and rule.step (θₜ₊₁) each wait "
        "for another at the same step; let one of them read the value of the step before",
    ),
    "an equation that reads the future": (
        lambda: {"average": Eq(u[t], g[t]), **step(theta[t] - alpha * u[t + 1])},
        {},
        "rule.step reads uₜ₊₁, which is not yet known at step t; write u[t] or u[t - 1]",
    ),
    "an equation that reads too far back": (
        lambda: step(theta[t] - alpha * g[t] + gamma * (theta[t] - theta[t - 1])),
        {},
        "rule.step reads θₜ₋₁, two or more steps back; "
        "keep it in a state of its own, such as p[t] = θ[t] with initially(…, p)",
    ),
    "a gradient of an earlier step": (
        lambda: step(theta[t] - alpha * g[t - 1]),
        {},
        "rule.step reads gₜ₋₁, but only g[t] is given at step t; "
        "keep an earlier value in a state of its own",
    ),
    "a step that is no whole shift": (
        lambda: {"a": Eq(u[t], g[2 * t]), **step(theta[t] - alpha * u[t])},
        {},
        "rule.a reads g[2·t], whose step is not t shifted by a whole number; "
        "write g[t] or g[t - 1]",
    ),
    "a sequence used as a number": (
        lambda: step(theta[t] - v * g[t]),
        {},
        "rule.step uses v both as a sequence and as a number; "
        "write v with an index, or make a hyperparameter of another name",
    ),
    "a state and a hyperparameter of one name": (
        lambda: {
            "average": Eq(v[t], hyperparameter("v") * v[t - 1] + g[t]),
            **step(theta[t] - v[t]),
        },
        {"initial": {v: 0}},
        "rule.average uses two symbols with the Python name 'v' (a hyperparameter and a sequence, "
        "or two of unlike range); rename one with python='…'",
    ),
    "a name that shadows Python's": (
        lambda: step(theta[t] - hyperparameter("max") * g[t]),
        {},
        "rule.step has a symbol with the Python name 'max', which shadows Python's or the "
        "generated file's own; give the symbol another name with python='…'",
    ),
    "a symbol called like the rule": (
        lambda: step(theta[t] - hyperparameter("rule") * g[t]),
        {},
        "rule.step has a symbol with the name of the rule, 'rule'; rename one of the two",
    ),
    "β = 1": (
        lambda: step(theta[t] - beta * g[t]),
        {"defaults": {beta: 1}},
        "rule has the default β = 1, outside its range Interval.Ropen(0, 1); choose a value inside",
    ),
    "α < 0": (
        lambda: {"rate": default(alpha, -0.1), "step": STEP},
        {},
        "rule has the default α = -0.1, outside its range Interval.open(0, oo); "
        "choose a value inside",
    ),
    "NaN as a default": (
        lambda: {"step": STEP},
        {"defaults": {alpha: math.nan}},
        "rule has the default α = nan; write a finite number",
    ),
    "a default for what is not there": (
        lambda: {"step": STEP},
        {"defaults": {beta: 0.9}},
        "rule gives a default to β, which none of its equations uses; known are α",
    ),
    "two equations for one letter": (
        lambda: {"step": STEP, "again": STEP},
        {},
        "rule defines θ 2 times; keep one equation for it and show the others with aside(…)",
    ),
    "something else on the left": (
        lambda: {"odd": Eq(alpha * g[t], theta[t]), "step": STEP},
        {},
        "rule.odd has α·gₜ on its left side; write one indexed letter there, such as v[t]",
    ),
    "no statement": (
        lambda: {"step": theta[t] - alpha},
        {},
        "rule.step is -alpha + theta[t], which states nothing; write an equation, Eq(left, right)",
    ),
    "no statements at all": (
        dict,
        {},
        "rule states nothing; return its equations, by key, in a dict",
    ),
    "a key that is no identifier": (
        lambda: {"first step": STEP},
        {},
        "rule has the key 'first step', which is no Python identifier; "
        "write one such as first_moment",
    ),
    "an initial value of a number": (
        lambda: {"start": initially(0, alpha), "step": STEP},
        {},
        "initially was given alpha, which is no sequence; "
        "write the bare letter of a state, such as v",
    ),
    "no parameters": (
        lambda: {"only": Eq(u[t], g[t])},
        {},
        "rule moves no parameters: no sequence without an initial value refers to its own past; "
        "add a step such as Eq(theta[t + 1], theta[t] - alpha*g[t])",
    ),
    "gradients at two points": (
        lambda: step(theta[t] - alpha * d(L(theta), theta) - d(L(theta - v[t - 1]), theta)),
        {},
        "rule.step takes the gradient at a second point (θₜ and θₜ − vₜ₋₁); a step is handed one "
        "gradient, so take it at one point or split the rule in two",
    ),
    "a sum over layers in a step": (
        lambda: step(theta[t] - Sigma(g[t], layer)),
        {},
        "rule.step sums over l, which counts neither past steps nor examples; "
        "sum to the step t, or over symopt.symbols.example to a count",
    ),
    "a batch of no known size": (
        lambda: step(theta[t] - Sigma(d(L(y[example], f(x[example], theta)), theta), example)),
        {},
        "rule.step sums gradients over i without saying how many; "
        "write Sigma(body, (example, 1, m)) with a count m",
    ),
    "a count that counts nothing": (
        lambda: step(theta[t] - alpha / m * g[t]),
        {},
        "rule.step uses the count m, over which nothing is summed; "
        "sum the gradients of m examples, or make it a hyperparameter",
    ),
    "a loss without the parameters": (
        lambda: step(theta[t] - alpha * d(L(x[example]), theta)),
        {},
        "rule.step takes dL(xᵢ)/dθ, in which θ stands nowhere; write a loss of it, L(theta)",
    ),
    "an aside that is no equation": (
        lambda: {"shown": aside(initially(0, v)), "step": STEP},
        {},
        "an aside holds no equation; write Eq(left, right) in it",
    ),
    "a case distinction without an end": (
        lambda: step(theta[t] - alpha * _open_cases()),
        {},
        "a case distinction has no last case for everything else: "
        "Piecewise((one, g[i] > zero)); end it with (value, True)",
    ),
    "a shifted component": (
        lambda: {"step": Eq(theta[t + 1, i], theta[t, i] - alpha * g[t, i + 1])},
        {},
        "rule.step reads g[t,i+1], but holds for each component by itself; write g[t, i]",
    ),
    "another component": (
        lambda: {"step": Eq(theta[t + 1, i], theta[t, i] - alpha * g[t, layer])},
        {},
        "rule.step reads g[t,l], but holds for each component by itself; write g[t, i]",
    ),
    "an index as a number": (
        lambda: step(theta[t] - i * g[t]),
        {},
        "rule.step uses the index i as a number, which only the step t may be; "
        "make it a hyperparameter",
    ),
    "a number that is none": (
        lambda: step(theta[t] - alpha * g[t] * S.NaN),
        {},
        "rule.step holds nan, which is no real number; leave it out",
    ),
    "an imaginary number": (
        lambda: step(theta[t] - S.ImaginaryUnit * g[t]),
        {},
        "rule.step holds I, which is no real number; leave it out",
    ),
    "a name of the generated file's own": (
        lambda: step(theta[t] - hyperparameter("size") * g[t]),
        {},
        "rule.step has a symbol with the Python name 'size', which shadows Python's or the "
        "generated file's own; give the symbol another name with python='…'",
    ),
    "a name that the kernel needs for an old value": (
        lambda: {
            "a": Eq(v[t], hyperparameter("v_before") * v[t - 1] + g[t]),
            **step(theta[t] - v[t]),
        },
        {"initial": {v: 0}},
        "rule has symbols with the Python names v and v_before, which its kernel would mix up; "
        "rename one with python='…'",
    ),
    "a point that reads what is not known yet": (
        lambda: {
            "a": Eq(v[t], gamma * v[t - 1] + theta[t]),
            **step(theta[t] - alpha * d(L(theta - v[t]), theta)),
        },
        {"initial": {v: 0}},
        "rule.step takes the gradient at θₜ − vₜ, which reads vₜ; before the step only the "
        "parameters and the states of the step before are known",
    ),
    "a point that depends on the step's number": (
        lambda: step(theta[t] - alpha * d(L(theta * gamma / t), theta)),
        {},
        "rule.step takes the gradient at θₜ·γ/t, which depends on the number of the step; "
        "let a hyperparameter follow a schedule instead",
    ),
    "a gradient by what no step moves": (
        lambda: step(theta[t] - alpha * d(L(g), g)),
        {},
        "rule takes the gradient with respect to g, which no step moves; "
        "add a step for it, such as g[t + 1] = g[t] − …",
    ),
    "a batch that starts at its second example": (
        lambda: step(
            theta[t] - Sigma(d(L(y[example], f(x[example], theta)), theta), (example, 2, m))
        ),
        {},
        "rule.step sums gradients from 2; let the sum run over all examples, from 1",
    ),
    "a function of no kernel": (
        lambda: step(theta[t] - besselj(0, g[t])),
        {},
        "rule.step holds besselj(0, gₜ), for which no kernel is written; use sums, products, "
        "powers, sqrt, Abs, sign, Max, Min, Piecewise, exp, log, sin, cos, tanh, erf, floor and "
        "ceiling",
    ),
    "a loss as a number": (
        lambda: step(theta[t] - alpha * L(theta) * g[t]),
        {},
        "rule.step holds L(θ), for which no kernel is written; use sums, products, powers, sqrt, "
        "Abs, sign, Max, Min, Piecewise, exp, log, sin, cos, tanh, erf, floor and ceiling",
    ),
    "weights that vanish": (
        lambda: {"a": Eq(v[t], Sigma(g[tau] * (t - 2), (tau, 1, t))), **step(theta[t] - v[t])},
        {},
        "rule.a weights the terms of Σ_{τ=1..t} g[τ]·(t − 2) by nothing at some step, after which "
        "no recurrence knows them; write the recurrence itself",
    ),
    "a penalty in a rule": (
        lambda: {"penalty": Eq(L(theta), theta[t]), "step": STEP},
        {},
        "rule.penalty has L(θ) on its left side; write one indexed letter there, such as v[t]",
    ),
    "a default for a number": (
        lambda: {"rate": default(3, 3), "step": STEP},
        {},
        "default was given 3, which is no hyperparameter; "
        "write default(beta, 0.9) with one that hyperparameter(…) made",
    ),
    "a correction of a word": (
        lambda: {"correction": debias("v"), "step": STEP},
        {},
        "debias was given v, which is no sequence; write the bare letter of a state, such as v",
    ),
    "defaults in a list": (
        lambda: {"step": STEP},
        {"defaults": [(alpha, 1)]},
        "rule has defaults=[(alpha, 1)]; write a dict, such as {alpha: 0.1}",
    ),
    "a default that is too large for a float": (
        lambda: {"step": STEP},
        {"defaults": {alpha: 10**400}},
        f"rule has the default α = {10**400!r}; write a finite number",
    ),
    "a decay of two numbers that may be one": (
        lambda: {
            "a": Eq(v[t], (1 - alpha * beta) * v[t - 1] + g[t]),
            "correction": debias(v),
            **step(theta[t] - hat(v)[t]),
        },
        {"initial": {v: 0}},
        "debias(v) does not apply: rule.a sums the powers of 1 − β·α, which may be 1, where the "
        "sum's closed form divides by zero; narrow the range of α and β",
    ),
    "a weight with a past of its own": (
        lambda: {
            "w": Eq(u[t], beta * u[t - 1]),
            "a": Eq(v[t], gamma * v[t - 1] + u[t] * g[t]),
            "correction": debias(v),
            **step(theta[t] - hat(v)[t]),
        },
        {"initial": {v: 0, u: 1}},
        "debias(v) does not apply: rule.a weights with uₜ, a state of its own; "
        "write its value at step t in its place",
    ),
    "a range that no check can be written for": (
        lambda: step(theta[t] - hyperparameter("rho", S.Rationals) * g[t]),
        {},
        "rho has the range Rationals, which no check can be written for; "
        "use an Interval, a set of numbers, Naturals or Integers",
    ),
}


def _open_cases():
    from sympy import Piecewise

    return Piecewise((1, g[t] > 0))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_answered_by_one_sentence(declare, mistake):
    body, options, message = MISTAKES[mistake]
    with pytest.raises(SymoptError) as error:
        compile(declare(body, **options))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: sequence("2v"),
            "'2v' is no name for a symbol; write a Python identifier such as beta_1",
        ),
        (
            lambda: hyperparameter("rho", FiniteSet()),
            "hyperparameter rho has the range EmptySet; write a set such as Interval.Ropen(0, 1)",
        ),
        (
            lambda: index("i", "stride"),
            "index i counts 'stride', which is unknown; "
            "write one of step, component, example, layer, bound",
        ),
        (
            lambda: d(theta[t] ** 2, theta),
            "d(theta[t]**2, theta) takes no derivative; write a loss such as L(theta)",
        ),
        (
            lambda: Sigma(g[t], alpha),
            "a sum over alpha has no index; write Sigma(body, (i, 1, n)) or Sigma(body, i)",
        ),
        (
            lambda: slip(STEP, v, "note"),
            "a slip is v, which states nothing; write an equation, Eq(left, right)",
        ),
    ],
)
def test_a_symbol_made_wrongly_is_refused(make, message):
    with pytest.raises(SymoptError) as error:
        make()
    assert str(error.value) == message


def test_a_python_name_given_to_a_symbol_gets_past_the_shadowing(declare):
    ceiling = hyperparameter("max", Interval(0, 10), python="ceiling")
    rule = declare(lambda: step(theta[t] - ceiling * g[t]))
    assert [one.spelling.python for one in derive_rule(rule).hyperparameters] == ["ceiling"]


def test_a_schedule_may_read_the_step_and_hyperparameters_only():
    @schedule
    def odd():
        return Eq(sequence("eta")[t], alpha * g[t])

    with pytest.raises(SymoptError) as error:
        compile(odd)
    assert str(error.value) == (
        "odd reads gₜ; a schedule is a function of the step t and of hyperparameters alone"
    )


def test_a_penalty_is_a_sum_over_layers():
    @regularizer
    def odd():
        return Eq(R(theta), theta[layer] ** 2)

    with pytest.raises(SymoptError) as error:
        derivations(odd)
    assert str(error.value) == "odd is θₗ², which is no sum over layers; write Sigma(body, layer)"


def test_a_penalty_whose_components_do_not_separate_has_no_kernel():
    @regularizer
    def group():
        return Eq(R(theta), Sigma(Norm(theta[layer]), layer))

    with pytest.raises(SymoptError, match="group holds a norm that is not squared, so that compon"):
        compile(group)


SQUARE = Norm(theta[layer]) ** 2
UNSUMMED = {
    "a root": (
        sqrt(SQUARE + 1),
        "own holds a norm in something else than a sum, so that components do not separate; a "
        "kernel is written for sums over components",
    ),
    "a product": (
        SQUARE * Abs(theta[layer]),
        "own holds a norm in something else than a sum, so that components do not separate; a "
        "kernel is written for sums over components",
    ),
    "a fourth power": (
        Norm(theta[layer]) ** 4,
        "own holds a norm that is not squared, so that components do not separate; a kernel is "
        "written for sums over components",
    ),
    "a number for each layer": (
        SQUARE + alpha,
        "own adds α to a norm, once a layer; it changes no gradient, so leave it out",
    ),
    "a name that the kernel needs": (
        hyperparameter("total") * SQUARE,
        "own has a symbol with the Python name total, which its kernel has another use for; rename "
        "it with python='…'",
    ),
    "the weight": (
        lambda_ * SQUARE,
        "own holds λ, by which the whole penalty is weighed beside a loss; leave it out, or call "
        "it by another letter",
    ),
}


@pytest.mark.parametrize("case", UNSUMMED)
def test_a_penalty_that_is_no_sum_over_components_has_no_kernel(case):
    body, sentence = UNSUMMED[case]

    @regularizer
    def own():
        return Eq(R(theta), Sigma(body, layer))

    with pytest.raises(SymoptError) as error:
        compile(own)
    assert str(error.value) == sentence


def test_an_objective_without_a_penalty_takes_none(library):
    with pytest.raises(SymoptError) as error:
        derivations(library["gd_objective"], library["l2"])
    assert str(error.value) == (
        "gd.objective has no penalty R(θ); choose an objective that has one"
    )


def test_only_an_objective_and_a_rule_take_a_penalty(library):
    with pytest.raises(SymoptError, match="cosine is a schedule, which has no penal"):
        derivations(library["cosine"], library["l2"])


def test_an_objective_has_no_kernel(library):
    with pytest.raises(SymoptError) as error:
        compile(library["gd_objective"])
    assert str(error.value) == "gd_objective is an objective, for which there is no kernel"
