"""Sums of a gradient by an input, against finite differences; and what else is derived."""

from fractions import Fraction

import mpmath
import pytest
from own_layers import (
    MEAN,
    NORMALIZE,
    VARIANCE,
    close,
    data,
    everything,
    gamma,
    made,
    numeric,
    real,
    x,
    y,
)
from sympy import Eq

from symopt import derivations, hat
from symopt.calculus.normal_form import normal_form
from symopt.derivation.layer import derive_layer
from symopt.derivation.opinions import second_opinion
from symopt.derivation.orthogonality import orthogonality
from symopt.derivation.steps import in_words
from symopt.printing.unicode import unicode
from symopt.symbols import epsilon
from symopt.symbols import example as i
from symopt.views import canonical


def plain_gradient(xs, eps, weights):
    """dL/dx of batch normalization by central differences; the error is about the step's square."""
    step = mpmath.mpf(10) ** -20

    def loss(inputs):
        mean = mpmath.fsum(inputs) / len(inputs)
        spread = mpmath.fsum((one - mean) ** 2 for one in inputs) / len(inputs)
        root = mpmath.sqrt(spread + real(eps))
        pairs = zip(weights, inputs, strict=True)
        return mpmath.mpf(7) / 5 * mpmath.fsum(w * (one - mean) / root for w, one in pairs)

    start = list(map(real, xs))
    found = []
    for place in range(len(xs)):
        up, down = list(start), list(start)
        up[place] += step
        down[place] -= step
        found.append((loss(up) - loss(down)) / (2 * step))
    return found


@pytest.mark.parametrize("size", range(1, 7))
def test_sums_of_batch_norms_gradient_in_plain_numbers(derived, size):
    xs, eps = data(size), Fraction(1, 3)
    (proof,) = orthogonality(derived["batch_norm"])
    alone, along = proof.lines
    assert alone.right == 0
    with mpmath.workdps(80):
        weights = [mpmath.mpf(k * k + 2) / (k + 3) for k in range(size)]
        slopes = plain_gradient(xs, eps, weights)
        assert close(mpmath.fsum(slopes), 0)
        letters, elements = everything(xs, eps, weights)
        pairs = zip(slopes, elements["x̂"], strict=True)
        wanted = mpmath.fsum(one * other for one, other in pairs)
        assert close(numeric(canonical(along.right), letters, elements), wanted)


def test_batch_norms_gradient_is_orthogonal_but_for_epsilon(derived):
    (proof,) = orthogonality(derived["batch_norm"])
    assert [formula for formula, _, _ in proof.rows()] == [
        "Σ_{i=1..m} dL/dxᵢ = 0",
        "Σ_{i=1..m} dL/dxᵢ·x̂ᵢ = γ·ε/(σ²_B + ε)^(3/2)·Σ_{j=1..m} dL/dyⱼ·x̂ⱼ",
    ]


def test_a_wrong_epsilon_term_is_caught_by_proof_and_by_a_number(derived):
    found = derived["batch_norm"]
    (proof,) = orthogonality(found)
    true = canonical(proof.lines[1].right)
    wrong = true.replace(lambda node: node == epsilon and node.is_Symbol, lambda node: 2 * node)
    for mutant in (wrong, 2 * true, true / epsilon, true + epsilon):
        assert normal_form(mutant, found.known) != normal_form(true, found.known)
        with pytest.raises(AssertionError):
            second_opinion(true, mutant, found.definitions)


SUMS = {
    "rms_norm": ["Σ_{i=1..m} dL/dxᵢ·x̂ᵢ"],
    "weight standardization": ["Σ_{i=1..m} dL/dxᵢ", "Σ_{i=1..m} dL/dxᵢ·yᵢ"],
    "mean absolute value": [],
    "centring": ["Σ_{i=1..m} dL/dxᵢ"],
    "softmax": ["Σ_{i=1..m} dL/dxᵢ"],
    "residual": ["Σ_{i=1..m} dL/dxᵢ·x̂ᵢ"],
}


@pytest.mark.parametrize("name", SUMS)
def test_sums_are_listed_where_they_come_to_less(derived, name):
    lines = [line for one in orthogonality(derived[name]) for line in one.lines]
    assert [unicode(line.left) for line in lines] == SUMS[name]


# all together


def test_what_is_derived_from_batch_norm(library):
    assert [in_words(one.title) for one in derivations(library["batch_norm"])] == [
        "backward pass of Batch normalization",
        "sums of the gradient by xᵢ of Batch normalization",
        "output of Batch normalization unchanged when every xᵢ is shifted by b",
        "output of Batch normalization unchanged when every xᵢ is multiplied by a",
        "μ_B and σ²_B of Batch normalization from two parts",
        "inference of Batch normalization folded into a linear map before it",
    ]


SHARED = {
    "batch_norm": [],
    "layer_norm": ["γ and β are shared over N: the gradients of the groups that share them add up"],
    "instance_norm": [
        "γ and β are shared over N: the gradients of the groups that share them add up"
    ],
    "rms_norm": ["γ is shared over N: the gradients of the groups that share it add up"],
}


@pytest.mark.parametrize("name", SHARED)
def test_groups_that_share_what_is_learned_add_up_their_gradients(derived, name):
    assert [in_words(one) for one in derived[name].derivation.assumptions] == SHARED[name]


def test_places_in_space_share_what_is_learned_too():
    lines = {"mean": MEAN, "variance": VARIANCE, "normalize": NORMALIZE}
    end = {"affine": Eq(y[i], gamma * hat(x)[i])}
    found = derive_layer(made(lambda: {**lines, **end}, over="N"))
    assert [in_words(one) for one in found.derivation.assumptions] == [
        "γ is shared over H and W: the gradients of the groups that share it add up"
    ]
