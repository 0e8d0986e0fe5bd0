"""Each mistake that an author of a monitor can make, with the whole sentence it is answered by."""

import pytest
from sympy import Eq, KroneckerDelta, Piecewise, S, besselj, oo

from symopt import (
    Norm,
    Sigma,
    d,
    debias,
    derivations,
    given,
    hat,
    hyperparameter,
    initially,
    label,
    monitor,
    parameter,
    sequence,
    statistic,
)
from symopt.derivation.api import step_gradients
from symopt.errors import SymoptError
from symopt.runtime.compiling import compile
from symopt.symbols import L, alpha, beta, example, g, i, m, t, theta, x

ell = given("ell", latex=r"\ell", unicode="ℓ")
b, s, w = sequence("b"), sequence("s"), sequence("w")


def least(right, **others):
    return {"best": Eq(b[t], right), "start": initially(oo, b), **others}


def whole(node):
    return (
        f"watch.best holds {node}, which is no plain number; let the monitor observe it, as a "
        "letter of its own such as given('ell')"
    )


MISTAKES = {
    "nothing observed": (
        lambda: least(b[t - 1] + alpha),
        "watch observes nothing: none of its equations reads a letter from outside; "
        "declare what it observes with given('ell')",
    ),
    "no equation": (
        lambda: {"start": initially(0, b)},
        "watch has no equation; write some, of which the last says what comes out",
    ),
    "a state without an initial value": (
        lambda: Eq(b[t], b[t - 1] + ell[t]),
        "watch reads the past of the state b, which has no initial value; "
        "add initially(0, b), or what else it starts from",
    ),
    "an initial value of what is no state": (
        lambda: {"best": Eq(b[t], ell[t]), "start": initially(0, b)},
        "watch gives an initial value to b, which is no state: no equation reads its past; "
        "leave the initial value out",
    ),
    "an initial value of what is observed": (
        lambda: {"best": Eq(b[t], ell[t]), "start": initially(0, ell)},
        "watch gives an initial value to ℓ, which is no state: no equation reads its past; "
        "leave the initial value out",
    ),
    "a start from parameters": (
        lambda: {"best": Eq(b[t], b[t - 1] + ell[t]), "start": initially(theta[1], b)},
        "watch starts b from θ₁; a state starts from a number",
    ),
    "a start from another letter": (
        lambda: {"best": Eq(b[t], b[t - 1] + ell[t]), "start": initially(t, b)},
        "watch.start gives b an initial value that depends on t; let it depend on hyperparameters "
        "alone, or be the first value of the parameters, theta[1]",
    ),
    "two observations back": (
        lambda: least(b[t - 2] + ell[t]),
        "watch.best reads bₜ₋₂, two or more steps back; keep it in a state of its own, such as "
        "p[t] = b[t - 1] with initially(…, p)",
    ),
    "the future": (
        lambda: least(b[t - 1] + ell[t], stop=Eq(s[t], b[t + 1])),
        "watch.stop reads bₜ₊₁, which is not yet known at step t; write b[t] or b[t - 1]",
    ),
    "an earlier observation": (
        lambda: least(b[t - 1] + ell[t - 1]),
        "watch.best reads ℓₜ₋₁, but only ℓ[t] is given at step t; "
        "keep an earlier value in a state of its own",
    ),
    "a circle": (
        lambda: {"best": Eq(b[t], w[t] + ell[t]), "wait": Eq(w[t], b[t] + 1)},
        "watch goes in a circle: watch.best (bₜ) and watch.wait (wₜ) each wait for another at the "
        "same step; let one of them read the value of the step before",
    ),
    "an undefined letter": (
        lambda: least(b[t - 1] + w[t] * ell[t]),
        "watch.best reads wₜ, which no equation of watch defines; "
        "add an equation for w, or declare it with given('w') if it comes from outside",
    ),
    "a component of an array": (
        lambda: least(b[t - 1] + ell[t, i]),
        "watch.best reads ℓ[t,i], a number of an array; a monitor knows plain numbers alone, one "
        "at each step, so write ℓ[t]",
    ),
    "a component on both sides": (
        lambda: Eq(b[t, i], ell[t, i]),
        "watch reads b[t,i], a number of an array; a monitor knows plain numbers alone, one "
        "at each step, so write b[t]",
    ),
    "an element": (
        lambda: least(b[t - 1] + x[example]),
        "watch.best reads xᵢ, a number of an array; a monitor knows plain numbers alone, one "
        "at each step, so write x[t]",
    ),
    "a sum over examples": (
        lambda: least(b[t - 1] + Sigma(x[example], (example, 1, m))),
        "watch.best reads xᵢ, a number of an array; a monitor knows plain numbers alone, one "
        "at each step, so write x[t]",
    ),
    "a sum of one number over examples": (
        lambda: least(b[t - 1] + Sigma(ell[t], example)),
        "watch.best sums over i; a monitor knows plain numbers alone, so let it observe the sum",
    ),
    "a gradient": (lambda: least(b[t - 1] + d(L(theta), theta)), whole("dL(θ)/dθ")),
    "a norm": (lambda: least(b[t - 1] + Norm(g[t])), whole("‖gₜ‖")),
    "a loss": (lambda: least(b[t - 1] + L(theta)), whole("L(θ)")),
    "a count": (lambda: least(b[t - 1] + ell[t] / m), whole("m")),
    "a statistic": (lambda: least(b[t - 1] + statistic("mu") * ell[t]), whole("μ")),
    "a learned number": (lambda: least(b[t - 1] + parameter("kappa") * ell[t]), whole("κ")),
    "a label": (
        lambda: least(b[t - 1] + ell[t] * KroneckerDelta(label("l"), 1)),
        whole("δ[l, 1]"),
    ),
    "an index as a number": (
        lambda: least(b[t - 1] + i * ell[t]),
        "watch.best uses the index i as a number, which only the step t may be; "
        "make it a hyperparameter",
    ),
    "a correction of what is no average": (
        lambda: least(
            Piecewise((ell[t], ell[t] < b[t - 1]), (b[t - 1], True)),
            start=initially(0, b),
            corrected=debias(b),
            out=Eq(s[t], hat(b)[t]),
        ),
        "debias(b) does not apply: watch.best makes bₜ no linear function of bₜ₋₁ with a "
        "coefficient free of the data; leave bₜ uncorrected",
    ),
    "a correction of what starts from infinity": (
        lambda: least(
            beta * b[t - 1] + (1 - beta) * ell[t], corrected=debias(b), out=Eq(s[t], hat(b)[t])
        ),
        "debias(b) does not apply: b starts from ∞, which no average forgets; start from a number",
    ),
    "a case distinction without an end": (
        lambda: least(Piecewise((ell[t], ell[t] < b[t - 1]))),
        "a case distinction has no last case for everything else: Piecewise((ell, ell < b)); "
        "end it with (value, True)",
    ),
    "a function that is not written": (
        lambda: least(besselj(0, b[t - 1] + ell[t])),
        "watch.best holds besselj(0, bₜ₋₁ + ℓₜ), for which no kernel is written; use sums, "
        "products, powers, sqrt, Abs, sign, Max, Min, Piecewise, exp, log, sin, cos, tanh, erf, "
        "floor and ceiling",
    ),
    "a name that the step needs for a new value": (
        lambda: least(b[t - 1] + hyperparameter("b_now") * ell[t]),
        "watch has symbols with the Python names b and b_now, which its kernel would mix up; "
        "rename one with python='…'",
    ),
    "a letter that is a number too": (
        lambda: least(b[t - 1] + b * ell[t]),
        "watch.best uses b both as a sequence and as a number; write b with an index, or make a "
        "hyperparameter of another name",
    ),
    "a number that is none": (
        lambda: least(b[t - 1] + S.NaN * ell[t]),
        "watch.best holds nan, which is no real number; leave it out",
    ),
    "two equations for one letter": (
        lambda: least(b[t - 1] + ell[t], again=Eq(b[t], ell[t])),
        "watch defines b 2 times; keep one equation for it and show the others with aside(…)",
    ),
    "something else on the left": (
        lambda: {"odd": Eq(b[t] + 1, ell[t])},
        "watch.odd has 1 + bₜ on its left side; write one indexed letter there, such as v[t]",
    ),
}


