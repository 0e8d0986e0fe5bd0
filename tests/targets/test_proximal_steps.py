"""The kernel of a proximal step: soft thresholds in place, for one array and for lists."""

import inspect
import math
import re

import numpy as np
import pytest
from sympy import Abs, Eq, Interval, Max, Piecewise, log, oo

from symopt import Norm, Sigma, compile, hyperparameter, regularizer
from symopt.declaration import Regularizer
from symopt.symbols import R, layer, theta
from symopt.targets.target import Options

delta = hyperparameter("delta", Interval.open(0, oo))
Z = theta[layer]


@regularizer(defaults={delta: 1.0})
def huber():
    """A square, and beyond δ a line."""
    line = delta * Abs(Z) - delta**2 / 2
    return Eq(R(theta), Sigma(Piecewise((Z**2 / 2, Abs(Z) <= delta), (line, True)), layer))


@pytest.fixture(scope="module")
def modules(library):
    own = {one.name: compile(one) for one in library.values() if isinstance(one, Regularizer)}
    return {**own, "huber": compile(huber)}


# κ = 1/2; all numbers are multiples of powers of two, so that nothing is rounded
U = [3.0, -3.0, 0.75, -0.75, 0.5, -0.5, 0.25, 0.0]
STEPS = {
    "l1": [2.5, -2.5, 0.25, -0.25, 0.0, 0.0, 0.0, 0.0],
    "l2": [1.5, -1.5, 0.375, -0.375, 0.25, -0.25, 0.125, 0.0],
    "elastic_net": [1.25, -1.25, 0.125, -0.125, 0.0, 0.0, 0.0, 0.0],
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_what_it_is_by_hand(modules, name, dtype):
    array = np.array(U, dtype)
    assert modules[name].proximal_step(array, 0.5) is None
    assert array.dtype == dtype
    assert np.array_equal(array, STEPS[name])


def test_a_step_with_cases_takes_each_of_them(modules):
    """With κ = 1 and δ = 1: half of u up to 2, and from there u − 1."""
    array = np.array([1.0, 2.0, 2.5, -4.0])
    modules["huber"].proximal_step(array, 1.0)
    assert list(array) == [0.5, 1.0, 1.5, -3.0]
    array = np.array([1.0, 2.0, 2.5, -4.0])
    modules["huber"].proximal_step(array, kappa=1.0, delta=0.25)
    assert list(array) == [0.75, 1.75, 2.25, -3.75]


@pytest.mark.parametrize("name", [*STEPS, "huber"])
def test_without_a_weight_nothing_moves(modules, name):
    array = np.array([*U, math.inf, -math.inf])
    modules[name].proximal_step(array, 0.0)
    assert np.array_equal(array, [*U, math.inf, -math.inf])


@pytest.mark.parametrize("name", [*STEPS, "huber"])
def test_a_nan_stays_and_infinities_keep_their_sign(modules, name):
    array = np.array([math.nan, math.inf, -math.inf, 0.0])
    modules[name].proximal_step(array, 0.5)
    assert math.isnan(array[0])
    assert list(array[1:]) == [math.inf, -math.inf, 0.0]


def test_a_weight_beyond_the_dtype_takes_all_to_zero(modules):
    array = np.array([1.0, -3e38], np.float32)
    modules["l1"].proximal_step(array, 1e300)
    assert not array.any()


@pytest.mark.parametrize("name", [*STEPS, "huber"])
def test_float32_is_never_widened_inside_the_loop(name, library):
    declared = huber if name == "huber" else library[name]
    module = compile(declared, Options(("float32",)))
    module.proximal_step(np.ones(8, np.float32), 0.5)
    (text,) = module._proximal_step.inspect_llvm().values()
    assert "fpext" not in text


@pytest.mark.parametrize("name", [*STEPS, "huber"])
def test_memory_is_gone_over_once(modules, name):
    source = inspect.getsource(modules[name]._proximal_step.py_func)
    assert source.count("for ") == 1
    assert source.count("theta[i] =") == 1


def test_layers_move_as_each_alone(modules):
    random = np.random.default_rng(3)
    arrays = [random.normal(size=one) for one in ((3, 4), (5,), (), (0,))]
    arrays[0] = np.asfortranarray(arrays[0])
    alone = [one.copy(order="K") for one in arrays]
    for one in alone:
        modules["elastic_net"].proximal_step(one, 0.25)
    modules["elastic_net"].proximal_step_over_layers(iter(arrays), 0.25)
    assert all(np.array_equal(one, other) for one, other in zip(arrays, alone, strict=True))
    modules["l1"].proximal_step_over_layers([], 0.25)


REFUSED = {
    "the same array twice": (
        lambda x: ([x, x], 0.5),
        "theta[0] and theta[1] overlap in memory; copy one",
    ),
    "a weight below zero": (lambda x: ([x], -0.5), "kappa = -0.5 is outside its range [0, ∞)"),
    "a weight that is none": (lambda x: ([x], math.nan), "kappa = nan is outside its range [0, ∞)"),
    "no end": (lambda x: ([x], math.inf), "kappa = inf is outside its range [0, ∞)"),
    "whole numbers": (
        lambda x: ([x, np.ones(3, int)], 0.5),
        "theta[1] has dtype int64; float32 or float64 is needed",
    ),
    "every second element": (
        lambda x: ([x, np.ones(6)[::2]], 0.5),
        "theta[1] is not contiguous in memory like theta[1]; pass np.ascontiguousarray of each",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_before_any_layer_moves(modules, case):
    arguments, sentence = REFUSED[case]
    array = np.ones(3)
    with pytest.raises(ValueError, match=f"^l1: {re.escape(sentence)}$"):
        modules["l1"].proximal_step_over_layers(*arguments(array))
    assert list(array) == [1, 1, 1]


def test_a_penalty_without_a_closed_form_has_none_and_says_why():
    @regularizer
    def smooth():
        return Eq(R(theta), Sigma(log(1 + Z**2), layer))

    module = compile(smooth)
    assert not hasattr(module, "proximal_step")
    assert not hasattr(module, "proximal_step_over_layers")
    assert "Note: smooth has no proximal step, for it holds log(1 + z²)" in module.__doc__
    assert module.value(np.zeros(3)) == 0


def test_the_steps_of_a_sparse_regression_end_where_its_conditions_hold(modules):
    """θ ← prox(θ − s∇L): at the end |∇L| ≤ λ where θ = 0, and ∇L = −λ·sign(θ) elsewhere.

    The step s is below 1/‖AᵀA‖, so that distances shrink; the curvature of L is at least a tenth
    along each direction, so that after 2000 steps they have shrunk by (1 − s/10)^2000 < 10⁻⁹.
    """
    random = np.random.default_rng(0)
    A = random.normal(size=(60, 8)) / 8
    b = A @ np.array([2.0, 0, 0, -1, 0, 0, 0, 3]) + 0.01 * random.normal(size=60)
    low, high = np.linalg.eigvalsh(A.T @ A)[[0, -1]]
    assert low > 0.1
    s, weight, x = 0.9 / high, 0.3, np.zeros(8)
    assert (1 - s * 0.1) ** 2000 < 1e-9
    for _ in range(2000):
        x -= s * (A.T @ (A @ x - b))
        modules["l1"].proximal_step(x, s * weight)
    slope = A.T @ (A @ x - b)
    zero = x == 0
    assert 3 <= zero.sum() <= 5
    assert np.all(abs(slope[zero]) <= weight)
    assert np.all(abs(slope + weight * np.sign(x))[~zero] < 1e-8)


def test_an_elastic_net_on_one_side_is_a_rule_of_cases():
    @regularizer
    def side():
        return Eq(R(theta), Sigma(Max(Z, 0) + Norm(Z) ** 2, layer))

    module, array = compile(side), np.array([-4.0, 0.25, 4.0])
    module.proximal_step(array, 0.5)
    assert list(array) == [-2.0, 0.0, 1.75]
