"""Layers written by hand are accepted in whichever form; one slip refutes them, and says where."""

import numpy as np
import pytest
from handwritten_layers import (
    BACKWARDS,
    BATCH,
    CHAIN,
    DIVIDED,
    JACOBIAN,
    REFUSING,
    TEXTS,
    slipped,
    subject,
)
from sampling import every
from sympy import Rational

from symopt.errors import UsageError
from symopt.verification import chains, judge_layer
from symopt.views import canonical

DTYPES = ("float32", "float64")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", every(3, TEXTS))
def test_a_layer_written_by_hand_is_accepted(library, name, dtype):
    verdict = judge_layer(library[name], subject(TEXTS[name]), dtype)
    assert verdict.ok, verdict.message
    # some thirty operations of two roundings each, twice in a gradient, and half an ulp a rounding
    assert verdict.error <= verdict.bound < 100
    assert verdict.points > 1000
    assert verdict.out_of_range < verdict.points / 15
    # with epsilon = 0 and no spread the output is 0/0
    assert verdict.undefined


@pytest.mark.parametrize("seed", every(3, range(3)))
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", every(2, [CHAIN, JACOBIAN, DIVIDED, BACKWARDS]))
def test_another_form_of_the_same_layer_is_accepted(library, form, dtype, seed):
    verdict = judge_layer(library["batch_norm"], subject(BATCH + form), dtype, seed)
    assert verdict.ok, verdict.message


def test_a_refusal_is_right_where_a_value_does_not_exist_and_nowhere_else(library):
    verdict = judge_layer(library["batch_norm"], subject(BATCH + REFUSING))
    assert verdict.ok, verdict.message
    text = BATCH + REFUSING.replace("+ epsilon == 0", "< 1", 1)
    message = judge_layer(library["batch_norm"], subject(text)).message
    assert message.startswith("batch_norm, forward: the kernel refuses 'no spread'; with x = [")


MEAN_OF_SQUARES = "(x * x).mean(axis=axes) - mu * mu"
UNBIASED = "(centred * centred).sum(axis=axes) / T(max(1, x.size // x.shape[1] - 1))"
INTERLEAVED = (
    "x.reshape(len(x), -1, groups, x[0, 0].size).swapaxes(1, 2).reshape(len(x), groups, -1)"
)
SQUARES = "(centred * centred).mean(axis=axes)"
ROOT = "np.sqrt(wide(sigma2, x) + T(epsilon))"
SCALED = "y = wide(gamma, x) * x_hat"