def declared(body, **options):
    def watch():
        return body()

    return monitor(**options)(watch)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_answered_by_one_sentence(mistake):
    body, message = MISTAKES[mistake]
    with pytest.raises(SymoptError) as error:
        compile(declared(body))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"initial": {b: S.NaN}},
            "watch holds nan, which is no real number; leave it out",
        ),
        (
            {"initial": {b: oo}, "defaults": {beta: 1.5}},
            "watch has the default β = 1.5, outside its range Interval.Ropen(0, 1); "
            "choose a value inside",
        ),
        (
            {"initial": {b: oo}, "over": "N"},
            "a monitor has no over; leave it out",
        ),
    ],
)
def test_what_stands_beside_the_equations_is_checked(options, message):
    with pytest.raises(SymoptError) as error:
        declared(lambda: Eq(b[t], beta * b[t - 1] + ell[t]), **options)
    assert str(error.value) == message


def test_a_monitor_takes_no_steps_of_which_there_is_a_gradient(library):
    with pytest.raises(SymoptError) as error:
        step_gradients(library["early_stopping"])
    assert str(error.value) == (
        "early_stopping is a monitor, which takes no steps; give an update rule"
    )


def test_a_monitor_has_no_penalty(library):
    with pytest.raises(SymoptError, match="early_stopping is a monitor, which has no penalty"):
        derivations(library["early_stopping"], library["l2"])


def test_a_name_that_would_hide_a_module_or_a_class_is_refused():
    for name in ("math", "any"):

        def body():
            return Eq(b[t], ell[t])

        body.__name__ = name
        with pytest.raises(SymoptError, match=f"{name} cannot be generated, for its (file|class)"):
            compile(monitor(body))
