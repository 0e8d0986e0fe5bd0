"""Many tensors in one call: the bits of each by itself, and what is refused from step to step."""

import copy
import inspect
import itertools
import math
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from sampling import every
from sympy import Eq, sqrt

from symopt import compile, debias, get_threads, given, hat, initially, set_threads
from symopt.cli.library import catalogue
from symopt.declaration import UpdateRule
from symopt.symbols import alpha, beta, g, t, theta, u, v
from symopt.targets.target import Options

# empty, single, odd, at and around a cache line's and a block's length, and above the crossover
SIZES = (0, 1, 7, 64, 65, 1025, 0, 33_333, 70_001)


def class_of(module):
    """The optimizer class of a generated module."""
    return next(
        one for one in vars(module).values() if inspect.isclass(one) and "step" in vars(one)
    )


def shared_numbers():
    """Two numbers that all elements share and that are carried along, and an average of neither."""
    return {
        "number": Eq(u[t], beta * u[t - 1] + 1),
        "average": Eq(v[t], v[t - 1] / t + 3 * g[t]),
        "start": initially(1, u, v),
        "correction": debias(v),
        "step": Eq(theta[t + 1], theta[t] - alpha * hat(v)[t] / sqrt(u[t])),
    }


RULES = [one.name for one in catalogue() if isinstance(one, UpdateRule)]
OTHER_RULES = {
    "numbers carried along": shared_numbers,
    "two inputs": lambda: {"step": Eq(theta[t + 1], theta[t] - alpha * g[t] - given("h")[t])},
    "no input": lambda: {"step": Eq(theta[t + 1], beta * theta[t])},
    "no number": lambda: {"step": Eq(theta[t + 1], theta[t] - g[t])},
}
NUMBERS = {"alpha": 0.1, "beta": 0.9, "gamma": 0.5}


def check_bits(module, dtype, numbers):
    """Classes that divide tensors in one to three parts, beside a step of each tensor alone."""
    rng = np.random.default_rng(0)
    made = class_of(module)
    inputs = list(inspect.signature(made.step).parameters)[1:]
    lead = (3,) if {"m", "n"} & set(module._step.py_func.__code__.co_varnames) else ()

    def drawn(*lead):
        return [rng.normal(size=(*lead, size)).astype(dtype) for size in SIZES]

    starts, steps = drawn(), [[drawn(*lead) for _ in inputs] for _ in range(3)]
    alone = [one.copy() for one in starts]
    states = [module.initial_states(one) for one in alone]
    known = made([], **numbers).hyperparameters
    names = list(inspect.signature(module.prepare).parameters)
    for now, given_ in enumerate(steps, start=1):
        for k, one in enumerate(alone):
            own = dict(zip(names[1 : 1 + len(inputs)], (x[k] for x in given_), strict=True))
            every = {"theta": one, **own, **states[k], **known, "t": now}
            module._step(*module.prepare(**{name: every[name] for name in names}))
    # parts are what counts of threads make; three of them run on two cores as well
    for parts in (1, 2, 3):
        optimizer = made([one.copy() for one in starts], **numbers)
        table = optimizer._table
        table._divide(parts)
        for now, given_ in enumerate(steps, start=1):
            table.meet([[], *given_])
            run = module._advance_shared if parts > 1 else module._advance_alone
            table.numbers[:] = optimizer._numbers_at(now)
            for share, model, _ in table.divided:
                assert run(0, 0, table.place, share, model)
        for k, one in enumerate(optimizer.params):
            assert one.tobytes() == alone[k].tobytes(), (parts, SIZES[k])
            for key, state in optimizer.states[k].items():
                assert state.tobytes() == states[k][key].tobytes(), (parts, SIZES[k], key)


@pytest.mark.parametrize("name", every(3, RULES))
def test_every_rule_steps_tensors_in_any_number_of_parts_to_the_same_bits(library, name):
    check_bits(compile(library[name]), np.float32, {})


@pytest.mark.parametrize("which", OTHER_RULES)
def test_odd_rules_step_tensors_in_parts_to_the_same_bits(declare, which):
    module = compile(declare(OTHER_RULES[which]))
    used = set(inspect.signature(module.step).parameters)
    check_bits(module, np.float64, {key: x for key, x in NUMBERS.items() if key in used})


@pytest.fixture(scope="module")
def adam(library):
    return compile(library["adam"])


