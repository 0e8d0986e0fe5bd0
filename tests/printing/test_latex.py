"""The printed LaTeX against the slides, token for token, and the styles."""

import json
import re
from pathlib import Path

import pytest
from sympy import (
    Add,
    And,
    Mul,
    Ne,
    Not,
    Or,
    Piecewise,
    Pow,
    Product,
    Rational,
    Sum,
    evaluate,
    oo,
    sqrt,
)
from sympy.abc import a, b, c

from symopt import Sigma, d, hat
from symopt.derivation.api import derivations, formulas
from symopt.derivation.api import latex as latex_of
from symopt.errors import UsageError
from symopt.nodes import Largest
from symopt.notation import count, given, index
from symopt.printing.latex import SlidePrinter, latex
from symopt.printing.styles import BOOK, PAPER, Style
from symopt.symbols import G, L, beta_1, epsilon, g, i, layer, t, tau, theta, v

SLIDES = json.loads((Path(__file__).parent.parent / "data/lecture_formulas.json").read_text())
WANTED = {one["id"]: one["latex"] for one in SLIDES}


def tokens(text):
    return re.findall(r"\\[A-Za-z]+|\\.|[^\s\\]", text)


@pytest.fixture(scope="module")
def printed(library):
    return {one.id: one for declared in library.values() for one in formulas(declared)}


@pytest.mark.parametrize("id", WANTED)
def test_every_formula_of_the_lecture_is_printed_as_the_slide_has_it(printed, id):
    assert tokens(printed[id].text) == tokens(WANTED[id])


def test_the_ids_of_formulas_are_unique_across_the_catalogue(library):
    ids = [one.id for declared in library.values() for one in formulas(declared)]
    assert len(ids) == len(set(ids))


def test_both_slips_of_the_slides_carry_a_note(printed):
    noted = {id for id, one in printed.items() if one.note}
    assert noted == {"adam_naive.index_slip", "elastic_net"}


def test_terms_and_factors_keep_the_order_of_their_author():
    with evaluate(False):
        assert latex(c * b + a) == "c b + a"
        assert latex(a - b - c) == "a - b - c"
        assert latex(a - (b - c)) == "a - (b - c)"
        assert latex(a / b * c) == r"\frac{a}{b} c"
        assert latex(a * c / b) == r"\frac{a c}{b}"
        assert latex(a * (c / b)) == r"a \frac{c}{b}"
        assert latex(a / (b * c)) == r"\frac{a}{b c}"
        assert latex(-a * b) == "-a b"
        assert latex(-(a + b)) == "-(a + b)"
        assert latex(a * -b) == "a (-b)"


def test_a_sum_divided_differs_from_a_sum_times_a_fraction():
    with evaluate(False):
        total = Sigma(g[tau], (tau, 1, t))
        assert latex(total / a) == r"\frac{\sum_{\tau=1}^t g_\tau}{a}"
        assert latex(1 / a * total) == r"\frac{1}{a} \sum_{\tau=1}^t g_\tau"
        assert latex(total * a) == r"(\sum_{\tau=1}^t g_\tau) a"


def test_braces_stand_only_where_tex_needs_them():
    with evaluate(False):
        assert latex(beta_1**t) == r"\beta_1^t"
        assert latex(beta_1 ** (t - 1)) == r"\beta_1^{t - 1}"
        assert latex(v[t - 1]) == "v_{t-1}"
        assert latex(hat(G)[t]) == r"\hat{G}_t"
        assert latex(theta[t + 1, i]) == r"\theta_{t+1,i}"
        assert latex((a + b) ** 2) == "(a + b)^2"
        assert latex(sqrt(G[t] + epsilon)) == r"\sqrt{G_t + \epsilon}"
        assert latex(Pow(a, Rational(1, 3))) == r"a^{\frac{1}{3}}"
        assert latex(theta[layer]) == r"\theta_l"


def test_what_takes_in_all_to_its_right_has_brackets_under_a_power_and_before_a_factor():
    entry, k, many = given("x"), index("k"), count("m")
    for total in (Sum, Sigma, Product, Largest):
        inner = latex(total(entry[k], (k, 1, many)))
        assert latex(total(entry[k], (k, 1, many)) ** 2) == f"({inner})^2"
        product = Mul(total(entry[k], (k, 1, many)), entry[1], evaluate=False)
        assert latex(product) == f"({inner}) x_1"


def test_cases_and_conditions_are_written_out():
    with evaluate(False):
        both = And(v[t] >= a, Or(g[t] <= 2, Ne(g[t], v[t])))
        assert latex(Piecewise((1, both), (-oo, Not(g[t] < 1)), (oo, True))) == (
            r"\begin{cases} 1 & v_t \geq a \text{ and } (g_t \leq 2 \text{ or } g_t \neq v_t) \\ "
            r"-\infty & \neg (g_t < 1) \\ \infty & \text{otherwise} \end{cases}"
        )


def test_numbers_that_meet_are_kept_apart():
    assert latex(Mul(2, 3, evaluate=False)) == r"2 \cdot 3"
    assert latex(Add(2, Mul(-1, 3, evaluate=False), evaluate=False)) == "2 - 3"


def test_a_house_style_changes_definitions_derivatives_and_indices_and_nothing_else():
    node = d(L(theta), theta)
    assert SlidePrinter(PAPER).equation(g[t], node, definition=True) == (
        r"g_t = \nabla_{\theta} L(\theta)"
    )
    assert SlidePrinter(BOOK).equation(g[t], node, definition=True) == (
        r"g^{(t)} := \frac{\partial L(\theta)}{\partial \theta}"
    )
    assert SlidePrinter(BOOK).doprint(g[t] ** 2) == "(g^{(t)})^2"
    assert SlidePrinter(Style(relation=r"\equiv")).equation(a, b) == r"a \equiv b"


@pytest.mark.slow
def test_every_public_value_shows_itself_in_a_notebook(library):
    for declared in library.values():
        assert declared._repr_latex_().startswith("$")
        assert all(
            one._repr_latex_() == rf"$\displaystyle {one.text}$" for one in formulas(declared)
        )
        for derivation in derivations(declared):
            assert derivation._repr_latex_().startswith(r"\begin{align*}")


def test_a_notebook_shows_what_is_derived_in_place_of_the_request(library):
    assert r"\hat{v}_t = \frac{v_t}{1 - \beta_1^t}" in library["adam"]._repr_latex_()


def test_latex_takes_expressions_declarations_and_derivations(library):
    assert latex_of(g[tau, i] ** 2) == r"g_{\tau,i}^2"
    assert latex_of(library["momentum"]).splitlines()[-1] == r"\theta_{t+1} = \theta_t - v_t"
    assert latex_of(derivations(library["adam"])[0], BOOK).startswith(r"\noindent $\hat{v}^{(t)}$")


@pytest.mark.parametrize("function", [latex_of, derivations])
def test_a_module_given_for_a_declaration_is_pointed_out(function):
    from symopt.catalog.lecture import adam

    with pytest.raises(UsageError) as error:
        function(adam)
    assert str(error.value) == (
        f"{'latex' if function is latex_of else 'derivations'} was given the module "
        "symopt.catalog.lecture.adam; give it a declaration, such as adam from that module"
    )


def test_no_declaration_of_the_catalogue_holds_a_backslash_outside_a_symbols_name():
    folder = Path(__file__).parent.parent.parent / "symopt" / "catalog"
    for path in folder.rglob("*.py"):
        text = re.sub(r'latex=r"[^"]*"', "", path.read_text())
        assert "\\" not in text, path
