"""Exponentials in the two cases of a sign: one is left, and the values are what they were."""

import mpmath
import pytest
from sympy import Piecewise, exp, lambdify, log, sin

from symopt.calculus.adjoints import Definition
from symopt.notation import given, sequence
from symopt.program.decays import with_shared_decays
from symopt.symbols import example as i

x, y = given("x"), sequence("y")
here = x[i]
POINTS = (-700, -20, -1, -0.25, 0, 1e-8, 0.5, 3, 40, 800)


def shared(expr):
    (one,), (same,) = with_shared_decays([Definition("it", y[i], expr, i, written=expr)], [expr])
    assert one.written == same
    return same


def value(expr, at):
    with mpmath.workdps(40):
        return lambdify([here], expr, "mpmath")(mpmath.mpf(at))


logistic = Piecewise((1 / (1 + exp(-here)), here > 0), (exp(here) / (1 + exp(here)), True))
CASES = {
    "a function": (logistic, 1),
    "its derivative": (logistic.diff(here), 0),
    "other comparisons": (Piecewise((exp(2 * here), here <= 0), (1 + exp(-3 * here), True)), 1),
    "one case alone": (Piecewise((here, here >= 0), (exp(here) - 1, True)), 1),
    "more than a quotient": (Piecewise((log(1 + exp(-here)), here > 0), (exp(here), True)), 1),
}


@pytest.mark.parametrize("name", CASES)
def test_one_exponential_is_left_and_no_value_is_another(name):
    expr, distinctions = CASES[name]
    found = shared(expr)
    assert len(found.atoms(exp)) == 1
    assert len(found.atoms(Piecewise)) == distinctions
    for at in POINTS:
        assert value(found, at) == pytest.approx(value(expr, at), rel=1e-30, abs=0)


@pytest.mark.parametrize(
    "expr",
    [
        Piecewise((exp(here), here > 0), (exp(-here), True)),  # both grow
        Piecewise((exp(-here), here > 1), (exp(here), True)),  # 1 is no sign
        Piecewise((exp(-(here**2)), here > 0), (exp(here), True)),  # no multiple of x
        Piecewise((exp(-here), here > 0), (exp(here), here < 0), (2, True)),  # three cases
        Piecewise((here, here > 0), (sin(here), True)),  # nothing to share
    ],
)
def test_what_is_no_decay_in_both_cases_is_left_alone(expr):
    assert shared(expr) == expr


def test_a_difference_is_not_brought_over_one_divisor():
    """1 − e^(−2x) would become a product of two factors, of which one cancels no less."""
    expr = Piecewise((1 - exp(-2 * here), here > 0), (exp(2 * here) - 1, True))
    found = shared(expr)
    assert [one.expr.is_Add for one in found.args] == [True, True]