def test_one_long_array_is_stepped_to_the_same_bits_by_any_count_of_threads(adam):
    rng = np.random.default_rng(1)
    found = set()
    before = get_threads()
    for threads in (1, 2, 3):
        set_threads(threads)
        draw = np.random.default_rng(1)
        arrays = [draw.normal(size=(301, 333)).astype(np.float32) for _ in range(2)]
        states = adam.initial_states(arrays[0])
        adam.step(*arrays, **states, t=1)
        found.add((arrays[0].tobytes(), states["v"].tobytes(), states["G"].tobytes()))
    set_threads(before)
    assert arrays[0].nbytes * 7 > adam.CROSSOVER
    assert len(found) == 1
    assert not np.array_equal(arrays[0], rng.normal(size=(301, 333)).astype(np.float32))


def test_so_are_numbers_carried_along_with_it(declare):
    module = compile(declare(shared_numbers))
    assert long_steps(module, 1) == long_steps(module, 2)


def long_steps(module, threads):
    """What two steps of an array above the crossover leave, on so many threads."""
    rng, before = np.random.default_rng(2), get_threads()
    theta, first, second = (rng.normal(size=70_001) for _ in range(3))
    states = module.initial_states(theta)
    set_threads(threads)
    try:
        for t, grad in enumerate((first, second), start=1):
            numbers = {key: NUMBERS[key] for key in NUMBERS if key in module.step.__annotations__}
            given_ = {"t": t} if "t" in module.step.__annotations__ else {}
            module.step(theta, grad, **states, **given_, **numbers)
    finally:
        set_threads(before)
    return [one.tobytes() for one in (theta, *states.values())]


def test_gradients_of_a_long_step_are_those_of_its_parts_for_any_count_of_threads(adam):
    rng = np.random.default_rng(3)
    size = 2 * 65_536 + 77
    names = ("theta", "g", "v", "G", "dtheta", "dv", "dG")
    arrays = {name: np.abs(rng.normal(size=size)).astype(np.float32) for name in names}
    arrays["G"][70_000] = 0.25
    before, results = get_threads(), []
    for threads in (1, 2):
        set_threads(threads)
        results.append(adam.step_vjp(**arrays, t=3))
    set_threads(before)
    for name, one in results[0].items():
        assert np.asarray(one).tobytes() == np.asarray(results[1][name]).tobytes(), name
    cuts = [slice(k, k + 1000) for k in range(0, size, 1000)]
    short = [adam.step_vjp(**{x: y[cut] for x, y in arrays.items()}, t=3) for cut in cuts]
    for name in ("theta", "g", "v", "G"):
        assert results[0][name].tobytes() == np.concatenate([x[name] for x in short]).tobytes()
    for name in ("alpha", "beta_1", "beta_2", "epsilon"):
        # within a block of some 1,000 terms sums are in float32, and blocks differ
        most = 1000 * np.finfo(np.float32).eps * sum(abs(x[name]) for x in short)
        assert abs(results[0][name] - sum(x[name] for x in short)) <= most
    arrays["dtheta"][[5, 70_000]] = np.inf, -np.inf
    assert math.isnan(adam.step_vjp(**arrays, t=3)["alpha"])


@pytest.mark.parametrize("name", ["adam", "minibatch"])
@pytest.mark.parametrize("sizes", [(), (0,), (5,), (1000,) * 7, (10, 0, 99_999, 3), (60, 50)])
@pytest.mark.parametrize("parts", [1, 2, 3, 8])
def test_segments_hold_each_element_once_and_are_balanced(library, name, sizes, parts):
    module = compile(library[name])
    heads = tuple(min(size, k % 16) for k, size in enumerate(sizes, start=11))
    own = [] if name == "minibatch" else [heads]
    segments, bounds = module._segments(sizes, parts, *own)
    held = [np.zeros(size, int) for size in sizes]
    for tensor, start, size in segments:
        held[tensor][start : start + size] += 1
        assert start == 0 or (start - heads[tensor]) % 64 == 0
    assert all((one == 1).all() for one in held)
    assert {tensor for tensor, start, _ in segments if start == 0} == set(range(len(sizes)))
    assert len(bounds) == parts + 1
    assert (bounds[0], bounds[-1]) == (0, len(segments))
    loads = [segments[a:b, 2].sum() for a, b in itertools.pairwise(bounds)]
    # a part ends within a cache line, or half a tensor where tensors stay whole, of its goal
    most = 64 if name == "adam" else max(sizes, default=0)
    assert max(loads) <= sum(sizes) / parts + most + 1


