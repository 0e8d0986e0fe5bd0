"""States in bfloat16: how they are rounded, what is random, and what is refused."""

import inspect
import math
import pickle

import numba
import numpy as np
import pytest
import torch
from sympy import Eq, sqrt

from symopt import (
    UpdateRule,
    compile,
    debias,
    get_threads,
    hat,
    initially,
    set_threads,
    update_rule,
)
from symopt.errors import SymoptError
from symopt.runtime.kept_texts import text_of
from symopt.symbols import alpha, beta, g, t, theta, u, v
from symopt.targets.target import Options

BFLOAT16 = Options(states="bfloat16")


@pytest.fixture(scope="module")
def adam(library):
    return compile(library["adam"], BFLOAT16)


@pytest.fixture(scope="module")
def momentum(library):
    return compile(library["momentum"], BFLOAT16)


@pytest.fixture(scope="module")
def compiled(adam):
    """Rounding and drawing over arrays, by the functions of a generated module."""
    rounded, drawn, key_of = adam._rounded, adam._drawn, adam._key_of

    @numba.njit
    def round_all(numbers, random):
        found = np.empty((len(numbers), len(random)), np.uint16)
        for i in range(len(numbers)):
            for j in range(len(random)):
                found[i, j] = rounded(numbers[i], random[j])
        return found

    @numba.njit
    def draw(seed, step, tensor, number, first, count):
        key, found = key_of(seed, step, tensor, number), np.empty(count, np.uint32)
        for i in range(count):
            found[i] = drawn(first + i, key)
        return found

    return round_all, draw


ALL_RANDOM = np.arange(2**16, dtype=np.uint32)


def of_bits(*bits):
    return np.array(bits, np.uint32).view(np.float32)


def nearest(numbers):
    """PyTorch's rounding, as bits."""
    return torch.tensor(numbers).to(torch.bfloat16).view(torch.int16).numpy().view(np.uint16)


def test_of_all_random_words_as_many_round_up_as_the_fraction_says(compiled):
    """Exactly unbiased: the mean over all words of 16 bits is the number itself."""
    rng = np.random.default_rng(0)
    numbers = of_bits(*rng.integers(0, 0x7F7F0000, 200), 1, 0xFFFF, 0x3F800001, 0x80000001)
    found = compiled[0](numbers, ALL_RANDOM)
    low = numbers.view(np.uint32)
    down = (low >> 16).astype(np.uint16)
    assert np.isin(found - down[:, None], (0, 1)).all()
    np.testing.assert_array_equal((found != down[:, None]).sum(axis=1), low & 0xFFFF)


def test_what_is_bfloat16_is_kept_and_a_nan_stays_one(compiled, adam):
    bits = np.arange(2**16, dtype=np.uint16)
    numbers = adam.as_float32(bits)
    found = compiled[0](numbers, np.array([0, 1, 0x8000, 0xFFFF], np.uint32))
    number = ~np.isnan(numbers)
    assert (found[number] == bits[number, None]).all()
    assert np.isnan(adam.as_float32(found[~number])).all()
    odd = of_bits(0x7F800001, 0x7FFFFFFF, 0xFF800001, 0xFFFFFFFF)  # by their low bits alone
    assert np.isnan(adam.as_float32(compiled[0](odd, ALL_RANDOM[::255]))).all()
    np.testing.assert_array_equal(np.signbit(odd), [False, False, True, True])


def test_a_finite_number_is_never_rounded_to_infinity(compiled):
    largest = np.array([np.finfo(np.float32).max, -np.finfo(np.float32).max])
    found = compiled[0](largest.astype(np.float32), ALL_RANDOM)
    assert set(found[0]) == {0x7F7F}
    assert set(found[1]) == {0xFF7F}


def test_the_nearest_is_that_of_pytorch(adam):
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2**32, 20_000, dtype=np.uint32)
    bits[:3] = 0x3F808000, 0x3F818000, 0x7F7FFFFF  # ties, and the largest
    numbers = bits.view(np.float32)
    known = ~np.isnan(numbers)
    np.testing.assert_array_equal(adam.as_bfloat16(numbers)[known], nearest(numbers)[known])
    assert np.isnan(adam.as_float32(adam.as_bfloat16(numbers)[~known])).all()
    for shaped in (np.float32(1.01).reshape(()), np.asfortranarray(numbers.reshape(100, 200))):
        found = adam.as_bfloat16(shaped)
        assert isinstance(found, np.ndarray)
        assert (found.shape, found.flags.f_contiguous) == (shaped.shape, True)


def test_the_mean_over_places_and_seeds_is_the_number(adam):
    """With β₁ = β₂ = 0 the new states are g and g²; bounds are five standard deviations."""
    size, seeds = 4096, 50
    for number in (1.0 + 2**-12, -0.3, 3.14159, 1e-30 / 3):
        g = np.full(size, number, np.float32)
        up = np.zeros(2)
        for seed in range(seeds):
            kept = np.zeros((2, size), np.uint16)
            adam.step(np.ones(size, np.float32), g, *kept, 1, beta_1=0.0, beta_2=0.0, seed=seed)
            exact = np.array([g[0], g[0] * g[0]]).view(np.uint32)
            up += (kept != (exact >> 16)[:, None]).sum(axis=1)
        p, count = (exact & 0xFFFF) / 2**16, size * seeds
        assert (np.abs(up / count - p) <= 5 * np.sqrt(p * (1 - p) / count)).all()


