"""Early stopping beside its definition: a search through the whole history, no recurrence."""

import math
from fractions import Fraction

import numpy as np
import pytest

from symopt.runtime.compiling import compile
from symopt.targets.numba import render_module
from symopt.targets.target import Options


@pytest.fixture(scope="module")
def early_stopping(library):
    return compile(library["early_stopping"])


def histories(seed, count):
    """Losses on a coarse grid, so that many are equal, some infinite."""
    source = np.random.default_rng(seed)
    for _ in range(count):
        found = source.integers(-6, 7, size=int(source.integers(1, 40))) / 4
        found[source.random(len(found)) < 0.05] = math.inf
        yield [float(x) for x in found]


def outputs(monitor, history):
    return [monitor.step(ell) for ell in history]


@pytest.mark.parametrize("patience", [1, 2, 3, 7])
def test_it_stops_once_the_best_loss_of_all_is_so_many_observations_old(early_stopping, patience):
    for history in histories(patience, 60):
        found = outputs(early_stopping.EarlyStopping(patience=patience), history)
        for seen, stop in enumerate(found, 1):
            past = history[:seen]
            best = past.index(min(past)) + 1 if min(past) < math.inf else 0
            assert stop == (seen - best >= patience), past


def last_improvement(past, delta):
    """The number of the last observation that is less than the one before it by more than δ."""
    place, least = 0, math.inf
    while True:
        rest = range(place, len(past))
        following = next((k for k in rest if past[k] < least - delta), None)
        if following is None:
            return place
        place, least = following + 1, past[following]


@pytest.mark.parametrize("delta", [0.25, 0.5, 1.75])
def test_an_improvement_is_by_more_than_delta(early_stopping, delta):
    for history in histories(int(4 * delta), 60):
        found = outputs(early_stopping.EarlyStopping(patience=3, delta=delta), history)
        wanted = [
            seen - last_improvement(history[:seen], delta) >= 3
            for seen in range(1, len(history) + 1)
        ]
        assert found == wanted


def test_a_fall_by_exactly_delta_is_no_improvement(early_stopping):
    monitor = early_stopping.EarlyStopping(patience=1, delta=0.5)
    assert outputs(monitor, [2.0, 1.5, math.nextafter(1.5, 0)]) == [0.0, 1.0, 0.0]


def test_what_is_not_below_infinity_is_no_improvement_and_minus_infinity_the_last(early_stopping):
    monitor = early_stopping.EarlyStopping(patience=2)
    assert outputs(monitor, [math.inf, math.inf, 1.0, -math.inf, -math.inf, 0.0]) == [
        *(0.0, 1.0),
        *(0.0, 0.0, 0.0, 1.0),
    ]
    assert monitor.states == {"b": -math.inf, "w": 2.0}


def test_before_an_observation_nothing_has_come_out(early_stopping):
    monitor = early_stopping.EarlyStopping(patience=1)
    assert monitor.value is None
    assert monitor.step(0.5) == monitor.value == 0.0
    assert monitor.step(0.5) == monitor.value == 1.0


def test_any_kind_of_number_is_observed_as_a_float(early_stopping):
    torch = pytest.importorskip("torch")
    kinds = [2, np.float32(1.5), np.float64(1.25), np.array(1.0), Fraction(3, 4), torch.tensor(0.5)]
    monitor = early_stopping.EarlyStopping(patience=1)
    assert outputs(monitor, kinds) == [0.0] * len(kinds)
    assert monitor.states == {"b": 0.5, "w": 0.0}
    assert {type(one) for one in (*monitor.states.values(), monitor.value)} == {float}


@pytest.mark.parametrize("name", ["early_stopping", "reduce_on_plateau"])
def test_each_line_that_computes_names_its_equation(library, name):
    text = render_module(library[name], Options())
    step = text.split("def step(")[1].split("def initial_states(")[0]
    lines = [line for line in step.splitlines() if f"{name}." in line]
    wanted = [id for id, _ in library[name].equations]
    assert [next(id for id in wanted if id in line) for line in lines] == wanted


def test_the_functions_are_what_the_class_does(early_stopping):
    states = early_stopping.initial_states()
    assert states == {"b": math.inf, "w": 0.0}
    states, stop = early_stopping.step(3.0, **states, patience=1, delta=0)
    assert (states, stop) == ({"b": 3.0, "w": 0.0}, 0.0)
    assert early_stopping.step(3.0, **states, patience=1) == ({"b": 3.0, "w": 1.0}, 1.0)
    assert early_stopping.step(3.0, **states) == ({"b": 3.0, "w": 1.0}, 0.0)