def test_places_beyond_what_32_bits_hold_are_reached(adam):
    """Rows that begin 2³³ elements before the arrays do: the stretch is where they are."""
    segments, _ = adam._segments((3 * 2**31,), 2, (0,))
    assert segments.tolist() == [[0, 0, 3 * 2**30], [0, 3 * 2**30, 3 * 2**30]]
    arrays = [np.full(5, 0.5, np.float32) for _ in range(4)]
    rows = np.array([[one.ctypes.data - 2**33 * 4 for one in arrays]])
    segments = np.array([[0, 2**33, 5]])
    numbers = (1.0, 0.1, 0.9, 0.999, 0.0)
    adam._step_segments(rows, segments, arrays[0][:0], 0, 1, numbers)
    assert np.allclose(arrays[2], 0.9 * 0.5 + 0.1 * 0.5)
    assert not np.allclose(arrays[0], 0.5)


# from step to step


def stepped(adam, **options):
    """An optimizer after a step, and the gradients that it took."""
    params = [np.ones((2, 3), np.float32), np.ones(4, np.float32)]
    grads = [np.full((2, 3), 0.5, np.float32), np.full(4, 0.25, np.float32)]
    optimizer = adam.Adam(params, **options)
    optimizer.step(grads)
    return optimizer, params, grads


@pytest.fixture(params=["read from memory", "asked from Python"])
def _looks(request, adam, monkeypatch):
    """The two ways in which arrays are looked at: the swift one, and where that is not at hand."""
    monkeypatch.setattr(adam, "_READABLE", request.param == "read from memory")


def test_arrays_as_they_were_are_not_looked_at_from_python(adam, monkeypatch):
    optimizer, _, grads = stepped(adam)

    def never(*_, **__):
        raise AssertionError("looked at from Python")

    monkeypatch.setattr(adam, "_check", never)
    optimizer.step(grads)
    optimizer.step([one.copy() for one in grads])  # elsewhere, but as they have to be
    optimizer.step(tuple(np.asfortranarray(one) if one.ndim < 2 else one for one in grads))
    with pytest.raises(AssertionError, match="looked at from Python"):
        optimizer.step([grads[0], np.ones(4)])


def moved(held):
    held.params[1].resize(9, refcheck=False)


def moved_with_its_size(held):
    held.params[1].resize(100_000, refcheck=False)
    held.params[1].resize(4, refcheck=False)


def frozen(held):
    held.params[0].flags.writeable = False


def turned(held):
    held.params[0].shape = (3, 2)


def off_by_a_byte(count):
    return np.zeros(4 * count + 1, np.uint8)[1:].view(np.float32)


MISTAKES = {
    "a parameter that was resized": (
        moved,
        "adam: v has shape (4,), but theta has shape (9,)",
    ),
    "a parameter made read-only": (
        frozen,
        "adam: theta is read-only, but is updated in place",
    ),
    "a parameter turned": (turned, "adam: v has shape (2, 3), but theta has shape (3, 2)"),
    "another dtype": (
        lambda held: held.grads.__setitem__(1, np.ones(4)),
        "adam: g is float64, but theta is float32; use one dtype",
    ),
    "bytes in another order": (
        lambda held: held.grads.__setitem__(1, np.ones(4, ">f4")),
        "adam: g has dtype >f4; float32 or float64 is needed",
    ),
    "a gradient off by a byte": (
        lambda held: held.grads.__setitem__(1, off_by_a_byte(4)),
        "adam: g is not aligned in memory; pass a copy of it",
    ),
    "a view with gaps": (
        lambda held: held.grads.__setitem__(1, np.ones(8, np.float32)[::2]),
        "adam: g is not contiguous in memory like theta; pass np.ascontiguousarray of each",
    ),
    "another order of axes": (
        lambda held: held.grads.__setitem__(0, np.asfortranarray(held.grads[0])),
        "adam: g is not contiguous in memory like theta; pass np.ascontiguousarray of each",
    ),
    "another shape of the same size": (
        lambda held: held.grads.__setitem__(0, np.ones((3, 2), np.float32)),
        "adam: g has shape (3, 2), but theta has shape (2, 3)",
    ),
    "another number of axes": (
        lambda held: held.grads.__setitem__(1, np.ones((4, 1), np.float32)),
        "adam: g has shape (4, 1), but theta has shape (4,)",
    ),
    "a list": (
        lambda held: held.grads.__setitem__(1, [1.0] * 4),
        "adam: g is a list, not a NumPy array",
    ),
    "a number": (
        lambda held: held.grads.__setitem__(1, 1.0),
        "adam: g is a float, not a NumPy array",
    ),
    "a parameter as a gradient": (
        lambda held: held.grads.__setitem__(1, held.params[1]),
        "adam: an input overlaps parameter array 1 in memory; copy it",
    ),
    "a gradient missing": (
        lambda held: held.grads.pop(),
        "adam: g holds 1 arrays for 2 parameters",
    ),
}


