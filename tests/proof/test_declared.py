"""Layers, losses, penalties and schedules compared as declarations."""

import pytest
from sampling import every
from sympy import Abs, Eq, Float, Interval, Max, Min, S, cos, exp, oo, pi, sqrt, tanh

from symopt import (
    Sigma,
    equivalent,
    hyperparameter,
    inference,
    layer,
    parameter,
    regularizer,
    schedule,
    sequence,
    shape,
    statistic,
    tensor_layer,
)
from symopt.catalog.lecture.batch_norm import alpha as momentum
from symopt.catalog.lecture.batch_norm import mu_B, sigma2_B
from symopt.declaration import drawn
from symopt.derivation.forward import forward
from symopt.derivation.plain_forward import outputs
from symopt.errors import UsageError
from symopt.nodes import Bernoulli, Norm
from symopt.notation import count, given, hat, index, learned, random
from symopt.symbols import R, alpha, epsilon, m, t, theta
from symopt.symbols import example as i
from symopt.symbols import layer as each_layer

x, y, learning_rate = given("x"), sequence("y"), sequence("alpha", python="learning_rate")
gamma, beta = parameter("gamma"), parameter("beta")
mean, spread = statistic("a"), statistic("b")


def layers(**options):
    """A layer from its equations, under any name."""

    def make(**equations):
        def stated():
            return equations

        return layer(**options)(stated)

    return make


def mean_and_square(eps, divisor=m, **options):
    """Layer normalization by the mean of squares less the square of the mean."""
    options = {"over": "C H W", "per": "element", **options}
    return layers(**options)(
        mean=Eq(mean, 1 / m * Sigma(x[i], (i, 1, m))),
        spread=Eq(spread, 1 / divisor * Sigma(x[i] ** 2, (i, 1, m)) - mean**2),
        output=Eq(y[i], gamma * (x[i] - mean) / sqrt(spread + eps) + beta),
    )


def running(library, rate, variance=None, start=0):
    """Batch normalization with running averages in the form of libraries, under other names."""
    first, second = statistic("c"), statistic("d")
    same = {key: library["batch_norm"][key] for key in ("mean", "variance", "normalize", "affine")}
    centred = (x[i] - first) / sqrt(second + epsilon)
    return layers(over="N H W", initial={first: start, second: 1})(
        **same,
        running_mean=Eq(first, first + rate * (mu_B - first)),
        running_variance=Eq(second, second + rate * ((variance or sigma2_B) - second)),
        inference=inference(Eq(hat(x)[i], centred)),
    )


def test_a_layer_written_in_another_way_is_proved_for_every_size(library):
    verdict = equivalent(library["layer_norm"], mean_and_square(epsilon))
    assert verdict.status == "proved", verdict
    rows = verdict.derivation.rows()
    assert rows[0][1] == "layer_norm, unfolded"
    assert rows[1][:2] == (
        "yᵢ = (xᵢ − Σ_{j=1..m} xⱼ/m)·γᵢ/√(Σ_{j=1..m} xⱼ²/m + ε − (Σ_{j=1..m} xⱼ)²/m²) + βᵢ",
        "stated, unfolded",
    )
    assert all("checked at" in check for _, _, check in rows[2:])


def test_a_sum_within_a_sum_may_have_the_same_index(library):
    inner = Sigma(x[i], (i, 1, m)) / m
    nested = layers(over="C H W", per="element")(
        spread=Eq(spread, 1 / m * Sigma((x[i] - inner) ** 2, (i, 1, m))),
        output=Eq(y[i], gamma * (x[i] - inner) / sqrt(spread + epsilon) + beta),
    )
    assert equivalent(library["layer_norm"], nested).status == "proved"


def test_layer_norm_without_the_mean_is_rms_norm(library):
    without = layers(over="C H W", per="element")(
        spread=Eq(spread, 1 / m * Sigma(x[i] ** 2, (i, 1, m))),
        output=Eq(y[i], gamma * x[i] / sqrt(spread + epsilon)),
    )
    assert equivalent(library["rms_norm"], without).status == "proved"
    assert equivalent(library["rms_norm"], library["layer_norm"]).status == "refuted"


