"""Losses beside PyTorch's, the readings of label smoothing told apart, and what is refused."""

import numpy as np
import pytest
import torch
from sympy import Eq
from torch.nn import functional

from symopt.declaration import loss, value
from symopt.derivation.layer import derive_layer
from symopt.errors import DerivationError
from symopt.runtime.compiling import compile

ALPHA, K = 0.8, 7
SMOOTHED = {
    # the weight of the correct class, and of each other one
    "softmax_cross_entropy": (ALPHA, (1 - ALPHA) / (K - 1)),
    "softmax_cross_entropy_each": (ALPHA, 1 - ALPHA),
    "softmax_cross_entropy_all": (ALPHA + (1 - ALPHA) / K, (1 - ALPHA) / K),
}


def targets(labels, correct, other):
    hit = functional.one_hot(labels, K).double()
    return correct * hit + other * (1 - hit)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", SMOOTHED)
def test_cross_entropy(library, name, reduction):
    source = np.random.default_rng(5)
    z, labels = source.normal(size=(6, K)) * 3, source.integers(0, K, 6)
    leaf = torch.tensor(z, requires_grad=True)
    wanted = -(targets(torch.tensor(labels), *SMOOTHED[name]) * leaf.log_softmax(1)).sum(1)
    whole = {"mean": wanted.mean(), "sum": wanted.sum(), "none": wanted}[reduction]
    dloss = source.normal(size=6) if reduction == "none" else 0.7
    (whole * torch.tensor(dloss, dtype=torch.float64)).sum().backward()
    module = compile(library[name])
    found, *statistics = module.forward(z, labels, ALPHA, reduction=reduction)
    np.testing.assert_allclose(found, whole.detach().numpy(), rtol=1e-13)
    dz = module.backward(dloss, z, labels, *statistics, ALPHA, reduction=reduction)
    np.testing.assert_allclose(dz, leaf.grad.numpy(), rtol=1e-11, atol=1e-15)


def test_the_librarys_smoothing_is_pytorchs_with_epsilon_one_minus_alpha(library):
    source = np.random.default_rng(6)
    z, labels = source.normal(size=(4, K, 3)), source.integers(0, K, (4, 3))
    found, *_ = compile(library["softmax_cross_entropy_all"]).forward(z, labels, ALPHA)
    theirs = functional.cross_entropy(
        torch.tensor(z), torch.tensor(labels), label_smoothing=1 - ALPHA
    )
    assert found == pytest.approx(theirs.item(), rel=1e-14)