@pytest.mark.usefixtures("_looks")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_became_wrong_since_the_last_step_is_refused(adam, mistake):
    optimizer, params, grads = stepped(adam)
    optimizer.step(grads)
    spoil, message = MISTAKES[mistake]
    spoil(SimpleNamespace(params=params, grads=grads))
    before = [one.tobytes() for one in params], copy.deepcopy(optimizer.state_dict())
    for _ in range(2):
        with pytest.raises(ValueError, match=r"^adam: ") as error:
            optimizer.step(grads)
        assert str(error.value) == message
    after = optimizer.state_dict()
    assert [one.tobytes() for one in params] == before[0]
    assert after["t"] == 2
    for mine, theirs in zip(after["states"], before[1]["states"], strict=True):
        assert mine["v"].tobytes() == theirs["v"].tobytes()


@pytest.mark.usefixtures("_looks")
def test_a_state_is_no_gradient(adam):
    optimizer, _, grads = stepped(adam)
    for key in ("v", "G"):
        with pytest.raises(ValueError, match=f"an input overlaps {key} of parameter array 1 in"):
            optimizer.step([grads[0], optimizer.states[1][key]])
    optimizer.step(grads)


RIGHT = {
    "a parameter that lies elsewhere": moved_with_its_size,
    "a read-only gradient": lambda held: held.grads[1].flags.__setattr__("writeable", False),
    "a gradient of a subclass": lambda held: held.grads.__setitem__(
        1, held.grads[1].view(np.recarray)
    ),
    "one gradient for two": lambda held: held.grads.__setitem__(1, held.grads[0].ravel()[:4]),
    "a parameter turned with its gradient": lambda held: [
        setattr(one, "shape", (6,)) for one in (held.params[0], held.grads[0])
    ],
}


@pytest.mark.usefixtures("_looks")
@pytest.mark.parametrize("change", RIGHT)
def test_what_may_change_between_steps_is_taken(adam, change):
    optimizer, params, grads = stepped(adam)
    RIGHT[change](SimpleNamespace(params=params, grads=grads))
    if change == "a parameter turned with its gradient":
        with pytest.raises(ValueError, match="v has shape"):
            optimizer.step(grads)
        return
    params[1][:] = 1.0
    wanted, states = params[1].copy(), {k: x.copy() for k, x in optimizer.states[1].items()}
    adam.step(wanted, np.array(grads[1]), **states, t=2)
    optimizer.step(grads)
    assert params[1].tobytes() == wanted.tobytes()


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_any_order_and_dtype_share_an_optimizer(adam, order):
    rng = np.random.default_rng(2)
    shapes = [(), (3, 4), (0, 2), (2, 2, 2)]
    kinds = [np.float64, np.float32, np.float32, np.float64]
    params = [
        np.array(rng.normal(size=s), k, order=order) for s, k in zip(shapes, kinds, strict=True)
    ]
    grads = [
        np.array(rng.normal(size=s), k, order=order) for s, k in zip(shapes, kinds, strict=True)
    ]
    alone = [one.copy(order="K") for one in params]
    states = [adam.initial_states(one) for one in alone]
    optimizer = adam.Adam(params)
    for now in (1, 2):
        optimizer.step(grads)
        for one, grad, state in zip(alone, grads, states, strict=True):
            adam.step(one, grad, **state, t=now)
    for one, other in zip(params, alone, strict=True):
        assert one.tobytes() == other.tobytes()


def test_an_arena_holds_copies_and_steps_them_to_the_same_bits(adam):
    own, params, grads = stepped(adam, arena=True)
    plain, theirs, _ = stepped(adam)
    assert all((one == 1).all() for one in params)
    params[0].flags.writeable = False
    with pytest.raises(ValueError, match="theta is read-only"):
        adam.Adam(params, arena=True)
    own.step(grads)
    plain.step(grads)
    assert [one.tobytes() for one in own.params] == [one.tobytes() for one in theirs]
    first, second = (one.__array_interface__["data"][0] for one in own.params)
    assert (second - first, first % 64) == (64, 0)