def test_one_less_in_the_variance_shows_at_two_examples(library):
    spec = {key: library["batch_norm"][key] for key in ("mean", "normalize", "affine")}
    centred = x[i] - mu_B
    unbiased = layers(over="N H W")(
        mean=spec["mean"],
        variance=Eq(sigma2_B, 1 / (m - 1) * Sigma(centred**2, (i, 1, m))),
        normalize=spec["normalize"],
        affine=spec["affine"],
    )
    verdict = equivalent(library["batch_norm"], unbiased)
    assert verdict.status == "refuted"
    point = verdict.counterexample
    assert point[m] == 2
    # both layers run on these numbers, their sums written out
    group = [point[x[1]], point[x[2]]]
    numbers = {one: value for one, value in point.items() if not one.is_Indexed}
    for declared, value in zip((library["batch_norm"], unbiased), verdict.values, strict=True):
        definitions = forward(declared)
        found = outputs(definitions, {x[i]: group}, numbers)
        assert abs(found[y[point[i]]] - value) < Float(10) ** -15


@pytest.mark.parametrize(
    ("rate", "variance", "start"),
    every(3, [(momentum, None, 1), (momentum / 2, None, 0), (momentum, sigma2_B * m / (m + 1), 0)]),
    ids=["start", "rate", "variance"],
)
def test_running_averages_that_differ_are_found_out_by_a_run(library, rate, variance, start):
    verdict = equivalent(library["batch_norm"], running(library, rate, variance, start))
    assert verdict.status == "refuted"
    first, *_ = verdict.what
    assert first.startswith("outputs after training on")


def test_running_averages_are_followed_by_induction_and_names_matched(library):
    kept = hyperparameter("kept", Interval.Ropen(0, 1))
    verdict = equivalent(library["batch_norm"], running(library, 1 - kept))
    assert verdict.status == "proved", verdict
    assert "kept = 1 − α" in str(verdict).splitlines()[1]
    reasons = [reason for _, reason, _ in verdict.derivation.rows()]
    assert "normal form, in each batch" in reasons
    assert "normal form, after training" in reasons


def test_a_layer_that_differs_is_shown_with_the_letters_that_fit_best(library):
    scale, shift, small = parameter("w"), parameter("c"), hyperparameter("eps", Interval(0, oo))
    outside = layers(over="C H W", per="element")(
        mean=Eq(mean, 1 / m * Sigma(x[i], (i, 1, m))),
        spread=Eq(spread, 1 / m * Sigma((x[i] - mean) ** 2, (i, 1, m))),
        output=Eq(y[i], scale * (x[i] - mean) / (sqrt(spread) + small) + shift),
    )
    assert str(equivalent(library["layer_norm"], outside)) == (
        "refuted: layer_norm = stated\n"
        "  unlike outputs, with c = βᵢ and w = γᵢ and eps = ε\n"
        "  at i = 1, m = 2, β₁ = 0, ε = 1, γ₁ = 1, x₁ = 0, x₂ = 1\n"
        "  left is -0.4472135954999579, right is -0.3333333333333333"
    )


def test_a_relation_may_be_given(library):
    shift, width = parameter("shift"), hyperparameter("width", Interval.open(0, oo))
    other = layers(over="C H W", per="element")(
        spread=Eq(spread, 1 / m * Sigma(x[i] ** 2, (i, 1, m))),
        output=Eq(y[i], (1 + shift) * x[i] / sqrt(spread + width**2)),
    )
    rms = library["rms_norm"]
    given_relation = {shift: gamma - 1, width: sqrt(epsilon)}
    assert equivalent(rms, other, relation=given_relation).status == "proved"
    given_relation = {shift: gamma, width: sqrt(epsilon)}
    assert equivalent(rms, other, relation=given_relation).status == "refuted"


def test_groups_over_other_axes_show_on_a_small_array(library):
    verdict = equivalent(library["batch_norm"], library["instance_norm"])
    assert str(verdict) == (
        "refuted: batch_norm = instance_norm\n"
        "  unlike outputs y[1,1,1]\n"
        "  at N = 2, C = 1, S = 1, β₁ = 0, ε = 0, γ₁ = 1, x[1,1,1] = 0, x[2,1,1] = 1\n"
        "  left is −1, right is 0"
    )
    assert equivalent(library["batch_norm"], library["layer_norm"]).status == "refuted"


