"""Lines of chains about gradients and means: right ones are proved, wrong ones never."""

from dataclasses import replace

import pytest
from sampling import every
from sympy import Eq, Function, Symbol, symbols
from wrong_chains import RIGHT, WRONG, written

from symopt import Expectation, chain, check_chain
from symopt.symbols import alpha, beta_1, g, gamma, t, v


@pytest.mark.parametrize("name", RIGHT)
def test_a_line_about_gradients_and_means_is_proved(name):
    before, last = RIGHT[name]
    verdict = check_chain(written(name, (*before, last)))
    assert verdict.status == "proved", verdict


@pytest.mark.parametrize("name", every(3, WRONG))
def test_a_wrong_line_about_gradients_and_means_is_refuted(name):
    before, last = WRONG[name]
    verdict = check_chain(written(name, (*before, last)))
    assert (verdict.status, verdict.number) == ("refuted", len(before) + 1), verdict


def test_what_is_assumed_of_given_letters_stands_beside_the_line():
    before, last = RIGHT["squares"]
    step = check_chain(written("squares", (*before, last))).steps[-1]
    assert step.where == (
        "E[gₖ²] is the same for every k",
        "E[gₖ] is the same for every k",
    )
    assert str(step).endswith(f"proved, where {step.where[0]} and {step.where[1]}")


def test_what_needs_independence_is_not_proved():
    @chain()
    def independent():
        return [Eq(Expectation(g[t] * g[t - 1]), Expectation(g[t - 1] * g[t - 2]))]

    # it holds of what is alike at every step, but nothing of it is said
    verdict = check_chain(independent)
    assert (verdict.status, verdict.steps[0].status) == ("undecided", "agrees")


def test_a_recurrence_has_one_start_and_what_follows_from_it_is_no_definition():
    @chain()
    def average():
        return [
            Eq(v[t], gamma * v[t - 1] + alpha * g[t]),
            Eq(v[0], 0),
            Eq(v[1], alpha * g[1]),
            Eq(v[3], gamma**2 * alpha * g[1] + gamma * alpha * g[2] + alpha * g[3]),
        ]

    assert [one.status for one in check_chain(average).steps] == [*2 * ["defines"], *2 * ["proved"]]
    swapped = replace(average, lines=(average.lines[1], average.lines[2], average.lines[0]))
    assert check_chain(swapped).status == "proved"


def test_two_starts_that_a_recurrence_contradicts_are_noticed():
    @chain()
    def average():
        return [
            Eq(v[0], 0),
            Eq(v[1], 2 * alpha * g[1]),
            Eq(v[t], beta_1 * v[t - 1] + alpha * g[t]),
        ]

    verdict = check_chain(average)
    assert (verdict.status, verdict.number) == ("refuted", 3)


def test_a_line_that_leads_back_to_a_letter_defines_nothing():
    a, b = symbols("a b", real=True)

    @chain()
    def round_about():
        return [Eq(a, 2 * b), Eq(b, a + 1)]

    verdict = check_chain(round_about)
    assert (verdict.status, verdict.number) == ("refuted", 2)


def test_a_function_that_a_line_defines_is_put_in():
    a, x, f = Symbol("a", real=True), Symbol("x", real=True), Function("f")

    @chain()
    def squares():
        return [Eq(f(x), x**2), Eq(f(f(a)), a**4), Eq(f(a + 1), a**2 + 2 * a)]

    verdict = check_chain(squares)
    assert (verdict.status, verdict.number) == ("refuted", 3)
    assert [one.status for one in verdict.steps] == ["defines", "proved"]


def test_what_nothing_is_compared_of_does_not_agree():
    @chain()
    def unknown():
        return [
            Eq(v[t], gamma * v[t - 1] + alpha * g[t]),
            Eq(v[1], gamma * v[0] + alpha * g[1]),
            Eq(v[0], 3),
        ]

    verdict = check_chain(unknown)
    assert (verdict.status, verdict.steps[-1].status) == ("undecided", "unknown")
