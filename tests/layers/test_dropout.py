"""Dropout as generated: its random words, its mask in both passes, its class, what it refuses."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from symopt.catalog.lecture.dropout import dropout
from symopt.runtime.compiling import compile

SHAPE = (3, 5, 7)
# counter, key and words of the known answers that come with Random123
KNOWN = [
    ((0,) * 4, (0,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.fixture(scope="module")
def module():
    return compile(dropout)


@pytest.fixture
def arrays():
    random = np.random.default_rng(5)
    return random.normal(size=SHAPE), random.normal(size=SHAPE)


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_random_words_are_the_published_ones(module, counter, key, words):
    assert module._philox(*map(np.uint64, (*counter, *key))) == words


def test_a_mask_is_made_of_the_words_at_its_positions(module):
    """Counter: position/4 and step, low half first; key: the seed; and position mod 4 picks."""
    seed, step, p = 0x299F31D0A4093822, 0x0370734413198A2E, 0.25
    mask = module.mask(10, seed, step, p)
    for position in range(10):
        words = module._philox(
            *map(np.uint64, (position // 4, 0, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0))
        )
        assert mask[position] == (words[position % 4] < 0.75 * 2**32)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_both_passes_use_the_mask_and_the_scale(module, arrays, dtype):
    x, dy = (one.astype(dtype) for one in arrays)
    p = 0.3
    mask = module.mask(SHAPE, 3, 4, p)
    assert 0 < mask.sum() < mask.size
    # one rounding of the scale, one of the product
    scale, rounding = dtype(1 / (1 - p)), 2 * np.finfo(dtype).eps
    np.testing.assert_allclose(module.forward(x, 3, 4, p), x * mask * scale, rtol=rounding)
    np.testing.assert_allclose(module.backward(dy, 3, 4, p), dy * mask * scale, rtol=rounding)


def test_the_gradient_is_that_of_torchs_automatic_differentiation(module, arrays):
    x, dy = arrays
    p = 0.4
    leaf = torch.tensor(x, requires_grad=True)
    mask = torch.tensor(module.mask(SHAPE, 1, 2, p))
    y = torch.where(mask, leaf / (1 - p), 0.0)
    (y * torch.tensor(dy)).sum().backward()
    np.testing.assert_allclose(module.forward(x, 1, 2, p), y.detach().numpy(), rtol=1e-15)
    np.testing.assert_allclose(module.backward(dy, 1, 2, p), leaf.grad.numpy(), rtol=1e-15)


def test_with_p_0_nothing_changes_by_a_single_bit(module):
    x = np.array([1.1, -0.0, math.inf, -math.inf, math.nan, 5e-324])
    for found in (module.forward(x, 1, 2, 0.0), module.backward(x, 1, 2, 0.0), module.inference(x)):
        assert found.tobytes() == x.tobytes()
        assert found is not x
    assert module.mask(100_000, 9, 9, 0.0).all()


def test_with_p_next_to_1_next_to_nothing_is_kept(module):
    p = math.nextafter(1.0, 0.0)
    assert not module.mask(100_000, 9, 9, p).any()
    assert (module.forward(np.ones(9), 9, 9, p) == 0).all()


def test_a_dropped_nan_is_not_hidden(module):
    x = np.full(64, math.nan)
    assert np.isnan(module.forward(x, 0, 0)).all()
    assert np.isnan(module.backward(x, 0, 0)).all()


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 1023, 1024, 1025, 4099])
def test_a_mask_does_not_depend_on_where_an_array_ends(module, size):
    """Nor on blocks of 1024, nor on the dtype, nor on the shape."""
    whole = module.mask(5000, 7, 8)
    np.testing.assert_array_equal(module.mask(size, 7, 8), whole[:size])
    for dtype in (np.float32, np.float64):
        kept = module.forward(np.ones(size, dtype), 7, 8) != 0
        np.testing.assert_array_equal(kept, whole[:size])
    np.testing.assert_array_equal(module.mask((size, 1, 1), 7, 8).ravel(), whole[:size])


def test_a_number_without_axes_has_a_mask_too(module):
    assert module.mask((), 0, 0).shape == ()
    assert module.forward(np.array(3.0), 0, 0) in (0.0, 6.0)


def test_a_mask_does_not_depend_on_how_an_array_lies_in_memory(module, arrays):
    x, _ = arrays
    plain = module.forward(x, 1, 1)
    for other in (np.asfortranarray(x), np.repeat(x, 2, axis=2)[..., ::2], x[::-1].copy()[::-1]):
        np.testing.assert_array_equal(module.forward(other, 1, 1), plain)


def test_many_threads_draw_what_one_draws(module):
    x = np.ones(50_000, np.float32)
    alone = [module.forward(x, 5, step) for step in range(16)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda step: module.forward(x, 5, step), range(16)))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


# the class


def test_each_call_in_training_draws_anew_and_backward_draws_the_same_again(module, arrays):
    x, dy = arrays
    layer = module.Dropout(0.3, seed=11, dtype=np.float64)
    for step in range(3):
        assert layer.step == step
        np.testing.assert_array_equal(layer(x), module.forward(x, 11, step, 0.3))
        for _ in range(2):
            np.testing.assert_array_equal(layer.backward(dy), module.backward(dy, 11, step, 0.3))
    assert layer.gradients == layer.parameters == layer.averages == {}


def test_what_is_set_between_the_passes_does_not_change_the_gradient(module, arrays):
    x, dy = arrays
    layer = module.Dropout(0.3, seed=11)
    layer(x)
    layer.hyperparameters["p"], layer.seed, layer.step = 0.9, 12, 77
    np.testing.assert_array_equal(layer.backward(dy), module.backward(dy, 11, 0, 0.3))


def test_evaluation_gives_a_copy_and_draws_nothing(module, arrays):
    x, dy = arrays
    layer = module.Dropout(0.3, seed=2)
    layer(x)
    layer.evaluate()
    y = layer(x)
    assert y is not x
    assert y.tobytes() == x.tobytes()
    layer.train()
    assert layer.step == 1
    np.testing.assert_array_equal(layer.backward(dy), module.backward(dy, 2, 0, 0.3))


def test_training_goes_on_to_the_same_bits_after_a_restart(module, arrays):
    x, _ = arrays
    layer = module.Dropout(0.3, seed=2**64 - 1)
    for _ in range(4):
        layer(x)
    saved = layer.state_dict()
    assert (saved["seed"], saved["step"]) == (2**64 - 1, 4)
    wanted = [layer(x) for _ in range(3)]
    other = module.Dropout(0.9)
    other.load_state_dict(saved)
    for one in wanted:
        np.testing.assert_array_equal(other(x), one)


def test_with_reuse_results_stay_in_place_and_hold_the_same_bits(module, arrays):
    x, dy = arrays
    fresh, reused = module.Dropout(seed=1), module.Dropout(seed=1, reuse=True)
    first = reused(x)
    np.testing.assert_array_equal(first, fresh(x))
    second = reused(x)
    assert second is first
    np.testing.assert_array_equal(second, fresh(x))
    np.testing.assert_array_equal(reused.backward(dy), fresh.backward(dy))


# refusals

ONES = np.ones(3)
WORD = "but takes whole numbers from 0 to 2**64 - 1"
REFUSED = {
    "p is 1": (lambda d: d.forward(ONES, 0, 0, 1.0), "p = 1.0 is outside its range [0, 1)"),
    "p is negative": (
        lambda d: d.backward(ONES, 0, 0, -0.1),
        "p = -0.1 is outside its range [0, 1)",
    ),
    "p is no number": (
        lambda d: d.mask(3, 0, 0, math.nan),
        "p = nan is outside its range [0, 1)",
    ),
    "p is a word": (lambda d: d.Dropout("half"), "p is 'half', not a number in [0, 1)"),
    "p of the class is 1": (lambda d: d.Dropout(1), "p = 1.0 is outside its range [0, 1)"),
    "a seed that is not whole": (lambda d: d.forward(ONES, 0.5, 0), f"seed is 0.5, {WORD}"),
    "a seed that is a float": (lambda d: d.mask(3, 1.0, 0), f"seed is 1.0, {WORD}"),
    "a seed that is a truth": (lambda d: d.Dropout(seed=True), f"seed is True, {WORD}"),
    "a seed that is too large": (lambda d: d.Dropout(seed=2**64), f"seed is {2**64}, {WORD}"),
    "a negative step": (lambda d: d.backward(ONES, 0, -1), f"step is -1, {WORD}"),
    "a step that is none": (lambda d: d.forward(ONES, 0, None), f"step is None, {WORD}"),
    "a negative length": (
        lambda d: d.mask((2, -1), 0, 0),
        "the shape is (2, -1), but takes whole numbers from 0 on",
    ),
    "a shape that is none": (
        lambda d: d.mask("3", 0, 0),
        "the shape is '3', but takes whole numbers from 0 on",
    ),
    "a list": (
        lambda d: d.forward([1.0], 0, 0),
        "the input is a list, not a NumPy array",
    ),
    "backward before a call": (
        lambda d: d.Dropout().backward(ONES),
        "backward needs a call in training before it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_by_one_sentence(module, case):
    act, wanted = REFUSED[case]
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the whole sentence is compared
        act(module)
    assert str(caught.value) == f"dropout: {wanted}"


def test_a_gradient_of_another_shape_or_dtype_is_refused(module):
    layer = module.Dropout(dtype=np.float64)
    layer(np.ones((2, 3)))
    for wrong, words in (
        (np.ones(6), "float64 and shape (6,)"),
        (np.ones((2, 3), np.float32), "float32 and shape (2, 3)"),
    ):
        with pytest.raises(ValueError) as caught:  # noqa: PT011  # the whole sentence is compared
            layer.backward(wrong)
        assert str(caught.value) == (
            f"dropout: dy is of {words}, but the output of the last call in training was of "
            "float64 and shape (2, 3)"
        )


def test_a_state_that_does_not_fit_is_refused_whole(module):
    layer = module.Dropout(0.3, seed=4)
    layer(ONES)
    saved = {**layer.state_dict(), "seed": 9}
    for wrong, words in (
        ({**saved, "step": -1}, f"dropout: step is -1, {WORD}"),
        ({**saved, "seed": 0.5}, f"dropout: seed is 0.5, {WORD}"),
        ({key: one for key, one in saved.items() if key != "step"}, "'step'"),
    ):
        with pytest.raises(ValueError) as caught:  # noqa: PT011  # the whole sentence is compared
            layer.load_state_dict(wrong)
        assert str(caught.value) == f"dropout: what was saved is no state of this layer: {words}"
        assert (layer.seed, layer.step) == (4, 1)


def test_the_last_step_is_taken_and_the_one_after_it_is_refused(module):
    layer = module.Dropout()
    layer.step = 2**64 - 1
    np.testing.assert_array_equal(layer(ONES), module.forward(ONES, 0, 2**64 - 1))
    with pytest.raises(ValueError, match=r"^dropout: step is 18446744073709551616, but takes"):
        layer(ONES)