def test_activations_are_compared_case_by_case(library):
    rectified = layers()(output=Eq(y[i], Max(x[i], 0)))
    logistic = layers()(output=Eq(y[i], (1 + tanh(x[i] / 2)) / 2))
    assert equivalent(library["relu"], rectified).status == "proved"
    assert equivalent(library["sigmoid"], logistic).status == "proved"
    assert equivalent(library["relu"], library["leaky_relu"]).status == "refuted"


def test_softmax_needs_no_shift(library):
    plain = layers(over="C")(
        total=Eq(spread, Sigma(exp(x[i]), (i, 1, m))),
        output=Eq(y[i], exp(x[i]) / spread),
    )
    assert equivalent(library["softmax"], plain).status == "proved"


@pytest.mark.slow
def test_readings_of_label_smoothing_agree_where_they_do(library):
    share, classes = hyperparameter("alpha", Interval(0, 1)), count("K")
    slide, every, each = (library[f"softmax_cross_entropy{end}"] for end in ("", "_all", "_each"))
    verdict = equivalent(slide, every)
    assert verdict.status == "refuted"
    assert verdict.counterexample[classes] == 2
    assert equivalent(slide, each).counterexample[classes] == 3
    assert equivalent(slide, every, [Eq(share, 1)]).status == "proved"
    assert equivalent(slide, each, [Eq(classes, 2)]).status == "proved"
    in_other_letters = {share: (share * classes - 1) / (classes - 1)}
    assert equivalent(slide, every, relation=in_other_letters).status == "proved"


def test_what_is_drawn_takes_the_values_that_it_may_have(library):
    r, p = random("r"), hyperparameter("p", Interval.Ropen(0, 1))

    def masked(output, share):
        return layers()(
            mask=drawn(r[i], Bernoulli(share)),
            output=Eq(y[i], output),
            inference=inference(Eq(y[i], x[i])),
        )

    dropout = library["dropout"]
    assert equivalent(dropout, masked(r[i] ** 2 * x[i] / (1 - p), 1 - p)).status == "proved"
    verdict = equivalent(dropout, masked(r[i] * x[i], 1 - p))
    assert verdict.status == "refuted"
    assert verdict.counterexample[r[1]] == 1
    verdict = equivalent(dropout, masked(r[i] * x[i] / (1 - p), p))
    assert verdict.status == "undecided"
    assert verdict.tried == ("drawing r, which the two do with unlike chances",)
    # at inference a factor is left
    unscaled = layers()(
        mask=drawn(r[i], Bernoulli(1 - p)),
        output=Eq(y[i], r[i] * x[i] / (1 - p)),
        inference=inference(Eq(y[i], (1 - p) * x[i])),
    )
    verdict = equivalent(dropout, unscaled)
    assert verdict.status == "refuted"
    assert verdict.what == ("outputs after training on 0 batches",)


def linear(body, weights, lengths):
    """An affine layer from the sum that it is."""
    n, j, k = (index(name) for name in "njk")

    @tensor_layer()
    def stated():
        output = Eq(y[n, k], body(n, j, k))
        return {
            "input": shape(x, count("N"), count("J")),
            "w": shape(weights, *lengths),
            "o": output,
        }

    return stated


def test_layers_over_several_axes_are_compared_with_their_arrays_in_any_order(library):
    W, b, J, K = learned("W"), learned("b"), count("J"), count("K")
    affine = library["affine"]

    def transposed(n, j, k):
        return b[k] + Sigma(x[n, j] * W[k, j], (j, 1, J))

    verdict = equivalent(affine, linear(transposed, W, (K, J)))
    assert verdict.status == "proved", verdict
    assert str(verdict).splitlines()[1] == "  where W′[j,k] = W[k,j]"

    def within(n, j, k):
        return Sigma(x[n, j] * W[j, k] + b[k], (j, 1, J))

    verdict = equivalent(affine, linear(within, W, (J, K)))
    assert verdict.status == "refuted"
    assert verdict.counterexample[J] == 2

    def without(n, j, k):
        return Sigma(x[n, j] * W[j, k], (j, 1, J))

    assert equivalent(affine, linear(without, W, (J, K))).status == "refuted"