# which layer, what is changed, into what, and where the verdict points
FORWARD = [
    ("batch_norm", SQUARES, UNBIASED, "batch_norm.variance, sigma2_B"),
    ("batch_norm", SQUARES, MEAN_OF_SQUARES, "batch_norm.variance, sigma2_B"),
    ("layer_norm", SQUARES, MEAN_OF_SQUARES, "layer_norm.variance, sigma2_B"),
    ("batch_norm", SQUARES, "np.abs(centred).mean(axis=axes)", "batch_norm.variance, sigma2_B"),
    ("batch_norm", ROOT, "(np.sqrt(wide(sigma2, x)) + T(epsilon))", "batch_norm.affine, y"),
    ("batch_norm", ROOT, "np.sqrt(wide(sigma2, x))", "batch_norm.affine, y"),
    ("batch_norm", SCALED, "y = x_hat", "batch_norm.affine, y"),
    ("batch_norm", f"{SCALED} + wide(beta, x)", SCALED, "batch_norm.affine, y"),
    ("layer_norm", "gamma * (centred", "(centred", "layer_norm.affine, y"),
    ("rms_norm", "gamma * (x /", "(x /", "rms_norm.scale, y"),
    ("rms_norm", "(x * x).mean(axis=axes)", "x.var(axis=axes)", "rms_norm.mean_square, sigma2_B"),
    (
        "batch_norm",
        "T(alpha) * mu + T(1 - alpha) * mu_hat",
        "T(1 - alpha) * mu + T(alpha) * mu_hat",
        "batch_norm.running_mean, mu_hat",
    ),
    ("batch_norm", "mu_hat[:] =", "mu_hat =", "batch_norm.running_mean, mu_hat"),
    (
        "batch_norm",
        "sigma2_hat += T(alpha) * (sigma2 - sigma2_hat)",
        "sigma2_hat = sigma2_hat + T(alpha) * (sigma2 - sigma2_hat)",
        "batch_norm.running_variance, sigma2_hat",
    ),
    ("batch_norm_debiased", "mu_hat[:] =", "mu_hat =", "batch_norm_debiased.running_mean, mu"),
    (
        "group_norm",
        "x.reshape(x.shape[0], groups, -1)",
        INTERLEAVED,
        "group_norm.mean, mu_B",
    ),
]
INFERENCE = [
    ("batch_norm", "wide(sigma2_hat, x) + T(epsilon)", "wide(sigma2_hat, x)"),
    ("batch_norm", "x - wide(mu_hat, x)", "x - x.mean(axis=0)"),
    ("batch_norm", "return wide(gamma, x) * x_hat", "return x_hat"),
    ("batch_norm_debiased", "(sigma2 - T(kept))", "sigma2"),
    ("batch_norm_debiased", "mu * T(1 / (1 - kept))", "mu"),
    ("batch_norm_debiased", "kept = (1 - alpha) ** t", "kept = (1 - alpha) ** (t + 1)"),
    ("batch_norm_debiased", "kept = (1 - alpha) ** t", "kept = alpha ** t"),
]
INNER = "m * dy - wide(dbeta, x) - x_hat * wide(dgamma, x)"
MIDDLE = "(dx_hat - mean - x_hat * slope)"
BACKWARD = [
    *(("batch_norm", INNER, new, "x") for new in (
        "m * dy - x_hat * wide(dgamma, x)",
        "m * dy - wide(dbeta, x)",
        "-wide(dbeta, x) - x_hat * wide(dgamma, x)",
        "m * dy + wide(dbeta, x) - x_hat * wide(dgamma, x)",
        "m * dy - wide(dbeta, x) + x_hat * wide(dgamma, x)",
        "-m * dy - wide(dbeta, x) - x_hat * wide(dgamma, x)",
        "2 * m * dy - wide(dbeta, x) - x_hat * wide(dgamma, x)",
        "m * dy - 2 * wide(dbeta, x) - x_hat * wide(dgamma, x)",
        "m * dy - wide(dbeta, x) - 2 * x_hat * wide(dgamma, x)",
    )),
    ("batch_norm", "wide(gamma, x) / (m * root)", "1 / (m * root)", "x"),
    ("batch_norm", "np.sqrt(wide(sigma2_B, x) + T(epsilon))", "np.sqrt(wide(sigma2_B, x))", "x"),
    ("batch_norm", "(dy * x_hat).sum(axis=axes)", "(dy * centred).sum(axis=axes)", "x"),
    ("batch_norm", "return dx, dgamma, dbeta", "return dx, dgamma / m, dbeta", "gamma"),
    ("batch_norm", "return dx, dgamma, dbeta", "return dx, dgamma, -dbeta", "beta"),
    *(("layer_norm", MIDDLE, new, "x") for new in (
        "(dx_hat - x_hat * slope)",
        "(dx_hat - mean)",
        "(dx_hat + mean - x_hat * slope)",
        "(dx_hat - mean - x_hat * 2 * slope)",
    )),
    ("layer_norm", "dx_hat = dy * gamma", "dx_hat = dy", "x"),
    ("layer_norm", "(dy * x_hat).sum(axis=before)", "(dx_hat * x_hat).sum(axis=before)", "gamma"),
    ("rms_norm", "(dx_hat - x_hat * slope)", "dx_hat", "x"),
    ("group_norm", "rows(dy * wide(gamma, x), groups)", "rows(dy, groups)", "x"),
]  # fmt: skip


# the paper's chain: what stands between the output and the input, and where it is forgotten
LINKS = [
    (" + wide(dsigma2, x) * 2 * centred / m", ""),
    (" + wide(dmu, x) / m", ""),
    ("dx = dx_hat / np.sqrt(s) + ", "dx = "),
    ("through_root = -(", "through_root = ("),
    ("* T(-0.5)", "* T(0.5)"),
    ("* T(-0.5)", "* T(-1)"),
    ("(1 / (s * np.sqrt(s)))", "(1 / s)"),
    ("dx_hat = dy * wide(gamma, x)", "dx_hat = dy"),
]


@pytest.mark.parametrize(("name", "old", "new", "where"), FORWARD)
def test_a_slip_in_the_forward_pass_is_refuted_at_its_equation(library, name, old, new, where):
    verdict = judge_layer(library[name], slipped(name, old, new))
    assert not verdict.ok
    assert verdict.where.startswith(where), verdict.message
    assert "with x = " in verdict.message


@pytest.mark.parametrize(("name", "old", "new"), INFERENCE)
def test_a_slip_at_inference_is_refuted(library, name, old, new):
    verdict = judge_layer(library[name], slipped(name, old, new))
    assert verdict.where.startswith(f"{name}, inference, y at "), verdict.message
    assert (" t = " in verdict.message) == (name == "batch_norm_debiased")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "old", "new", "letter"), BACKWARD)
def test_a_slip_in_the_backward_pass_is_refuted_at_its_gradient(
    library, name, old, new, letter, dtype
):
    verdict = judge_layer(library[name], slipped(name, old, new), dtype)
    assert verdict.where.startswith(f"{name}, dL/d{letter} at "), verdict.message
    assert "dy = " in verdict.message


@pytest.mark.parametrize(("old", "new"), LINKS)
def test_a_link_of_the_chain_that_is_wrong_is_refuted(library, old, new):
    assert CHAIN.count(old) == 1
    verdict = judge_layer(library["batch_norm"], subject(BATCH + CHAIN.replace(old, new)))
    assert verdict.where.startswith("batch_norm, dL/dx at "), verdict.message


def test_squares_before_centring_are_refuted_where_the_mean_is_large(library):
    verdict = judge_layer(library["batch_norm"], slipped("batch_norm", SQUARES, MEAN_OF_SQUARES))
    assert "far from zero data" in verdict.message


