"""A model: its gradient, its arrays, its memory, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
from parts import normalized
from sympy import Eq, exp

import symopt
from symopt import Sigma, flatten, given, layer, loss, network, penalty, sequence, statistic
from symopt.catalog.lecture.adam import adam
from symopt.catalog.lecture.batch_norm import batch_norm
from symopt.catalog.lecture.cosine import cosine
from symopt.catalog.lecture.dropout import dropout
from symopt.catalog.lecture.elastic_net import elastic_net
from symopt.catalog.lecture.gd import gd
from symopt.catalog.lecture.gd_full import gd_full
from symopt.catalog.lecture.l2 import l2
from symopt.catalog.lecture.nesterov import nesterov
from symopt.catalog.lecture.softmax_cross_entropy import softmax_cross_entropy
from symopt.catalog.network.affine import affine
from symopt.catalog.network.convolution import convolution
from symopt.catalog.network.hyperbolic_tangent import hyperbolic_tangent
from symopt.catalog.network.reduce_on_plateau import reduce_on_plateau
from symopt.catalog.network.softmax import softmax
from symopt.catalog.network.squared_error import squared_error
from symopt.declaration import trained_by
from symopt.errors import DivergenceError, UsageError
from symopt.symbols import example as i
from symopt.symbols import m


def batch(examples=16, seed=0, dtype=np.float64):
    numbers = np.random.default_rng(seed)
    labels = numbers.integers(0, 4, examples)
    x = numbers.normal(size=(examples, 4))
    x[np.arange(examples), labels] += 2.0
    return x.astype(dtype), labels


def model(declared=normalized, **options):
    return symopt.compile(declared, **{"dtype": "float64", "seed": 1, **options})


def with_rule(rule, **settings):
    return replace(normalized, rule=rule(**settings))


def test_the_step_goes_along_the_gradient_by_central_differences():
    # plain gradient descent at α: the change of each parameter is −α·dJ/dθ
    x, labels = batch()
    moved, still = (model(with_rule(gd, alpha=0.25)) for _ in range(2))
    for one in (moved, still):
        for name, array in one.parameters.items():
            array += 0.1 * np.arange(array.size) * (1 if "gamma" in name else -1)
    before = {name: one.copy() for name, one in moved.parameters.items()}
    moved.train_step(x, labels)
    for name, one in still.parameters.items():
        for place in range(one.size):
            objective = []
            for h in (1e-5, -1e-5):
                one[...] = before[name]
                one[place] += h
                # a step that cannot move: the objective before it is what is asked for
                objective.append(still._forward(x, labels, training=True) + still.penalties())
            one[...] = before[name]
            slope = (objective[0] - objective[1]) / 2e-5
            change = (moved.parameters[name] - before[name])[place]
            # differences of numbers near 1 lose 1e-16/1e-5, and their own error is h²
            assert change == pytest.approx(-0.25 * slope, abs=1e-9)


def test_penalties_count_in_the_objective_and_are_on_the_letters_that_they_name():
    x, labels = batch()
    plain = model(replace(normalized, penalties=()))
    on_gamma = model(replace(normalized, penalties=(penalty(l2, 0.5, "gamma"),)))
    on_all = model(replace(normalized, penalties=(penalty(elastic_net, 0.5),)))
    for one in (plain, on_gamma, on_all):
        for place, array in enumerate(one.parameters.values()):
            array[...] = place - 1.5  # −1.5, −0.5, 0.5, 1.5, four of each
    alone = plain.train_step(x, labels)
    gammas = 4 * (1.5**2 + 0.5**2)
    assert on_gamma.train_step(x, labels) == pytest.approx(alone + 0.5 * gammas, rel=1e-14)
    everything = 4 * 2 * (1.5 + 0.5 + 1.5**2 + 0.5**2)
    assert on_all.train_step(x, labels) == pytest.approx(alone + 0.5 * everything, rel=1e-14)
    with pytest.raises(UsageError) as caught:
        model(replace(normalized, penalties=(penalty(l2, 0.5, "W"),)))
    assert str(caught.value) == (
        "the penalty l2 is on W, which no layer learns; known are beta, gamma"
    )


def test_the_mean_gradient_as_a_batch_of_one_is_the_gradient():
    x, labels = batch()
    plain, full = model(with_rule(gd, alpha=0.1)), model(with_rule(gd_full, alpha=0.1))
    for _ in range(3):
        assert plain.train_step(x, labels) == full.train_step(x, labels)
    for name, one in plain.parameters.items():
        assert np.allclose(one, full.parameters[name], rtol=0, atol=1e-15)


def test_nesterov_takes_its_gradient_at_the_point_where_the_velocity_leads():
    # by hand, with another model that only tells gradients: v ← γv + α∇J(θ − γv), θ ← θ − v
    x, labels = batch()
    alpha, gamma = 0.1, 0.9
    mine = model(with_rule(nesterov, alpha=alpha, gamma=gamma))
    probe = model(with_rule(gd, alpha=1.0))
    theta = {name: one.copy() for name, one in mine.parameters.items()}
    v = {name: np.zeros_like(one) for name, one in theta.items()}
    for _ in range(5):
        for name, one in probe.parameters.items():
            one[...] = theta[name] - gamma * v[name]
        at = {name: one.copy() for name, one in probe.parameters.items()}
        probe.train_step(x, labels)
        for name, one in probe.parameters.items():
            v[name] = gamma * v[name] + alpha * (at[name] - one)
            theta[name] = theta[name] - v[name]
        mine.train_step(x, labels)
        for name, one in mine.parameters.items():
            assert np.allclose(one, theta[name], rtol=0, atol=1e-14)


def test_a_schedule_gives_the_rule_its_alpha_at_each_step():
    x, labels = batch()
    schedule = cosine(alpha_max=0.3, alpha_min=0.1, T=2)
    scheduled = model(replace(trained_by(normalized, gd, schedule)))
    constant = [model(with_rule(gd, alpha=alpha)) for alpha in (0.3, 0.2, 0.1)]
    for one in constant:
        one.load_state_dict({**one.state_dict(), "layers": scheduled.state_dict()["layers"]})
        assert scheduled.train_step(x, labels) == one.train_step(x, labels)
        for name, array in scheduled.parameters.items():
            assert np.allclose(array, one.parameters[name], rtol=0, atol=1e-15)


def test_arrays_are_allocated_once_for_each_size_of_batch():
    one = model()
    x, labels = batch()
    places = []
    for _ in range(3):
        one.train_step(x, labels)
        one.evaluate(x[:5], labels[:5])
        one.train_step(x[:7], labels[:7])
        kept = [each for layer in (*one.layers, one.loss) for each in layer._kept.values()]
        arrays = [each for each in kept if isinstance(each, np.ndarray)]
        assert len(arrays) > 20
        places.append([(a.ctypes.data, a.shape) for a in arrays])
    assert places[0] == places[1] == places[2]


def test_training_goes_on_to_the_same_bits_from_what_was_saved():
    x, labels = batch(dtype=np.float32)
    first, second = (symopt.compile(normalized, seed=seed) for seed in (1, 2))
    for _ in range(4):
        first.train_step(x, labels)
    second.load_state_dict(first.state_dict())
    for _ in range(4):
        assert first.train_step(x, labels) == second.train_step(x, labels)
    assert first.evaluate(x, labels) == second.evaluate(x, labels)
    for name, one in first.parameters.items():
        assert np.array_equal(one, second.parameters[name])


def test_a_look_at_other_data_changes_nothing():
    x, labels = batch()
    looked, alone = model(), model()
    for _ in range(3):
        assert looked.train_step(x, labels) == alone.train_step(x, labels)
        looked.evaluate(x[:3], labels[:3])
        looked.predict(x[3:])


def test_accuracy_is_the_share_of_likeliest_labels_and_numbers_have_none():
    one = model()
    x, labels = batch()
    expected = np.mean(np.argmax(one.predict(x), axis=1) == labels)
    assert one.evaluate(x, labels).accuracy == expected
    regression = replace(normalized, loss=squared_error())
    assert model(regression).evaluate(x, x).accuracy is None


@pytest.mark.parametrize(("bad", "word"), [(np.nan, "NaN"), (np.inf, "NaN")])
def test_a_loss_that_is_no_number_stops_with_the_step_and_the_place(bad, word):
    x, labels = batch()
    one = model()
    one.train_step(x, labels)
    before = {name: array.copy() for name, array in one.parameters.items()}
    wrong = x.copy()
    wrong[3, 1] = bad
    with pytest.raises(DivergenceError) as caught, np.errstate(invalid="ignore"):
        one.train_step(wrong, labels)
    assert str(caught.value) == (
        f"normalized at step 2: the loss is {word}; so is the input already, mend the data"
    )
    for name, array in one.parameters.items():
        assert np.array_equal(array, before[name])
    one.parameters["batch_norm_2.beta"][2] = bad
    with pytest.raises(DivergenceError) as caught, np.errstate(invalid="ignore"):
        one.train_step(x, labels)
    assert str(caught.value) == (
        f"normalized at step 2: the loss is {word}; the parameters of batch_norm_2 are not "
        "finite, make α smaller"
    )


def test_the_first_layer_whose_output_is_not_finite_is_named():
    @network(inputs=(4,))
    def large():
        return {"layers": [batch_norm, batch_norm, softmax], "loss": squared_error, "rule": adam}

    x, _ = batch(dtype=np.float32)
    one = symopt.compile(large)
    one.parameters["batch_norm_2.gamma"][:] = 3e38
    one.parameters["batch_norm_2.beta"][:] = 3e38
    with pytest.raises(DivergenceError) as caught, np.errstate(over="ignore", invalid="ignore"):
        one.train_step(x, x)
    assert str(caught.value) == (
        "large at step 1: the loss is NaN; the output of batch_norm_2 is the first that is not "
        "finite, make α smaller"
    )


def test_arrays_that_do_not_fit_are_refused():
    one = model()
    x, labels = batch()

    def refusal(*arguments):
        with pytest.raises(ValueError, match=r".+") as caught:
            one.train_step(*arguments)
        return str(caught.value)

    assert refusal(x.astype(np.float32), labels) == (
        "normalized: the input is float32, but needs to be float64"
    )
    assert refusal(x.tolist(), labels) == "normalized: the input is list, but needs to be float64"
    assert refusal(x[:, :3], labels) == (
        "normalized: the input has shape (16, 3), but (N, 4) is needed"
    )
    assert refusal(x[:0], labels[:0]) == (
        "normalized: the input has shape (0, 4), but (N, 4) is needed"
    )
    assert refusal(x, labels + 4) == (
        f"softmax_cross_entropy: labels hold {labels[0] + 4}, but labels go from 0 to 3"
    )
    assert refusal(x, labels * 1.0) == (
        "softmax_cross_entropy: labels are float64, but labels are whole numbers"
    )


def test_what_was_saved_of_another_network_is_refused_and_nothing_changes():
    x, labels = batch()
    one = model()
    one.train_step(x, labels)
    before = one.state_dict()

    def refusal(saved):
        with pytest.raises(UsageError) as caught:
            one.load_state_dict(saved)
        assert str(one.state_dict()) == str(before)
        return str(caught.value)

    own, other = normalized.fingerprint, with_rule(gd, alpha=0.1)
    assert refusal(model(other).state_dict()) == (
        f"what was saved is of normalized {other.fingerprint}, not of normalized {own}; take the "
        "network that it was saved from"
    )
    assert refusal(symopt.compile(normalized).state_dict()) == (
        "what was saved of normalized is float32, but this model is float64; compile it with "
        'dtype="float32"'
    )
    assert refusal({}) == ("what was saved is no state of a network; normalized has not changed")
    short = {**before, "layers": before["layers"][:2]}
    assert refusal(short).startswith("what was saved of normalized is not whole: ")
    assert refusal({**before, "optimizer": {}}).startswith(
        "what was saved of normalized is not whole: "
    )


def slopes(one, x, targets, h=1e-5):
    """dJ/dθ by central differences, one parameter after the other."""
    found = {}
    for name, array in one.parameters.items():
        flat, slope = array.reshape(-1), np.empty(array.size)
        for place, before in enumerate(flat.copy()):
            sides = []
            for side in (h, -h):
                flat[place] = before + side
                sides.append(one._forward(x, targets, training=True) + one.penalties())
            flat[place] = before
            slope[place] = (sides[0] - sides[1]) / (2 * h)
        found[name] = slope.reshape(array.shape)
    return found


def moved(one, x, targets):
    """The change of each parameter in one step of plain descent at α = 1, its sign turned."""
    before = {name: array.copy() for name, array in one.parameters.items()}
    one.train_step(x, targets)
    return {name: before[name] - array for name, array in one.parameters.items()}


@loss(over="C")
def entropic():
    """A loss that reads its target before its output."""
    z, target = given("z"), given("target")
    total = statistic("loss", latex=r"\ell", unicode="ℓ")
    return {"loss": Eq(total, Sigma(target[i] * exp(-z[i]) + z[i], (i, 1, m)))}


REGRESSIONS = {
    "squared error": squared_error,
    "the target first": entropic,
}


@pytest.mark.parametrize("name", REGRESSIONS)
def test_a_network_learns_numbers_by_a_loss_of_output_and_target(name):
    declared = trained_by(normalized, gd, None)
    declared = replace(declared, loss=REGRESSIONS[name](), rule=gd(alpha=1.0))
    x, _ = batch()
    targets = np.random.default_rng(5).uniform(1, 2, size=x.shape)
    expected, found = slopes(model(declared), x, targets), moved(model(declared), x, targets)
    for key, slope in expected.items():
        assert np.allclose(found[key], slope, rtol=0, atol=1e-8)
    if name == "the target first":
        z = model(declared).predict(x)
        value = np.mean(np.sum(targets * np.exp(-z) + z, axis=1))
        assert model(declared).evaluate(x, targets).loss == pytest.approx(value, rel=1e-13)


def test_an_image_network_with_windows_dropout_and_penalties_has_the_gradient_of_differences():
    @network(inputs=(1, 4, 4))
    def images():
        return {
            "layers": [
                convolution(O=2, A=3, B=3, padding=1, stride=2),
                batch_norm,
                hyperbolic_tangent,
                flatten,
                dropout(p=0.3),
                affine(K=3),
            ],
            "loss": softmax_cross_entropy,
            "penalties": [penalty(l2, 0.1, "W"), penalty(elastic_net, 0.01, "b", "gamma")],
            "rule": gd(alpha=1.0),
        }

    numbers = np.random.default_rng(2)
    x, labels = numbers.normal(size=(6, 1, 4, 4)), numbers.integers(0, 3, 6)

    def made():
        one = model(images)
        for name, array in one.parameters.items():
            if name.endswith(".b"):
                array += 0.1  # away from the kink of the penalty
        return one

    probe = made()
    drops = probe.layers[4]
    forward = probe._forward

    def with_one_mask(*arguments, **named):
        drops.step = 0
        return forward(*arguments, **named)

    probe._forward = with_one_mask
    expected, found = slopes(probe, x, labels), moved(made(), x, labels)
    for key, slope in expected.items():
        assert np.allclose(found[key], slope, rtol=0, atol=1e-8), key


def test_a_step_that_fails_changes_nothing():
    declared = replace(normalized, layers=(*normalized.layers, dropout(p=0.5)))
    tried, alone = model(declared), model(declared)
    x, labels = batch()
    wrong = x.copy()
    wrong[0, 0] = np.nan
    huge = (x * 1e200).astype(np.float64)
    for _ in range(3):
        for bad, targets in ((wrong, labels), (x, labels + 4), (huge, labels)):
            with pytest.raises((ValueError, DivergenceError)), np.errstate(all="ignore"):
                tried.train_step(bad, targets)
        assert tried.train_step(x, labels) == alone.train_step(x, labels)
    assert tried.evaluate(x, labels) == alone.evaluate(x, labels)


def test_numbers_too_large_for_the_running_averages_are_told():
    x, labels = batch(dtype=np.float32)
    with pytest.raises(DivergenceError) as caught, np.errstate(all="ignore"):
        symopt.compile(normalized).train_step(x * np.float32(1e25), labels)
    assert str(caught.value) == (
        "normalized at step 1: numbers are too large; the running averages of batch_norm are not "
        "finite, scale the data"
    )


def test_members_of_the_ensemble_differ_and_training_goes_on_as_if_none_had_drawn():
    declared = replace(normalized, layers=(*normalized.layers, dropout(p=0.5)))
    looked, alone = model(declared), model(declared)
    x, labels = batch()
    for _ in range(2):
        assert looked.train_step(x, labels) == alone.train_step(x, labels)
        assert not np.array_equal(looked.member(x), looked.member(x))


def test_losses_and_layers_that_read_too_much_are_refused():
    w = given("w")

    @loss(over="C")
    def weighted():
        z, target = given("z"), given("target")
        total = statistic("loss")
        return {"loss": Eq(total, Sigma(w[i] * (z[i] - target[i]) ** 2, (i, 1, m)))}

    @layer
    def gate():
        x, y = given("x"), sequence("y")
        return {"output": Eq(y[i], x[i] * w[i])}

    with pytest.raises(UsageError) as caught:
        model(replace(normalized, loss=weighted()))
    assert str(caught.value) == (
        "weighted reads w, z, target from outside; in a network a loss reads its output and either "
        "labels or a letter given('target')"
    )
    with pytest.raises(UsageError) as caught:
        model(replace(normalized, layers=(gate(),)))
    assert str(caught.value) == (
        "normalized: the input gives (4,) to gate, which does not fit: gate reads xᵢ and wᵢ; a "
        "chain of layers passes on one"
    )
    with pytest.raises(UsageError) as caught:
        model(replace(normalized, layers=(affine(K=1),), penalties=()))
    assert str(caught.value) == (
        "normalized ends in affine with one output, but softmax_cross_entropy has a label for each "
        "of several; give it two outputs or more"
    )
    with pytest.raises(UsageError) as caught:
        model(replace(normalized, schedule=reduce_on_plateau()))
    assert str(caught.value) == (
        "normalized uses reduce_on_plateau, which needs alpha; write reduce_on_plateau(alpha=…), "
        "or let the declaration say where it starts"
    )
    with pytest.raises(UsageError) as caught:
        symopt.compile(normalized, seed=-1)
    assert str(caught.value) == "seed is -1; take a whole number from 0 on"


def test_a_dtype_that_no_kernel_knows_is_refused():
    with pytest.raises(UsageError) as caught:
        symopt.compile(normalized, dtype="float16")
    assert str(caught.value) == "there is no dtype 'float16'; known are float32, float64"
    with pytest.raises(UsageError) as caught:
        symopt.compile(adam, dtype="float32")
    assert str(caught.value) == (
        "adam is an update rule, whose kernels take arrays of any dtype they know; dtype and seed "
        "are of networks"
    )