@pytest.mark.slow
def test_a_window_that_is_turned_over_is_another_convolution(library):
    from symopt.catalog.network import convolution as own

    def turned(first):
        place = own.stride * (own.p - 1) + first - own.padding
        entry = x[own.n, own.c, place, own.stride * (own.q - 1) + own.j - own.padding]
        over = ((own.c, 1, own.C), (own.j, 1, own.B), (own.i, 1, own.A))

        @tensor_layer(defaults={own.stride: 1, own.padding: 0})
        def stated():
            total = Sigma(entry * own.W[own.o, own.c, own.i, own.j], *over)
            shown = own.convolution
            output = Eq(y[own.n, own.o, own.p, own.q], total + own.b[own.o])
            return {"input": shown["input"], "weights": shown["weights"], "output": output}

        return stated

    convolution = library["convolution"]
    assert equivalent(convolution, turned(own.i)).status == "proved"
    verdict = equivalent(convolution, turned(own.A + 1 - own.i))
    assert verdict.status == "refuted"
    assert verdict.counterexample[own.A] == 2


def test_penalties_are_compared_component_by_component_or_as_a_whole(library):
    def penalties(body):
        @regularizer()
        def penalty():
            return Eq(R(theta), Sigma(body, each_layer))

        return penalty

    entry = theta[each_layer]
    assert equivalent(library["l1"], penalties(Max(entry, -entry))).status == "proved"
    assert equivalent(library["l2"], penalties(entry**2)).status == "proved"
    assert equivalent(library["l1"], library["l2"]).counterexample[given("theta")[1]] == 2
    verdict = equivalent(library["l1"], penalties(Norm(entry)))
    assert verdict.counterexample[count("n")] == 2
    grouped = penalties(3 * Norm(entry) - 2 * Norm(entry))
    assert equivalent(penalties(Norm(entry)), grouped).status == "proved"
    assert equivalent(library["l1"], penalties(Abs(entry) / 2)).status == "refuted"


def test_schedules_are_compared_at_every_step(library):
    low, high = hyperparameter("low", Interval(0, oo)), hyperparameter("high", Interval.open(0, oo))
    length = hyperparameter("T", S.Naturals)

    def cosine(angle):
        @schedule()
        def falling():
            return Eq(learning_rate[t], low + (high - low) * cos(angle) ** 2)

        return falling

    right = cosine(pi * Min(t - 1, length) / (2 * length))
    verdict = equivalent(library["cosine"], right)
    assert verdict.status == "proved", verdict
    assert equivalent(library["cosine"], cosine(pi * t / (2 * length))).status == "refuted"
    verdict = equivalent(library["step_decay"], library["exponential_decay"])
    assert verdict.counterexample[t] == 2


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        (
            "layer_norm",
            "adam",
            "layer_norm is a layer and adam an update rule; two of one kind are compared",
        ),
        (
            "squared_error",
            "softmax_cross_entropy",
            "squared_error reads target and x and softmax_cross_entropy z; give two with as many "
            "inputs",
        ),
        (
            "early_stopping",
            "early_stopping",
            "early_stopping is a monitor, which is not compared; give two update rules, layers, "
            "losses, schedules or regularizers",
        ),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_sentence(library, left, right, message):
    with pytest.raises(UsageError) as refused:
        equivalent(library[left], library[right])
    assert str(refused.value) == message


def test_a_relation_between_layers_names_what_is_there(library):
    with pytest.raises(UsageError) as refused:
        equivalent(library["rms_norm"], library["rms_norm"], relation={gamma: alpha})
    assert str(refused.value) == (
        "the relation for gamma reads alpha, which rms_norm does not have; known are x, gamma, "
        "epsilon"
    )
    with pytest.raises(UsageError) as refused:
        equivalent(library["rms_norm"], library["rms_norm"], relation={beta: gamma})
    assert str(refused.value) == "rms_norm has no letter beta; known are x, gamma, epsilon"