def test_wrong_axes_are_refuted(library):
    text = TEXTS["instance_norm"].replace("x.shape[1], epsilon)", "1, epsilon)")
    assert "mu_B is of shape" in judge_layer(library["instance_norm"], subject(text)).message
    # of the right shape, and over the wrong axis
    text = TEXTS["layer_norm"].replace(
        "mu = x.mean(axis=axes)", "mu = np.resize(x.mean(axis=0), x.mean(axis=axes).shape)"
    )
    assert judge_layer(library["layer_norm"], subject(text)).where.startswith("layer_norm.mean")


@pytest.mark.parametrize(
    ("result", "where"),
    [
        ("y", "batch_norm.affine, y at "),
        ("mu", "batch_norm.mean, mu_B at "),
        ("sigma2", "batch_norm.variance, sigma2_B at "),
        ("dx", "batch_norm, dL/dx at "),
        ("dgamma", "batch_norm, dL/dgamma at "),
    ],
)
@pytest.mark.parametrize("hides", every(2, ["np.isnan(x)", "np.isinf(x)"]))
def test_a_bad_number_of_the_input_is_not_hidden(library, result, where, hides):
    hidden = f"    if {hides}.any():\n        {result} = np.nan_to_num({result})\n    return "
    first = "dx" if result.startswith("d") else "y"
    text = TEXTS["batch_norm"].replace(f"    return {first}", f"{hidden}{first}")
    verdict = judge_layer(library["batch_norm"], subject(text))
    if first == "dx" and "inf" in hides:
        # a gradient may be any number where the input is infinite
        assert verdict.ok
    else:
        assert verdict.where.startswith(where), verdict.message
        assert "the kernel hides" in verdict.message


def test_zero_by_zero_is_not_hidden(library):
    kernels = slipped("batch_norm", "return y, mu, sigma2", "return np.nan_to_num(y), mu, sigma2")
    message = judge_layer(library["batch_norm"], kernels).message
    assert "the declared value does not exist, the kernel's is" in message
    assert "epsilon = 0.0" in message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    mu = x.mean", "    x += 0.5\n    mu = x.mean", "forward: the kernel changes x"),
        ("    m = T(", "    dy *= gamma[0]\n    m = T(", "backward: the kernel changes dy"),
        ("    m = T(", "    mu_B += 1\n    m = T(", "backward: the kernel changes mu_B"),
        ("    x_hat = (x - w", "    mu_hat += 1\n    x_hat = (x - w", "changes mu_hat"),
    ],
)
def test_a_kernel_that_changes_what_it_reads_is_refuted(library, old, new, message):
    verdict = judge_layer(library["batch_norm"], slipped("batch_norm", old, new))
    assert message in verdict.message
    assert verdict.message.endswith("which it only reads")


def test_a_result_in_another_precision_is_refuted(library):
    kernels = slipped("batch_norm", "return y, mu, sigma2", "return y.astype('f8'), mu, sigma2")
    message = judge_layer(library["batch_norm"], kernels).message
    assert message == (
        "batch_norm, forward: y is of shape (3, 4) and float64; "
        "declared is the shape (3, 4) and float32"
    )


def test_a_missing_result_is_refuted(library):
    kernels = slipped("batch_norm", "return y, mu, sigma2", "return y, mu")
    message = judge_layer(library["batch_norm"], kernels).message
    assert message == (
        "batch_norm, forward: the kernel returns 2 results where y, mu_B, sigma2_B are declared"
    )


def test_a_bad_number_in_one_group_leaves_the_others_alone(library):
    shared = "centred = x - wide(mu, x) + 0 * x.sum()"
    kernels = slipped("batch_norm", "centred = x - wide(mu, x)", shared)
    verdict = judge_layer(library["batch_norm"], kernels)
    assert "x = nan at" in verdict.message


def test_the_chain_rule_is_held_against_central_differences(library, monkeypatch):
    monkeypatch.setattr(
        chains, "canonical", lambda expr: canonical(expr) * (1 + Rational(1, 10**9))
    )
    with pytest.raises(
        AssertionError, match=r"^rms_norm, dL/dx_at_0: the chain rule gives .*, central"
    ):
        judge_layer(library["rms_norm"], subject(TEXTS["rms_norm"]))


def test_an_argument_that_the_layer_does_not_know_is_refused_with_the_nearest(library):
    with pytest.raises(UsageError, match=r"^the forward pass of group_norm takes grups; did"):
        judge_layer(library["group_norm"], subject(TEXTS["group_norm"].replace("groups", "grups")))


def test_the_same_seed_gives_the_same_verdict_and_progress_is_told(library):
    told = []
    kernels = subject(TEXTS["rms_norm"])
    one = judge_layer(library["rms_norm"], kernels, seed=7, progress=lambda *at: told.append(at))
    assert one == judge_layer(library["rms_norm"], kernels, seed=7)
    assert told[-1][0] == told[-1][1] == len(told)
    assert np.isfinite(one.json()["error"])