@pytest.mark.parametrize("states", ["", "bfloat16"])
def test_long_arrays_and_their_states_are_walked_from_a_cache_line_on(library, states):
    module = compile(library["adam"], Options(states=states))
    room = [np.ones(4 * (50_000 + 32), np.uint8) for _ in range(2)]
    places = [(4 * k - one.ctypes.data) % 64 for k, one in zip((3, 15), room, strict=True)]
    params = [
        one[place : place + 200_000].view(np.float32)
        for one, place in zip(room, places, strict=True)
    ]
    table = module.Adam(params)._table
    table.meet([[], [one.copy() for one in params]])
    table._divide(3)
    ((segments, _, _),) = table.shares
    widths = [one.itemsize for one in (params[0], params[0], *table.states[0].values())]
    for tensor, start, size in segments:
        at = table.rows[tensor] + np.array(widths) * start
        if start:
            assert (at[[0, 2, 3]] % 64 == 0).all()
        else:
            assert size == (13, 1)[tensor]


def test_the_arrays_of_an_optimizer_are_its_own(adam):
    optimizer, params, grads = stepped(adam)
    with pytest.raises(TypeError):
        optimizer.params[0] = np.zeros((2, 3), np.float32)
    with pytest.raises(TypeError):
        optimizer.states[0]["v"] = np.zeros((2, 3), np.float32)
    with pytest.raises(AttributeError):
        optimizer.params = []
    # what becomes of the list does not matter, the arrays were taken
    first = params[0]
    params[0] = np.ones((2, 3), np.float32)
    before = first.copy()
    optimizer.step(grads)
    assert not np.array_equal(first, before)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
@pytest.mark.parametrize("arena", [False, True])
def test_a_copy_goes_on_by_itself(adam, copied, arena):
    optimizer, _, grads = stepped(adam, arena=arena)
    other = copied(optimizer)
    kept = [one.tobytes() for one in optimizer.params]
    other.step(grads)
    assert [one.tobytes() for one in optimizer.params] == kept
    optimizer.step(grads)
    for one, twin in zip(optimizer.params, other.params, strict=True):
        assert one.tobytes() == twin.tobytes()


def test_a_number_that_changes_is_checked_and_taken(adam):
    optimizer, params, grads = stepped(adam)
    before = params[1].copy()
    for wrong in (-1.0, True, "0.1", None):
        optimizer.hyperparameters["alpha"] = wrong
        with pytest.raises(ValueError, match="adam: alpha "):
            optimizer.step(grads)
    assert np.array_equal(params[1], before)
    optimizer.hyperparameters["alpha"] = changing = np.array(0.5)
    optimizer.step(grads)
    assert params[1] == pytest.approx(before - 0.5, abs=1e-6)
    changing[...] = -1  # in place: the same object
    with pytest.raises(ValueError, match=r"alpha = -1.0 is outside its range"):
        optimizer.step(grads)


def test_kernels_for_one_dtype_take_tensors_of_that_dtype(library):
    module = compile(library["gd"], Options(dtypes=("float64",)))
    theta_ = np.zeros(3)
    module.Gd([theta_], alpha=0.5).step([np.ones(3)])
    assert (theta_ == -0.5).all()


def test_numbers_that_come_and_go_are_those_of_their_step(adam):
    """Schedules between constants, two numbers that change places, and the objects of before."""
    optimizer, params, grads = stepped(adam)
    alone, states = params[1].copy(), {k: x.copy() for k, x in optimizer.states[1].items()}
    first = dict(optimizer.hyperparameters)
    several = [
        {"alpha": lambda t: 0.25 / t},
        {"alpha": lambda t: 0.25 / t},
        {"beta_1": first["beta_2"], "beta_2": first["beta_1"]},
        {"epsilon": np.float64(1e-3)},
        {},
        {},
    ]
    for count, changed in enumerate(several, start=2):
        numbers = {**first, **changed}
        optimizer.hyperparameters.clear()
        # in any order
        optimizer.hyperparameters.update(reversed(numbers.items()) if count % 2 else numbers)
        optimizer.step(grads)
        values = {key: one(count) if callable(one) else one for key, one in numbers.items()}
        adam.step(alone, grads[1].copy(), **states, t=count, **values)
        assert alone.tobytes() == params[1].tobytes(), count


@pytest.mark.parametrize("wrong", [2.5, -7, True + 0.0])
def test_a_count_of_steps_that_is_none_is_refused(adam, wrong):
    optimizer, params, grads = stepped(adam)
    before = params[1].copy()
    optimizer.t = wrong
    with pytest.raises(ValueError, match="adam: t is ") as error:
        optimizer.step(grads)
    words = "but steps are whole numbers from 1 on"
    assert str(error.value) == f"adam: t is {wrong + 1!r}, {words}"
    assert np.array_equal(params[1], before)
    assert optimizer.t == wrong
    optimizer.t = 2**60
    optimizer.step(grads)
    assert optimizer.t == 2**60 + 1
