"""What an object has seen is not checked again, and what is new or wrong of it never slips through.

Each case is told apart from an object that has seen nothing: the same answer, or the same sentence.
"""

import copy
import pickle

import numpy as np
import pytest

from symopt import compile
from symopt.catalog.lecture.batch_norm import batch_norm
from symopt.catalog.lecture.instance_norm import instance_norm
from symopt.catalog.lecture.layer_norm import layer_norm
from symopt.catalog.lecture.rms_norm import rms_norm

DRAW = np.random.default_rng(0)


def drawn(*shape):
    return DRAW.normal(size=shape).astype(np.float32)


def made(**facts):
    return compile(batch_norm).BatchNorm(4, **facts)


def seen(*shapes):
    """An object with reuse that has met inputs of these shapes, several times each."""
    layer = made(reuse=True)
    for shape in shapes * 3:
        layer(drawn(*shape))
        layer.backward(drawn(*shape))
    return layer


def fresh(layer):
    """One that has seen nothing, in the same state."""
    other = made(dtype=layer.gamma.dtype)
    other.load_state_dict(layer.state_dict())
    return other


def passes(layer, x, dy):
    y = layer(x).copy()
    dx = layer.backward(dy).copy()
    learned = [layer.gradients[name].copy() for name in ("gamma", "beta")]
    averages = [one.copy() for one in layer.averages.values()]
    return [y, dx, *learned, *averages]


def channels_last(*shape):
    return np.moveaxis(drawn(shape[0], *shape[2:], shape[1]), -1, 1)


INPUTS = {
    "elsewhere": lambda: drawn(8, 4),
    "of another length": lambda: drawn(9, 4),
    "of more axes": lambda: drawn(8, 4, 1),
    "with space": lambda: drawn(2, 4, 3, 5),
    "with space, channels last": lambda: channels_last(2, 4, 3, 5),
    "every other row": lambda: drawn(16, 4)[::2],
    "read-only": lambda: (one := drawn(8, 4), one.setflags(write=False))[0],
    "transposed": lambda: drawn(4, 8).T,
    "misaligned": lambda: np.frombuffer(b"0" + drawn(8, 4).tobytes(), np.float32, 32, 1).reshape(
        8, 4
    ),
}


@pytest.mark.parametrize("name", INPUTS)
def test_an_input_that_is_new_in_any_way_is_answered_as_by_an_object_that_has_seen_none(name):
    make = INPUTS[name]
    shape = make().shape
    layer = seen((8, 4), (8, 4, 1), (2, 4, 3, 5))
    for x, dy in [(make(), drawn(*shape)), (make(), make()), (drawn(*shape), make())]:
        other = fresh(layer)
        for one, wanted in zip(passes(layer, x, dy), passes(other, x, dy), strict=True):
            np.testing.assert_array_equal(one, wanted)


def average_as_input(layer):
    """Eight rows of four float32 that reach into an average, which lies behind them."""
    room = np.zeros(20)
    layer.mu_hat = room[14:18]
    return room.view(np.float32)[:32].reshape(8, 4)


