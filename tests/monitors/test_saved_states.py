"""A monitor goes on from what was saved, and what does not fit is refused whole."""

import json
import math

import numpy as np
import pytest

from symopt.runtime.compiling import compile


@pytest.fixture(scope="module")
def modules(library):
    return {name: compile(library[name]) for name in ("early_stopping", "reduce_on_plateau")}


def stopping(modules, **numbers):
    return modules["early_stopping"].EarlyStopping(**numbers)


def outline(monitor):
    return monitor.hyperparameters, monitor.states, monitor.value


def test_what_is_saved_is_json_without_extensions_and_goes_on(modules):
    monitor = stopping(modules, patience=3, delta=0.25)
    for losses in ([], [math.inf], [2.0, 2.0], [-math.inf, 1.0]):
        for loss in losses:
            monitor.step(loss)
        text = json.dumps(monitor.state_dict(), allow_nan=False)
        fresh = stopping(modules)
        fresh.load_state_dict(json.loads(text))
        assert outline(fresh) == outline(monitor)
        assert json.dumps(fresh.state_dict()) == text


def test_a_rate_goes_on_from_what_was_saved(modules):
    make = modules["reduce_on_plateau"].ReduceOnPlateau
    one, other = make(alpha=0.5, gamma=0.5, patience=0, cooldown=1), make(alpha=0.1)
    for loss in (1.0, 1.0, 1.0):
        one.step(loss)
    other.load_state_dict(one.state_dict())
    assert (other.value, other(7)) == (0.25, 0.25)
    assert [other.step(1.0) for _ in range(3)] == [one.step(1.0) for _ in range(3)]


def test_what_was_saved_does_not_follow_what_happens_later(modules):
    monitor = stopping(modules, patience=1)
    saved = monitor.state_dict()
    monitor.step(1.0)
    assert saved["states"] == {"b": "inf", "w": 0.0}


def spoilt(saved, **changes):
    """What was saved, with parts changed, or without a part that is changed to nothing."""
    return {key: part for key, part in {**saved, **changes}.items() if part is not ...}


WRONG = "early_stopping: what was saved is no state of this monitor: "
REFUSED = {
    "of another monitor": (
        lambda saved: spoilt(saved, monitor="other", fingerprint="0"),
        "it is of 'other', not of early_stopping ",
    ),
    "no mapping": (lambda _: [1], "it is of [1], not of early_stopping "),
    "no states": (lambda saved: spoilt(saved, states=...), "'states'"),
    "states in a list": (
        lambda saved: spoilt(saved, states=[1.0, 2.0]),
        "'list' object has no attribute 'items'",
    ),
    "no hyperparameters": (
        lambda saved: spoilt(saved, hyperparameters=...),
        "'hyperparameters'",
    ),
    "another hyperparameter": (
        lambda saved: spoilt(saved, hyperparameters={"delta": 0.0, "rho": 1.0}),
        "_numbers() got an unexpected keyword argument 'rho'",
    ),
    "a hyperparameter outside its range": (
        lambda saved: spoilt(saved, hyperparameters={"delta": -1.0, "patience": 3.0}),
        "early_stopping: delta = -1.0 is outside its range [0, ∞)",
    ),
    "a state too few": (
        lambda saved: spoilt(saved, states={"b": 1.0}),
        "the states are ['b']",
    ),
    "a state too many": (
        lambda saved: spoilt(saved, states={"b": 1.0, "w": 0.0, "c": 0.0}),
        "the states are ['b', 'c', 'w']",
    ),
    "NaN": (
        lambda saved: spoilt(saved, states={"b": math.nan, "w": 0.0}),
        "early_stopping: b is nan, which is no number",
    ),
    "a word": (
        lambda saved: spoilt(saved, states={"b": "nan", "w": 0.0}),
        "early_stopping: b is 'nan', which is no number",
    ),
    "a value of no kind": (
        lambda saved: spoilt(saved, value="stop"),
        "early_stopping: value is 'stop', which is no number",
    ),
    "no value": (lambda saved: spoilt(saved, value=...), "'value'"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_was_saved_and_does_not_fit_is_refused_and_changes_nothing(modules, what):
    make, message = REFUSED[what]
    monitor = stopping(modules, patience=3)
    monitor.step(1.0)
    saved, before = monitor.state_dict(), outline(monitor)
    with pytest.raises(ValueError, match=r"^early_stopping: what was saved") as error:
        monitor.load_state_dict(make(saved))
    whole = WRONG + message
    assert str(error.value) == (whole + saved["fingerprint"] if whole[-1] == " " else whole)
    assert outline(monitor) == before


@pytest.mark.parametrize(
    ("observed", "shown"),
    [
        (math.nan, "nan"),
        (np.float32("nan"), "np.float32(nan)"),
        ("1.0", "'1.0'"),
        (True, "True"),
        (None, "None"),
        (1j, "1j"),
        (np.ones(1), "array([1.])"),
        (10**400, str(10**400)),
    ],
)
def test_what_is_no_number_is_not_observed_and_changes_nothing(modules, observed, shown):
    monitor = stopping(modules, patience=3)
    monitor.step(1.0)
    before = outline(monitor)
    with pytest.raises(ValueError, match=r"^early_stopping: ell is ") as error:
        monitor.step(observed)
    assert str(error.value) == f"early_stopping: ell is {shown}, which is no number"
    assert outline(monitor) == before


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"patience": 0}, "patience = 0.0 is outside its range {1, 2, …}"),
        ({"patience": 2.5}, "patience = 2.5 is outside its range {1, 2, …}"),
        ({"delta": -1}, "delta = -1.0 is outside its range [0, ∞)"),
        ({"delta": math.inf}, "delta = inf is outside its range [0, ∞)"),
        ({"delta": math.nan}, "delta = nan is outside its range [0, ∞)"),
        ({"delta": "1"}, "delta is '1', not a number in [0, ∞)"),
    ],
)
def test_hyperparameters_are_checked_when_a_monitor_is_made_and_at_each_step(
    modules, numbers, message
):
    states = modules["early_stopping"].initial_states()
    for make in (
        lambda: stopping(modules, **numbers),
        lambda: modules["early_stopping"].step(1.0, **states, **numbers),
    ):
        with pytest.raises(ValueError, match=r"^early_stopping: ") as error:
            make()
        assert str(error.value) == f"early_stopping: {message}"


def test_a_state_that_is_no_number_is_refused_by_the_function(modules):
    with pytest.raises(ValueError, match=r"^early_stopping: b is nan, which is no number$"):
        modules["early_stopping"].step(1.0, math.nan, 0.0)


def test_a_rate_must_be_given_and_lie_in_its_range(modules):
    make = modules["reduce_on_plateau"].ReduceOnPlateau
    with pytest.raises(TypeError, match="alpha"):
        make()
    with pytest.raises(ValueError, match=r"^reduce_on_plateau: alpha = 0.0 is outside its range"):
        make(alpha=0)
