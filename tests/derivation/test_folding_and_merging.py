"""Inference folded into a linear map, and statistics of two parts put together."""

from fractions import Fraction

import mpmath
import pytest
from own_layers import (
    MEAN,
    NORMALIZE,
    VARIANCE,
    beta,
    close,
    data,
    gamma,
    made,
    mu,
    numeric,
    plain_mean,
    plain_variance,
    q,
    real,
    x,
    y,
    z,
)
from sympy import Eq, sqrt

from symopt import Sigma, hat, inference, parameter
from symopt.derivation.folding import folding
from symopt.derivation.layer import derive_layer
from symopt.derivation.merging import mergings
from symopt.derivation.opinions import second_opinion
from symopt.printing.unicode import unicode
from symopt.symbols import epsilon, m
from symopt.symbols import example as i
from symopt.views import canonical

# folding


@pytest.mark.parametrize("size", range(1, 7))
def test_inference_folds_into_a_linear_map_in_plain_numbers(library, size):
    found = folding(library["batch_norm"])
    with mpmath.workdps(50):
        numbers = {"γ": "1.4", "β": "-0.6", "μ̂": "0.7", "σ̂²": "2.5", "ε": "0.1"}
        at = {name: mpmath.mpf(number) for name, number in numbers.items()}
        A, B = (numeric(canonical(one), at, {}) for one in (found.slope, found.intercept))
        w, u = (list(map(real, data(size, seed))) for seed in (1, 2))
        b = mpmath.mpf("0.3")
        before = mpmath.fsum(one * other for one, other in zip(w, u, strict=True)) + b
        root = mpmath.sqrt(at["σ̂²"] + at["ε"])
        wanted = at["γ"] * (before - at["μ̂"]) / root + at["β"]
        new_w, new_b = [A * one for one in w], A * b + B
        got = mpmath.fsum(one * other for one, other in zip(new_w, u, strict=True)) + new_b
        assert close(got, wanted)


def test_the_lines_of_folding(library):
    rows = [formula for formula, _, _ in folding(library["batch_norm"]).derivation.rows()]
    assert rows[1:] == [
        "yᵢ = A·xᵢ + B",
        "A = γ/√(σ̂² + ε)",
        "B = β − γ·μ̂/√(σ̂² + ε)",
        "xᵢ = Σ_{k=1..n} wₖ·uₖ + b",
        "yᵢ = Σ_{k=1..n} w′ₖ·uₖ + b′",
        "w′ₖ = A·wₖ",
        "b′ = A·b + B",
    ]


UNFOLDED = {
    "nothing is said of inference": {},
    "inference reads the batch": {"inference": inference(Eq(hat(x)[i], x[i] - mu))},
    "inference is no affine function": {"inference": inference(Eq(hat(x)[i], x[i] ** 2))},
    "inference has two inputs": {"inference": inference(Eq(hat(x)[i], x[i] + z[i]))},
    "inference forgets its input": {"inference": inference(Eq(hat(x)[i], epsilon))},
}


@pytest.mark.parametrize("case", UNFOLDED)
def test_what_is_no_affine_function_of_the_input_is_not_folded(case):
    lines = {"mean": MEAN, "variance": VARIANCE, "normalize": NORMALIZE}
    end = {"affine": Eq(y[i], gamma * hat(x)[i] + beta)}
    assert folding(made(lambda: {**lines, **end, **UNFOLDED[case]})) is None


def test_names_that_the_layer_uses_are_not_used_again():
    b, w = parameter("b"), parameter("w")
    told = inference(Eq(hat(x)[i], x[i] / sqrt(epsilon + 1)))
    lines = {"mean": MEAN, "variance": VARIANCE, "normalize": NORMALIZE}
    found = folding(made(lambda: {**lines, "affine": Eq(y[i], w * hat(x)[i] + b), "told": told}))
    formulas = [formula for formula, _, _ in found.derivation.rows()]
    assert formulas[4] == "xᵢ = Σ_{k=1..n} w₀[k]·uₖ + b₀"


# merging


@pytest.mark.parametrize("sizes", [(1, 1), (1, 6), (6, 1), (2, 3), (4, 4), (5, 2)])
@pytest.mark.parametrize("name", ["batch_norm", "weight standardization"])
def test_statistics_of_two_parts_merge_exactly(derived, name, sizes):
    (found,) = mergings(derived[name])
    parts = [data(size, seed) for seed, size in enumerate(sizes, start=1)]
    whole = [*parts[0], *parts[1]]
    letters = {}
    for number, part in zip("₁₂", parts, strict=True):
        letters[f"m{number}"] = Fraction(len(part))
        letters[f"μ{number}"] = plain_mean(part)
        letters[f"S{number}"] = plain_variance(part) * len(part)
    assert numeric(canonical(found.whole_mean), letters, {}) == plain_mean(whole)
    squares = plain_variance(whole) * len(whole)
    assert numeric(canonical(found.whole_squares), letters, {}) == squares


def test_the_formulas_of_merging(derived):
    (found,) = mergings(derived["batch_norm"])
    assert unicode(found.whole_mean) == "(m₁·μ₁ + m₂·μ₂)/(m₁ + m₂)"
    assert unicode(found.whole_squares) == "S₁ + S₂ + m₁·m₂/(m₁ + m₂)·(μ₁ − μ₂)²"


def test_a_variance_by_moments_is_known_as_one_and_a_mean_square_is_none(derived):
    assert mergings(derived["rms_norm"]) == ()
    assert mergings(derived["mean absolute deviation"]) == ()
    direct = {
        "mean": MEAN,
        "variance": Eq(q, 1 / m * Sigma(x[i] ** 2, (i, 1, m)) - mu**2),
        "out": Eq(y[i], x[i] / sqrt(q + epsilon)),
    }
    assert len(mergings(derive_layer(made(lambda: direct)))) == 1


def test_a_wrong_formula_of_merging_is_caught_by_proof_and_by_a_number(derived):
    (found,) = mergings(derived["batch_norm"])
    one, other = found.parts
    stated = (Sigma(one.element, one.limits) + Sigma(other.element, other.limits)) / (
        one.size + other.size
    )
    true = canonical(found.whole_squares)
    squares = one.deviations(found.mean) + other.deviations(found.mean)
    for wrong in (
        true.xreplace({other.size: one.size}),
        true - one.squares,
        one.squares + other.squares + one.size * (one.mean - other.mean) ** 2,
        one.squares + other.squares,
    ):
        with pytest.raises(AssertionError, match="is not"):
            found.merge.check(squares, wrong, stated)
        sizes = [{one.size: 2, other.size: 3}]
        left = canonical(squares).xreplace({found.mean: stated})
        with pytest.raises(AssertionError, match="differ at"):
            second_opinion(left, wrong, found.merge.definitions, sizes)