WRONG = {
    "float64": lambda _: drawn(8, 4).astype(np.float64),
    "whole numbers": lambda _: np.ones((8, 4), np.int32),
    "swapped bytes": lambda _: drawn(8, 4).astype(">f4"),
    "five channels": lambda _: drawn(8, 5),
    "a list": lambda _: [[0.0] * 4] * 8,
    "a mask": lambda _: np.ma.masked_array(drawn(8, 4), mask=False),
    "nothing": lambda _: None,
    "no rows": lambda _: drawn(0, 4),
    "a number": lambda _: 1.0,
    "in the memory of an average": average_as_input,
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_input_is_refused_in_the_same_words_and_changes_nothing(name):
    layer = seen((8, 4))
    x = WRONG[name](layer)
    if name == "in the memory of an average":
        # the average is known where it lies now, before the input comes to reach into it
        for _ in range(2):
            layer(drawn(8, 4))
    before = layer.state_dict()
    messages = []
    for one in (layer, layer, with_arrays_of(layer)):
        with pytest.raises(ValueError) as error:  # noqa: PT011  # the whole message is compared
            one(x)
        messages.append(str(error.value))
    assert len(set(messages)) == 1
    for key, one in before["arrays"].items():
        np.testing.assert_array_equal(layer.state_dict()["arrays"][key], one)


def with_arrays_of(layer):
    other = made()
    for key in ("gamma", "beta", "mu_hat", "sigma2_hat"):
        setattr(other, key, getattr(layer, key))
    return other


def reshaped(layer):
    layer.gamma.shape = (2, 2)


def typed(layer):
    layer.gamma.dtype = np.int32


def locked(layer):
    layer.mu_hat.setflags(write=False)


def one_array(layer):
    layer.sigma2_hat = layer.mu_hat


def longer(layer):
    layer.beta = np.zeros(5, np.float32)


def of_another_dtype(layer):
    layer.beta = np.zeros(4)


def junk(layer):
    layer.hyperparameters["epsilon"] = "junk"


def negative(layer):
    layer.hyperparameters["alpha"] = -1.0


@pytest.mark.parametrize(
    "spoil", [reshaped, typed, locked, one_array, longer, of_another_dtype, junk, negative]
)
def test_what_was_right_and_is_changed_is_refused(spoil):
    layer, x = seen((8, 4)), drawn(8, 4)
    spoil(layer)
    other = with_arrays_of(layer)
    other.hyperparameters = layer.hyperparameters
    messages = []
    for one in (layer, layer, other):
        with pytest.raises(ValueError) as error:  # noqa: PT011  # the whole message is compared
            one(x)
        messages.append(str(error.value))
    assert len(set(messages)) == 1


def test_parameters_may_be_replaced_and_numbers_changed():
    layer, x, dy = seen((8, 4)), drawn(8, 4), drawn(8, 4)
    layer.gamma, layer.mu_hat = drawn(4), np.ones(4)
    layer.hyperparameters["epsilon"] = 0.25
    other = fresh(layer)
    for one, wanted in zip(passes(layer, x, dy), passes(other, x, dy), strict=True):
        np.testing.assert_array_equal(one, wanted)


def test_a_division_by_zero_is_found_again_and_forgotten_when_it_is_gone():
    layer = made(reuse=True, epsilon=0.0)
    good, bad = drawn(8, 4), np.ones((8, 4), np.float32)
    for x in (good, good, bad, bad, good, bad, good):
        if x is good:
            other = fresh(layer)
            np.testing.assert_array_equal(layer(x), other(x))
        else:
            with pytest.raises(ValueError, match="which is 0 at c = 0"):
                layer(x)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_writes_into_arrays_of_its_own(copied):
    layer, x, dy = seen((8, 4)), drawn(8, 4), drawn(8, 4)
    layer(x)
    layer.backward(dy)
    other, again = copied(layer), drawn(8, 4)
    held = layer(x).copy()
    for one in (other, other):
        model = fresh(one)
        for found, wanted in zip(passes(one, again, dy), passes(model, again, dy), strict=True):
            np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(layer(x), held)


def test_modules_that_share_a_dict_do_not_take_each_other_s_calls():
    """Two layers with the same arguments of the same shapes, and one with fewer of them."""
    x, scale, shift, kept = drawn(8, 4), drawn(4), drawn(4), {}
    # the same object for all, as numbers are known by
    same = {"epsilon": 1e-5}
    modules = [compile(one) for one in (layer_norm, instance_norm, rms_norm)]
    for _ in range(3):
        for module in modules:
            arrays = (x, scale, shift)[: 3 - (module is modules[2])]
            for found, wanted in zip(
                module.forward(*arrays, **same, kept=kept), module.forward(*arrays), strict=True
            ):
                np.testing.assert_array_equal(found, wanted)


def test_gradients_that_several_groups_add_to_start_from_zero_each_time():
    layer = compile(layer_norm).LayerNorm(4, reuse=True)
    x, dy = drawn(8, 4), drawn(8, 4)
    found = []
    for _ in range(3):
        layer(x)
        layer.backward(dy)
        found.append(layer.gradients["beta"].copy())
    np.testing.assert_array_equal(found[0], found[2])
    # eight terms: seven roundings of half an ulp of their magnitudes, and a last one
    exact, magnitudes = dy.sum(0, dtype=np.float64), np.abs(dy).sum(0, dtype=np.float64)
    assert (np.abs(found[0] - exact) <= 8 * np.finfo(np.float32).eps / 2 * magnitudes).all()
