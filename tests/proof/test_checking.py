"""Derivations of the catalogue held against numbers, and one-edit mutations of their lines."""

from dataclasses import replace

import pytest
from sampling import every
from sympy import Add

from symopt.cli.library import catalogue
from symopt.derivation.api import derivations
from symopt.proof.checking import check_all, checked

# the equations of layers over several arrays, and of networks, are not run here
WITHOUT_NUMBERS = {"perceptron": 15, "affine": 3, "convolution": 4}
# limits, bounds over all gradients, a hundred steps, what is said in words alone; an infinite start
IN_WORDS = {
    **{"learning_rate": 8, "friction": 8, "nesterov_friction": 8, "velocity": 1, "bias": 2},
    **{"fading": 12, "largest_step": 16, "weight_decay": 6},
    **{"smoothed_logits": 7, "normalized_weights": 4},
    **{"early_stopping": 1, "reduce_on_plateau": 1},
}


@pytest.mark.parametrize("name", every(3, [one.name for one in catalogue()]))
def test_no_line_of_the_catalogues_derivations_is_wrong(library, name):
    several = checked(library[name])
    unknown = sum(len(one.unknown) for one in several)
    assert unknown == {**WITHOUT_NUMBERS, **IN_WORDS}.get(name, 0)
    for one in several:
        assert one.holds, one.wrong
        without = {line for line, _ in one.unknown}
        assert all(line.check for line in one.derivation.lines if line not in without)


# lines that say what a letter is, or is taken to be, cannot be wrong
DEFINING = {
    "batch_gradient": 0,
    "dropout_penalty": 0,
    "velocity": 0,
    "bias": 2,
    "learning_rate": 3,
    "l2": 1,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DEFINING)
def test_a_term_more_in_an_answer_is_noticed(library, name):
    declared = library[name]
    missed = 0
    for number, found in enumerate(checked(declared)):
        derivation = derivations(declared)[number]
        without = {(line.left, line.right) for line, _ in found.unknown}
        for k, line in enumerate(derivation.lines):
            if (line.left, line.right) in without:
                continue
            wrong = replace(line, right=Add(line.right, 1, evaluate=False))
            lines = (*derivation.lines[:k], wrong, *derivation.lines[k + 1 :])
            (again,) = check_all(declared, [replace(derivation, lines=lines)])
            missed += again.holds
    assert missed == DEFINING[name]


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