def test_a_label_may_stand_anywhere_in_a_row_that_is_added_up_in_blocks(library):
    """Blocks have 1024 elements: labels at both ends of the row, and beside the edges of blocks."""
    labels = np.array([0, 1, 1023, 1024, 1025, 2047, 2048, 2499])
    z = np.random.default_rng(8).normal(size=(8, 2500)) * 3
    leaf = torch.tensor(z, requires_grad=True)
    wanted = functional.cross_entropy(
        leaf, torch.tensor(labels), label_smoothing=1 - ALPHA, reduction="none"
    )
    wanted.sum().backward()
    module = compile(library["softmax_cross_entropy_all"])
    found, *statistics = module.forward(z, labels, ALPHA, reduction="none")
    np.testing.assert_allclose(found, wanted.detach().numpy(), rtol=1e-13)
    dz = module.backward(np.ones(8), z, labels, *statistics, ALPHA, reduction="none")
    np.testing.assert_allclose(dz, leaf.grad.numpy(), rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logits_of_ten_thousand_are_finite(library, dtype):
    z = np.array([[1e4, -1e4, 0.0], [0.0, 0.0, 1e4]], dtype)
    module = compile(library["softmax_cross_entropy"])
    losses, *statistics = module.forward(z, [0, 1], 1.0, reduction="none")
    np.testing.assert_array_equal(losses, [0, 1e4])
    ones = np.ones(2, dtype)
    dz = module.backward(ones, z, [0, 1], *statistics, 1.0, reduction="none")
    np.testing.assert_array_equal(dz, [[0, 0, 0], [0, -1, 1]])


def test_squared_error(library):
    source = np.random.default_rng(7)
    x, target = source.normal(size=(2, 5, 3))
    leaves = [torch.tensor(one, requires_grad=True) for one in (x, target)]
    theirs = functional.mse_loss(*leaves)
    theirs.backward()
    made = compile(library["squared_error"]).SquaredError(dtype=np.float64)
    assert made(x, target) == pytest.approx(theirs.item(), rel=1e-14)
    for one, leaf in zip(made.backward(), leaves, strict=True):
        np.testing.assert_allclose(one, leaf.grad.numpy(), rtol=1e-13)


Z = np.zeros((3, 4))
WRONG = {
    "a label too large": ((Z, [0, 4, 1]), {}, "labels hold 4, but labels go from 0 to 3"),
    "a negative label": ((Z, [0, -1, 1]), {}, "labels hold -1, but labels go from 0 to 3"),
    "labels that are no whole numbers": (
        (Z, [0.0, 1.0, 2.0]),
        {},
        "labels are float64, but labels are whole numbers",
    ),
    "labels of other examples": (
        (Z, [0, 1]),
        {},
        "labels have shape (2,), but need (3,), a number for each group of elements, along N and "
        "space",
    ),
    "an α outside its range": ((Z, [0, 1, 2], 1.5), {}, "alpha = 1.5 is outside its range [0, 1]"),
    "an unknown reduction": (
        (Z, [0, 1, 2]),
        {"reduction": "max"},
        "the reduction is 'max'; write 'mean', 'sum' or 'none'",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused(library, name):
    arguments, named, words = WRONG[name]
    with pytest.raises(ValueError) as error:  # noqa: PT011  # the whole message follows
        compile(library["softmax_cross_entropy"]).forward(*arguments, **named)
    assert str(error.value) == f"softmax_cross_entropy: {words}"


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_a_batch_of_no_examples_has_a_sum_and_no_mean(library, reduction):
    module = compile(library["softmax_cross_entropy"])
    nothing, labels = np.zeros((0, 4)), np.zeros(0, int)
    if reduction == "mean":
        words = "the input has shape (0, 4); there is no mean of no losses"
        with pytest.raises(ValueError) as error:  # noqa: PT011  # the whole message follows
            module.forward(nothing, labels, reduction=reduction)
        assert str(error.value) == f"softmax_cross_entropy: {words}"
        with pytest.raises(ValueError, match="there is no mean of no losses"):
            module.backward(1.0, nothing, labels, labels * 1.0, labels * 1.0, reduction=reduction)
    else:
        found, *_ = module.forward(nothing, labels, reduction=reduction)
        assert np.sum(found) == 0


@pytest.mark.parametrize("dloss", [np.ones(3), "one", None, [1.0]])
def test_the_gradient_by_a_mean_is_a_number(library, dloss):
    with pytest.raises(ValueError) as error:  # noqa: PT011  # the whole message follows
        compile(library["squared_error"]).backward(dloss, Z, Z)
    words = f"the gradient by the mean is {dloss!r}, not a number"
    assert str(error.value) == f"squared_error: {words}"


def test_a_wrong_reading_of_the_slide_is_refuted(library):
    """The correct class has α of the targets, and not 1 − α: the smallest numbers that say so."""
    declared = library["softmax_cross_entropy"]
    entry = declared["correct"].shown.left
    kept = {one.key: one.content for one in declared.statements if one.key != "loss"}
    (alpha,) = declared.default_values

    def own():
        return {**kept, "correct": value(Eq(entry, 1 - alpha)), "loss": declared["loss"]}

    with pytest.raises(DerivationError) as error:
        derive_layer(loss(over="C")(own))
    assert str(error.value) == (
        "own.correct does not hold: at K = 2, α = 1, l = 1 the left side is 1, the right side 0; "
        "mend or leave it out"
    )
