"""What users rely on in generated modules: arguments, refusals, classes, schedules, NaN."""

import inspect
import math

import numpy as np
import pytest

from symopt import compile
from symopt.targets.target import Options


@pytest.fixture(scope="module")
def adam(library):
    return compile(library["adam"])


def class_of(module):
    """The optimizer class of a generated module."""
    return next(
        one for one in vars(module).values() if inspect.isclass(one) and "step" in vars(one)
    )


def arrays(dtype=np.float32, shape=(2, 3)):
    rng = np.random.default_rng(0)
    return {
        "theta": rng.normal(size=shape).astype(dtype),
        "g": rng.normal(size=shape).astype(dtype),
        "v": np.zeros(shape, dtype),
        "G": np.zeros(shape, dtype),
    }


def test_arguments_carry_the_symbols_names_and_the_declared_defaults(adam):
    parameters = inspect.signature(adam.step).parameters
    assert {name: one.default for name, one in parameters.items()} == {
        **dict.fromkeys(("theta", "g", "v", "G", "t"), inspect.Parameter.empty),
        "alpha": 0.001,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-8,
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (0,), (7,), (2, 3), (2, 3, 4)])
def test_arrays_of_any_shape_are_updated_in_place(adam, dtype, shape):
    given = arrays(dtype, shape)
    before = given["theta"].copy()
    adam.step(**given, t=1)
    assert given["theta"].dtype == dtype
    # the first corrected step has length α in every component
    assert np.allclose(given["theta"], before - 0.001 * np.sign(given["g"]), atol=1e-6)


def test_arrays_in_fortran_order_are_taken_as_they_lie(adam):
    plain = arrays()
    turned = {key: np.asfortranarray(one) for key, one in plain.items()}
    adam.step(**turned, t=1)
    adam.step(**plain, t=1)
    assert turned["theta"].flags.f_contiguous
    assert np.array_equal(turned["theta"], plain["theta"])


def changed(**new):
    given = {**arrays(), "t": 1}
    given.update(new)
    return given


def overlapping():
    whole = np.zeros(9, np.float32)
    small = {key: one[0].copy() for key, one in arrays().items()}
    return {**small, "t": 1, "theta": whole[:3], "v": whole[2:5]}


def read_only():
    frozen = arrays()["v"]
    frozen.flags.writeable = False
    return frozen