# another seed, step, tensor and draw than 0, 1, 0, 0, and two of them changed about
OTHER_KEYS = ((1, 1, 0, 0), (0, 2, 0, 0), (0, 1, 1, 0), (0, 1, 0, 1), (1, 0, 0, 0))


def test_seeds_steps_and_tensors_draw_independently_and_not_one_shifted(compiled):
    count, lags = 1 << 16, range(-40, 41)
    base = compiled[1](0, 1, 0, 0, 0, count)
    others = [compiled[1](*key, 0, count) for key in OTHER_KEYS]
    halves = [(one & 0xFFFF, one >> 16) for one in (base, *others)]
    unit = [[(half - 32767.5) / np.std(ALL_RANDOM) for half in pair] for pair in halves]
    (low, high), *rest = unit
    pairs = [(low, high), *((mine, one) for mine in (low, high) for pair in rest for one in pair)]
    # 21 pairs at 81 lags: one in a million that a correlation of nothing is beyond six
    for one, other in pairs:
        for lag in lags:
            assert abs(np.mean(one * np.roll(other, lag))) < 6 / math.sqrt(count)
    for half in (low, high):
        assert all(
            abs(np.mean(half * np.roll(half, lag))) < 6 / math.sqrt(count) for lag in lags[41:]
        )
        assert abs(np.mean(half)) < 6 / math.sqrt(count)
    # nor is it the same under another order of places, as a counter with the key xored in would be
    for other in others:
        assert len(np.intersect1d(base, other)) < 20  # 1 expected of 2^16 · 2^16 / 2^32


def test_what_is_drawn_follows_the_place_alone(compiled):
    whole = compiled[1](5, 3, 2, 1, 0, 1000)
    np.testing.assert_array_equal(compiled[1](5, 3, 2, 1, 300, 700), whole[300:])


SIZES = (0, 7, 70_001, 33_333)


def run(module, threads, seed=3, steps=3):
    rng = np.random.default_rng(0)
    before = get_threads()
    set_threads(threads)
    try:
        params = [rng.normal(size=size).astype(np.float32) for size in SIZES]
        made = module.Adam(params, seed=seed)
        for _ in range(steps):
            made.step([rng.normal(size=size).astype(np.float32) for size in SIZES])
    finally:
        set_threads(before)
    return made


def bits(made):
    states = [one.tobytes() for state in made.states for one in state.values()]
    return [one.tobytes() for one in made.params], states


def test_the_bits_do_not_depend_on_threads_but_on_the_seed(adam):
    alone = bits(run(adam, 1))
    assert bits(run(adam, 2)) == alone
    assert bits(run(adam, 1, seed=4))[1] != alone[1]
    # however the tensors are cut
    made = run(adam, 1, steps=2)
    made._table._divide(7)
    made._table.parts = 1
    rng = np.random.default_rng(0)
    drawn = [[rng.normal(size=size).astype(np.float32) for size in SIZES] for _ in range(4)]
    before = get_threads()
    set_threads(1)
    try:
        made.step(drawn[3])
    finally:
        set_threads(before)
    assert bits(made) == alone


def test_one_tensor_is_a_step_of_its_own_and_runs_go_on_from_what_was_saved(adam):
    rng = np.random.default_rng(0)
    start, *grads = (rng.normal(size=(40, 1001)).astype(np.float32) for _ in range(5))
    made = adam.Adam([start.copy()], seed=9)
    theta, states = start.copy(), adam.initial_states(start)
    saved = None
    for k, one in enumerate(grads):
        if k == 2:
            saved = pickle.loads(pickle.dumps((made.state_dict(), made.params[0].copy())))
        made.step([one])
        adam.step(theta, one, **states, t=k + 1, seed=9)
    assert bits(made) == ([theta.tobytes()], [states["v"].tobytes(), states["G"].tobytes()])
    again = adam.Adam([saved[1]])
    again.load_state_dict(saved[0])
    for one in grads[2:]:
        again.step([one])
    assert bits(again) == bits(made)


def rules_with_states(library):
    for name, rule in library.items():
        if not isinstance(rule, UpdateRule):
            continue
        plain = compile(rule)
        if plain.initial_states(np.zeros(1, np.float32)):
            yield name, compile(rule, BFLOAT16), plain
            continue
        message = refusal(lambda one=rule: compile(one, BFLOAT16), SymoptError)
        assert message == (
            f"{name} has no state of its parameters' shape to keep in bfloat16; leave states out"
        )


