"""A penalty on lists of layers' parameters: the sum over layers, checked whole beforehand."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Abs, Eq, Interval, oo

from symopt import Sigma, compile, hyperparameter, regularizer
from symopt.declaration import Regularizer
from symopt.symbols import R, layer, theta

SHAPES = ((3, 4), (4,), (), (2, 3, 2), (0, 5), (1,))
rho = hyperparameter("rho", Interval(0, oo))


def layers(seed=0, dtype=np.float64):
    """Parameters of several shapes on a grid of eighths, zeros among them, some by columns."""
    random = np.random.default_rng(seed)
    found = [np.array(np.round(8 * random.normal(size=one)) / 8, dtype) for one in SHAPES]
    found[0] = np.asfortranarray(found[0])
    found[0][0] = 0
    return found


@pytest.fixture(scope="module")
def modules(library):
    return {one.name: compile(one) for one in library.values() if isinstance(one, Regularizer)}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["l1", "l2", "elastic_net"])
def test_a_penalty_over_layers_is_the_sum_that_autograd_differentiates(modules, name, dtype):
    """On the grid all sums are exact, in either dtype, so that they agree bit by bit."""
    thetas = layers(dtype=dtype)
    mirrors = [torch.tensor(one.copy(), dtype=torch.float64, requires_grad=True) for one in thetas]
    penalty = {
        "l1": lambda x: x.abs().sum(),
        "l2": lambda x: (x * x).sum(),
        "elastic_net": lambda x: x.abs().sum() + (x * x).sum(),
    }[name]
    total = sum(penalty(one) for one in mirrors)
    assert modules[name].value_over_layers(thetas) == total.item()
    total.backward()  # torch, too, takes 0 among the subgradients of |θ| at 0
    before = [np.full_like(one, 2.0) for one in thetas]
    modules[name].gradient_over_layers(iter(thetas), before, lambda_=0.25)
    for found, mirror in zip(before, mirrors, strict=True):
        assert np.array_equal(found, 2.0 + 0.25 * mirror.grad.numpy())


def test_no_layers_have_no_penalty(modules):
    assert modules["l1"].value_over_layers([]) == 0.0
    modules["l1"].gradient_over_layers([], [], 0.5)


def test_layers_may_have_different_dtypes_and_shared_parameters(modules):
    wide, narrow = np.ones(2), np.ones(3, np.float32)
    assert modules["l2"].value_over_layers([wide, narrow, wide, wide[:1]]) == 8.0
    g = [np.zeros(2), np.zeros(3, np.float32), np.zeros(2)]
    modules["l2"].gradient_over_layers([wide, narrow, wide], g, 0.5)
    assert [list(one) for one in g] == [[1, 1], [1, 1, 1], [1, 1]]
    assert g[1].dtype == np.float32


def test_hyperparameters_of_the_penalty_itself_hold_for_all_layers():
    @regularizer(defaults={rho: 0.5})
    def weighed():
        return Eq(R(theta), Sigma(rho * Abs(theta[layer]), layer))

    module = compile(weighed)
    thetas = [np.array([1.0, -2.0]), np.array([4.0])]
    assert module.value_over_layers(thetas) == 3.5
    assert module.value_over_layers(thetas, rho=1.0) == 7.0
    g = [np.zeros(2), np.zeros(1)]
    module.gradient_over_layers(thetas, g, 2.0, rho=3.0)
    assert [list(one) for one in g] == [[6, -6], [6]]
    with pytest.raises(ValueError, match=r"^weighed: rho = -1.0 is outside its range \[0, ∞\)$"):
        module.value_over_layers(thetas, rho=-1.0)


def frozen(one):
    one.flags.writeable = False
    return one


def parted(one):
    """Two arrays that share their last and first element."""
    return one[:4], one[3:7]


REFUSED = {
    "one array less": (
        lambda x: ([x[0], x[1]], [x[2]], 0.5),
        "l1: g holds 1 arrays for 2 layers",
    ),
    "another shape": (
        lambda x: ([x[0], x[1]], [x[2], x[3][:2]], 0.5),
        r"l1: theta[1] has shape (4,), but g[1] has shape (2,)",
    ),
    "another dtype": (
        lambda x: ([x[0], x[1]], [x[2], x[3].astype(np.float32)], 0.5),
        "l1: theta[1] is float64, but g[1] is float32; use one dtype",
    ),
    "no array": (
        lambda x: ([x[0], [1.0] * 4], [x[2], x[3]], 0.5),
        "l1: theta[1] is a list, not a NumPy array",
    ),
    "names of arrays": (
        lambda x: ({"W": x[0], "b": x[1]}, [x[2], x[3]], 0.5),
        "l1: theta[0] is a str, not a NumPy array",
    ),
    "a read-only array": (
        lambda x: ([x[0], x[1]], [x[2], frozen(x[3])], 0.5),
        "l1: g[1] is read-only, but is updated in place",
    ),
    "gradients that overlap": (
        lambda x: ([x[0], x[1]], list(parted(np.ones(7))), 0.5),
        "l1: g[0] and g[1] overlap in memory; copy one",
    ),
    "the same gradient twice": (
        lambda x: ([x[0], x[1]], [x[2], x[2]], 0.5),
        "l1: g[0] and g[1] overlap in memory; copy one",
    ),
    "a gradient in another layer's parameters": (
        lambda x: ([x[0], x[1]], [x[1], x[3]], 0.5),
        "l1: g[0] and theta[1] overlap in memory; copy one",
    ),
    "a weight below zero": (
        lambda x: ([x[0], x[1]], [x[2], x[3]], -0.5),
        "l1: lambda_ = -0.5 is outside its range [0, ∞)",
    ),
    "a weight that is none": (
        lambda x: ([x[0], x[1]], [x[2], x[3]], float("nan")),
        "l1: lambda_ = nan is outside its range [0, ∞)",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_before_any_layer_changes(modules, case):
    arguments, sentence = REFUSED[case]
    arrays = [np.ones(4) for _ in range(4)]
    thetas, gs, weight = arguments(arrays)
    kept = [one.copy() for one in gs]
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        modules["l1"].gradient_over_layers(thetas, gs, weight)
    assert all(np.array_equal(one, other) for one, other in zip(gs, kept, strict=True))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6)), min_size=1, max_size=6))
def test_overlaps_are_found_where_numpy_finds_them(modules, places):
    """Stretches of one memory, the first half of them read and the others written."""
    memory = np.ones(50)
    found = [memory[start : start + length] for start, length in places]
    sizes = [one.size for one in found]
    thetas = [np.ones(size) for size in sizes]
    thetas[0] = memory[40 : 40 + sizes[0]]
    shared = any(
        np.may_share_memory(one, other)
        for k, one in enumerate(found)
        for other in (*found[k + 1 :], thetas[0])
    )
    if not shared:
        modules["l2"].gradient_over_layers(thetas, found, 0.5)
        return
    with pytest.raises(ValueError, match="overlap in memory; copy one"):
        modules["l2"].gradient_over_layers(thetas, found, 0.5)
    assert np.all(memory == 1)