REFUSED = {
    "unlike shapes": (
        lambda: changed(v=np.zeros((3, 2), np.float32)),
        "adam: v has shape (3, 2), but theta has shape (2, 3)",
    ),
    "unlike dtypes": (
        lambda: changed(g=np.zeros((2, 3))),
        "adam: g is float64, but theta is float32; use one dtype",
    ),
    "a dtype of no kernel": (
        lambda: changed(theta=np.zeros((2, 3), np.float16)),
        "adam: theta has dtype float16; float32 or float64 is needed",
    ),
    "bytes in another order": (
        lambda: changed(theta=np.zeros((2, 3), ">f4")),
        "adam: theta has dtype >f4; float32 or float64 is needed",
    ),
    "whole numbers": (
        lambda: changed(theta=np.zeros((2, 3), int)),
        "adam: theta has dtype int64; float32 or float64 is needed",
    ),
    "a list": (
        lambda: changed(theta=[1.0, 2.0]),
        "adam: theta is a list, not a NumPy array",
    ),
    "a read-only array": (
        lambda: changed(v=read_only()),
        "adam: v is read-only, but is updated in place",
    ),
    "a view with gaps": (
        lambda: changed(theta=np.zeros((2, 6), np.float32)[:, ::2]),
        "adam: theta is not contiguous in memory like theta; pass np.ascontiguousarray of each",
    ),
    "overlapping arrays": (
        overlapping,
        "adam: theta and v overlap in memory; copy one",
    ),
    "β = 1": (
        lambda: changed(beta_1=1),
        "adam: beta_1 = 1.0 is outside its range [0, 1)",
    ),
    "α < 0": (
        lambda: changed(alpha=-1e-3),
        "adam: alpha = -0.001 is outside its range (0, ∞)",
    ),
    "an infinite rate": (
        lambda: changed(alpha=math.inf),
        "adam: alpha = inf is outside its range (0, ∞)",
    ),
    "NaN as a hyperparameter": (
        lambda: changed(epsilon=math.nan),
        "adam: epsilon = nan is outside its range [0, ∞)",
    ),
    "no number": (
        lambda: changed(epsilon="small"),
        "adam: epsilon is 'small', not a number in [0, ∞)",
    ),
    "step zero": (
        lambda: changed(t=0),
        "adam: t is 0, but steps are whole numbers from 1 on",
    ),
    "half a step": (
        lambda: changed(t=1.5),
        "adam: t is 1.5, but steps are whole numbers from 1 on",
    ),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_a_wrong_argument_is_refused_before_anything_is_changed(adam, mistake):
    make, message = REFUSED[mistake]
    given = make()
    before = {key: np.array(one) for key, one in given.items()}
    with pytest.raises(ValueError, match=r"^adam: ") as error:
        adam.step(**given)
    assert str(error.value) == message
    for key, one in given.items():
        assert np.array_equal(np.array(one), before[key], equal_nan=key in ("alpha",)) or key in (
            "epsilon",
        )


def test_a_gradient_that_is_read_only_is_read(adam):
    given = arrays()
    given["g"].flags.writeable = False
    adam.step(**given, t=1)


def test_a_nan_in_a_gradient_is_seen_in_the_parameters_and_nowhere_else(rules):
    for rule in rules:
        module = compile(rule)
        theta = np.ones(5, np.float32)
        optimizer = class_of(module)([theta])
        gradient = np.full(5, 0.5, np.float32)
        gradient[2] = np.nan
        batch = {"m", "n"} & set(module._step.py_func.__code__.co_varnames)
        taken = gradient[None] if batch else gradient
        optimizer.step([taken])
        assert list(np.isnan(theta)) == [False, False, True, False, False], rule.name


def test_a_batch_takes_a_gradient_for_each_example_and_their_mean(library):
    module = compile(library["minibatch"])
    rng = np.random.default_rng(1)
    gradients = rng.normal(size=(5, 2, 3))
    theta = np.zeros((2, 3))
    module.step(theta, gradients, alpha=0.5)
    assert np.allclose(theta, -0.5 * gradients.mean(axis=0), rtol=0, atol=5 * np.finfo(float).eps)


@pytest.mark.parametrize(
    ("gradients", "message"),
    [
        (np.zeros((0, 2)), "minibatch: g is an empty batch, of which there is no mean"),
        (
            np.zeros(2),
            "minibatch: g has shape (2,), but theta has shape (2,); "
            "g takes one gradient for each example, first",
        ),
    ],
)
def test_a_batch_of_the_wrong_shape_is_refused(library, gradients, message):
    with pytest.raises(ValueError, match="minibatch") as error:
        compile(library["minibatch"]).step(np.zeros(2), gradients)
    assert str(error.value) == message


def test_a_batch_larger_than_a_block_is_summed_whole(library):
    module = compile(library["minibatch"])
    gradients = np.arange(3 * 2500, dtype=float).reshape(3, 2500)
    theta = np.zeros(2500)
    module.step(theta, gradients, alpha=3.0)
    assert np.array_equal(theta, -gradients.sum(axis=0))


def test_nesterovs_gradient_point_lies_where_the_velocity_leads(library):
    module = compile(library["nesterov"])
    theta, v = np.array([1.0, 2.0]), np.array([10.0, -10.0])
    assert np.array_equal(module.gradient_point(theta, v, gamma=0.5), [-4.0, 7.0])
    optimizer = module.Nesterov([theta], gamma=0.5)
    optimizer.states[0]["v"][:] = v
    assert np.array_equal(optimizer.gradient_point()[0], [-4.0, 7.0])


def test_a_class_steps_many_arrays_as_the_function_does(adam):
    given = arrays()
    params = [given["theta"].copy(), given["theta"][0].copy()]
    optimizer = adam.Adam(params, alpha=0.01)
    for _ in range(3):
        optimizer.step([given["g"], given["g"][0]])
    for t in range(1, 4):
        adam.step(**given, t=t, alpha=0.01)
    assert np.array_equal(params[0], given["theta"])
    assert np.array_equal(params[1], given["theta"][0])


def test_a_saved_state_goes_on_to_the_same_bits(adam):
    rng = np.random.default_rng(2)
    gradients = rng.normal(size=(6, 4)).astype(np.float32)
    straight, first = np.ones(4, np.float32), np.ones(4, np.float32)
    whole, part = adam.Adam([straight]), adam.Adam([first])
    for one in gradients:
        whole.step([one])
    for one in gradients[:3]:
        part.step([one])
    resumed = adam.Adam([first])
    resumed.load_state_dict(part.state_dict())
    for one in gradients[3:]:
        resumed.step([one])
    assert straight.tobytes() == first.tobytes()


def test_a_saved_state_of_another_rule_or_shape_is_refused(adam, library):
    other = compile(library["rmsprop"]).Rmsprop([np.zeros(3)])
    mine = adam.Adam([np.zeros(3)])
    with pytest.raises(ValueError, match="is no state of these parameters: it is of 'rmsprop'"):
        mine.load_state_dict(other.state_dict())
    with pytest.raises(ValueError, match="shapes or dtypes differ"):
        mine.load_state_dict(adam.Adam([np.zeros(4)]).state_dict())
    assert mine.t == 0


SPOILT = {
    "nothing": lambda _: None,
    "a list": lambda _: [],
    "a missing key": lambda saved: {k: v for k, v in saved.items() if k != "t"},
    "a step that is no number": lambda saved: {**saved, "t": "abc"},
    "half a step": lambda saved: {**saved, "t": 2.5},
    "a step before the first": lambda saved: {**saved, "t": -3},
    "no hyperparameters": lambda saved: {**saved, "hyperparameters": {}},
    "a number out of its range": lambda saved: {
        **saved,
        "hyperparameters": {**saved["hyperparameters"], "beta_1": 1.5},
    },
    "states that are none": lambda saved: {**saved, "states": 3},
    "a state too many": lambda saved: {**saved, "states": saved["states"] * 2},
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_state_is_refused_and_changes_nothing(adam, how):
    optimizer = adam.Adam([np.zeros(3)])
    optimizer.step([np.ones(3)])
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match="adam: "):
        optimizer.load_state_dict(SPOILT[how](optimizer.state_dict()))
    after = optimizer.state_dict()
    assert (after["t"], after["hyperparameters"]) == (before["t"], before["hyperparameters"])
    assert np.array_equal(after["states"][0]["v"], before["states"][0]["v"])


def test_an_input_that_shares_memory_with_a_parameter_is_refused(library):
    a, b = np.ones(3), np.full(3, 10.0)
    optimizer = compile(library["sgd"]).Sgd([a, b], alpha=0.1)
    with pytest.raises(ValueError, match="an input overlaps parameter array 1 in memory; copy it"):
        optimizer.step([b, a])
    assert (a[0], b[0]) == (1.0, 10.0)


@pytest.mark.parametrize("t", ["a", None, 1j, [1], True, np.True_, 2.0, 10**400])
def test_a_step_that_is_no_whole_number_is_refused(adam, t):
    with pytest.raises(ValueError, match="steps are whole numbers from 1 on"):
        adam.step(**arrays(), t=t)


@pytest.mark.parametrize("alpha", ["0.1", True, None, 1j, 10**400])
def test_a_rate_that_is_no_number_is_refused(adam, alpha):
    with pytest.raises(ValueError, match="not a number in"):
        adam.step(**arrays(), t=1, alpha=alpha)


def test_one_wrong_gradient_among_many_moves_nothing(adam):
    params = [np.zeros(3, np.float32), np.zeros(2, np.float32)]
    optimizer = adam.Adam(params)
    with pytest.raises(ValueError, match="g has shape"):
        optimizer.step([np.ones(3, np.float32), np.ones(3, np.float32)])
    with pytest.raises(ValueError, match="g holds 1 arrays for 2 parameters"):
        optimizer.step([np.ones(3, np.float32)])
    assert optimizer.t == 0
    assert not params[0].any()


def test_parameters_that_share_memory_are_refused(adam):
    whole = np.zeros(10, np.float32)
    with pytest.raises(ValueError, match="parameter arrays 0 and 1 overlap in memory"):
        adam.Adam([whole[:6], whole[4:]])


def test_a_hyperparameter_outside_its_range_is_refused_by_the_class_at_once(adam):
    with pytest.raises(ValueError, match=r"beta_2 = 1.0 is outside its range \[0, 1\)"):
        adam.Adam([np.zeros(3)], beta_2=1.0)


def test_a_learning_rate_may_follow_a_schedule(adam, library):
    schedule = compile(library["linear_warmup"]).LinearWarmup(alpha_max=0.4, w=4)
    theta = np.zeros(1)
    optimizer = adam.Adam([theta], alpha=schedule, epsilon=0)
    for _ in range(3):
        optimizer.step([np.ones(1)])
    # a constant gradient makes every corrected step as long as the rate: 0.1, 0.2, 0.3
    assert theta == pytest.approx(-0.6, rel=1e-12)


def test_kernels_may_be_made_for_one_dtype(library):
    module = compile(library["gd"], Options(dtypes=("float32",)))
    module.step(np.zeros(2, np.float32), np.zeros(2, np.float32))
    with pytest.raises(ValueError, match="gd: theta has dtype float64; float32 is needed"):
        module.step(np.zeros(2), np.zeros(2))


@pytest.mark.parametrize(
    ("name", "arguments", "t", "wanted"),
    [
        ("constant", {"alpha": 0.3}, 7, 0.3),
        ("step_decay", {"alpha_0": 1.0, "gamma": 0.5, "s": 10}, 10, 1.0),
        ("step_decay", {"alpha_0": 1.0, "gamma": 0.5, "s": 10}, 11, 0.5),
        ("exponential_decay", {"alpha_0": 1.0, "gamma": 0.5}, 4, 0.125),
        ("inverse_time", {"alpha_0": 1.0, "k": 1.0}, 4, 0.25),
        ("cosine", {"alpha_min": 1.0, "alpha_max": 3.0, "T": 10}, 1, 3.0),
        ("cosine", {"alpha_min": 1.0, "alpha_max": 3.0, "T": 10}, 6, 2.0),
        ("cosine", {"alpha_min": 1.0, "alpha_max": 3.0, "T": 10}, 99, 1.0),
        ("linear_warmup", {"alpha_max": 1.0, "w": 4}, 3, 0.75),
        ("linear_warmup", {"alpha_max": 1.0, "w": 4}, 30, 1.0),
        ("one_cycle", {"alpha_min": 0.0, "alpha_max": 1.0, "w": 4, "T": 10}, 2, 0.5),
        ("one_cycle", {"alpha_min": 0.0, "alpha_max": 1.0, "w": 4, "T": 10}, 4, 1.0),
        ("one_cycle", {"alpha_min": 0.0, "alpha_max": 1.0, "w": 4, "T": 10}, 14, 0.0),
    ],
)
def test_a_schedule_has_the_values_that_its_picture_has(library, name, arguments, t, wanted):
    function = getattr(compile(library[name]), name)
    assert function(t, **arguments) == pytest.approx(wanted, abs=1e-15)


def test_a_schedule_outside_its_range_is_refused(library):
    module = compile(library["linear_warmup"])
    with pytest.raises(ValueError, match="linear_warmup: w = 0 is outside its range"):
        module.LinearWarmup(w=0)
    with pytest.raises(ValueError, match="linear_warmup: t = 0 is outside its range"):
        module.linear_warmup(0)


@pytest.mark.parametrize(
    ("name", "value", "gradient"),
    [
        ("l2", 14.0, [2.0, -4.0, 0.0, 6.0]),
        ("l1", 6.0, [1.0, -1.0, 0.0, 1.0]),
        ("elastic_net", 20.0, [3.0, -5.0, 0.0, 7.0]),
    ],
)
def test_a_penalty_has_the_value_and_gradient_computed_by_hand(library, name, value, gradient):
    module = compile(library[name])
    theta, g = np.array([1.0, -2.0, 0.0, 3.0]), np.full(4, 100.0)
    assert module.value(theta) == value
    module.gradient(theta, g, lambda_=0.5)
    assert np.array_equal(g, 100.0 + 0.5 * np.array(gradient))