def test_a_step_is_that_in_float32_from_what_the_states_are(library):
    """Each stored state is within one ulp of bfloat16; parameters are as far as fusing goes."""
    found = []
    for name, module, plain in rules_with_states(library):
        found.append(name)
        rng = np.random.default_rng(2)
        theta, g = (rng.normal(size=3001).astype(np.float32) for _ in range(2))
        keys = list(module.initial_states(theta))
        states = {k: module.as_bfloat16(rng.uniform(0.5, 2, 3001).astype("f4")) for k in keys}
        wide = {key: module.as_float32(one) for key, one in states.items()}
        numbers = {
            key: 0.5
            for key, one in inspect.signature(plain.step).parameters.items()
            if one.default is inspect.Parameter.empty and key not in ("theta", "g", "t", *keys)
        }
        step = {"t": 4} if "t" in inspect.signature(plain.step).parameters else {}
        before, other = theta.copy(), theta.copy()
        if hasattr(module, "gradient_point"):
            np.testing.assert_array_equal(
                module.gradient_point(theta, **states), plain.gradient_point(theta, **wide)
            )
        module.step(theta, g, **states, t=4, seed=1, **numbers)
        plain.step(other, g, **wide, **step, **numbers)
        # the compilers fuse other products with sums: eight roundings of what enters are allowed
        size = np.abs(before) + np.abs(g) + sum(map(np.abs, wide.values())) + np.abs(other - before)
        assert (np.abs(theta - other) <= 8 * 2**-24 * size).all()
        for key, one in states.items():
            ulp = 2.0 ** (np.floor(np.log2(np.abs(wide[key]))) - 7)
            assert (np.abs(module.as_float32(one) - wide[key]) <= ulp).all()
    assert len(found) >= 6


def test_numbers_that_all_elements_share_stay_in_float64():
    @update_rule
    def shared():
        """Two numbers carried along beside an average."""
        return {
            "number": Eq(u[t], beta * u[t - 1] + 1),
            "average": Eq(v[t], v[t - 1] / t + 3 * g[t]),
            "start": initially(1, u, v),
            "correction": debias(v),
            "step": Eq(theta[t + 1], theta[t] - alpha * hat(v)[t] / sqrt(u[t])),
        }

    module = compile(shared, BFLOAT16)
    states = module.initial_states(np.zeros(3, np.float32))
    # of an average whose weights follow the step, two more numbers are carried along
    shared_numbers = dict.fromkeys(("u", "v_decay", "v_response"), "float64")
    assert {key: one.dtype.name for key, one in states.items()} == {**shared_numbers, "v": "uint16"}
    np.testing.assert_array_equal(module.as_float32(states["v"]), np.ones(3))
    made = module.Shared([np.zeros(3, np.float32)], alpha=0.1, beta=0.9)
    made.step([np.ones(3, np.float32)])
    assert made.states[0]["u"] == 1.9


def test_the_files_say_that_states_are_rounded(library):
    code, latex = (text_of(library["adam"], name, BFLOAT16) for name in ("numba", "latex"))
    assert "    vₜ₋₁ ↦ R(vₜ₋₁), Gₜ₋₁ ↦ R(Gₜ₋₁)\n" in code
    assert r"$v_{t-1} \mapsto R(v_{t-1}), G_{t-1} \mapsto R(G_{t-1})$: R rounds" in latex
    plain = library["adam"].fingerprint
    assert plain not in code
    assert plain not in latex


def refusal(call, error=ValueError):
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


def test_what_is_refused(library, adam, momentum):
    rule, layer = library["adam"], library["layer_norm"]
    refused = {
        (rule, Options(states="float16")): "there are no states in 'float16'; known is bfloat16, "
        "and by default states are of the parameters' dtype",
        (rule, Options(dtypes=("float64",), states="bfloat16")): "adam: states in bfloat16 go with "
        "float32 arrays, not with float64; take float32, or leave states out",
        (layer, BFLOAT16): "layer_norm is a layer, but states in bfloat16 are of update rules; "
        "leave states out",
    }
    for (declared, options), message in refused.items():
        assert refusal(lambda d=declared, o=options: compile(d, o), SymoptError) == message
    x, kept = np.ones(3, np.float32), np.zeros(3, np.uint16)
    calls = {
        lambda: adam.step(x, x.copy(), x.copy(), kept, 1): "adam: v has dtype float32; uint16 is "
        "needed, which as_bfloat16 makes",
        lambda: adam.Adam([np.ones(3)]): "adam: theta has dtype float64; float32 is needed",
        lambda: adam.step(x, kept, kept.copy(), kept.copy(), 1): "adam: g has dtype uint16; "
        "float32 is needed",
        lambda: adam.step(x, x.copy(), kept, kept, 1): "adam: v and G overlap in memory; copy one",
        lambda: momentum.Momentum([x], seed=0.5): "momentum: seed = 0.5 is outside its range "
        "{0, …, 9007199254740991}",
        lambda: momentum.step(x, x.copy(), kept, 0): "momentum: t is 0, but steps are whole "
        "numbers from 1 on",
    }
    for call, message in calls.items():
        assert refusal(call) == message
    np.testing.assert_array_equal(x, np.ones(3))
    saved = compile(rule).Adam([x]).state_dict()
    message = refusal(lambda: adam.Adam([x]).load_state_dict(saved))
    assert message.startswith("adam: what was saved is no state of these parameters: it is of")
