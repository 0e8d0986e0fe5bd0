"""What a line takes for granted, read from the formulas in its reason."""

from sympy import Indexed, Rational, Symbol, sqrt
from sympy.abc import a, u

from symopt.derivation.steps import Line
from symopt.proof.premises import premises
from symopt.symbols import alpha, epsilon, kappa, t, theta

FAR = 10**90


def test_relations_behind_an_if_are_conditions_and_others_are_not():
    reason = ("0 = ", u, " where ", u > 3, ", so if ", u < 1, " and ", a > 0, ", which is ", a < 9)
    assert premises(Line(u, a, reason)).conditions == (u < 1, a > 0)


def test_values_stand_behind_their_letters_as_formulas_or_as_numbers_in_words():
    entry = theta[1]
    assert isinstance(entry, Indexed)
    reason = (alpha, " = ", 0.21, ", ", epsilon, " = 1: large", entry, " = 2 where it starts")
    found = premises(Line(u, a, reason)).values
    assert found == {alpha: Rational(21, 100), epsilon: 1, entry: 2}
    assert premises(Line(u, a, (kappa, " = ", sqrt(a)))).values == {kappa: sqrt(a)}
    assert premises(Line(u, a, (kappa, " = large"))).values == {}


def test_what_goes_to_a_limit_is_very_small_or_large_but_no_step_is():
    title = ("steps where ", epsilon, " → 0, or ", a, " → ∞: all of it")
    found = premises(Line(u, a, "rounded"), title)
    assert found.values == {epsilon: Rational(1, FAR), a: FAR}
    late = premises(Line(u, a, (t, " → ∞")))
    assert (late.values, late.limits) == ({}, (t,))


def test_words_alone_say_nothing():
    assert premises(Line(Symbol("x"), a, "if a < 3")).conditions == ()
