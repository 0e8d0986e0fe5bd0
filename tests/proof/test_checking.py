"""Derivations of the catalogue held against numbers, and one-edit mutations of their lines."""

from dataclasses import replace

import pytest
from sympy import Add

from symopt.derivation.api import derivations
from symopt.proof.checking import check_all, checked

# lines of what is random or of several arrays hold letters without numbers
WITHOUT_NUMBERS = ("dropout",)


def test_no_line_of_the_catalogues_derivations_is_wrong(library):
    for name, declared in library.items():
        for one in checked(declared):
            assert one.holds, (name, one.wrong)
            if declared.kind in ("layer", "update rule") and name not in WITHOUT_NUMBERS:
                assert one.unknown == (), (name, one.unknown)
                assert all(line.check for line in one.derivation.lines), name


@pytest.mark.parametrize(
    ("name", "number"), [("adam", 0), ("batch_norm", 0), ("batch_norm", 1), ("softmax", 0)]
)
def test_a_term_more_in_any_line_is_noticed(library, name, number):
    declared = library[name]
    derivation = derivations(declared)[number]
    for k, line in enumerate(derivation.lines):
        if name == "adam" and k == len(derivation.lines) - 1:
            continue  # the last line of a bias correction defines the letter
        wrong = replace(line, right=Add(line.right, 1, evaluate=False))
        lines = (*derivation.lines[:k], wrong, *derivation.lines[k + 1 :])
        (found,) = check_all(declared, [replace(derivation, lines=lines)])
        assert not found.holds, line


def test_derivations_print_in_each_form(library):
    (one, _) = checked(library["adam"])
    shown = one.derivation
    formula = r"$v_t = \beta_1 v_{t-1} + (1 - \beta_1) g_t$"
    assert shown.markdown().splitlines()[2:5] == [
        "| line | reason | check |",
        "|---|---|---|",
        f"| {formula} | adam.first_moment | agrees at 12 points |",
    ]
    assert shown.latex().startswith(r"\noindent $\hat{v}_t$ from adam.first\_moment")
    first = shown.json()["lines"][0]
    assert (first["check"], first["where"], first["detail"]) == ("agrees at 12 points", [], False)
    assert shown.short() == shown
