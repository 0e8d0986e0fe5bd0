"""The reactive schedule beside PyTorch's ReduceLROnPlateau, number for number."""

import math

import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from symopt.runtime.compiling import compile


@pytest.fixture(scope="module")
def reduce_on_plateau(library):
    return compile(library["reduce_on_plateau"])


def theirs(alpha, **facts):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=alpha)
    return ReduceLROnPlateau(optimizer, mode="min", **facts)


def losses(source, count):
    """A noisy fall that levels out, with repeated, huge and infinite ones, and below zero."""
    found = np.exp(-np.arange(count) / 8) + source.normal(size=count) * 0.05
    found[source.random(count) < 0.2] = round(float(found[0]), 1)
    found[source.random(count) < 0.05] = math.inf
    found[source.random(count) < 0.03] = 1e300
    return [float(x) for x in found - source.choice([0, 2])]


def names(mode, source):
    """Hyperparameters under PyTorch's names and under ours."""
    threshold = float(source.choice([0, 1e-4, 0.01, 0.25]))
    their = {
        "factor": float(source.choice([0.1, 0.5, 0.9])),
        "patience": int(source.integers(0, 4)),
        "cooldown": int(source.integers(0, 4)),
        "min_lr": float(source.choice([0, 1e-3, 0.02])),
        "eps": float(source.choice([0, 1e-8, 1e-3])),
    }
    ours = dict(
        zip(("gamma", "patience", "cooldown", "alpha_min", "epsilon"), their.values(), strict=True)
    )
    threshold_as = {"rel": {"rho": threshold, "delta": 0}, "abs": {"rho": 0, "delta": threshold}}
    their |= {"threshold": threshold, "threshold_mode": mode}
    return their, ours | threshold_as[mode]


@pytest.mark.parametrize("mode", ["rel", "abs"])
@pytest.mark.parametrize("seed", range(40))
def test_rates_and_counts_are_those_of_pytorch(reduce_on_plateau, mode, seed):
    source = np.random.default_rng([seed, mode == "rel"])
    their, ours = names(mode, source)
    alpha = float(source.choice([0.1, 0.03, 1e-3]))
    scheduler = theirs(alpha, **their)
    monitor = reduce_on_plateau.ReduceOnPlateau(alpha=alpha, **ours)
    assert monitor.value == alpha
    for loss in losses(source, 60):
        scheduler.step(loss)
        assert monitor.step(loss) == scheduler.get_last_lr()[0] == monitor.value
        states = monitor.states
        assert (states["b"], states["w"], states["c"]) == (
            scheduler.best,
            scheduler.num_bad_epochs,
            scheduler.cooldown_counter,
        )


def test_the_defaults_are_those_of_pytorch(reduce_on_plateau):
    scheduler, monitor = theirs(0.1), reduce_on_plateau.ReduceOnPlateau(alpha=0.1)
    rates = []
    for loss in [1.0, *[0.99995] * 50, *[0.9] * 60]:
        scheduler.step(loss)
        rates.append(monitor.step(loss))
        assert rates[-1] == scheduler.get_last_lr()[0]
    assert len(set(rates)) > 5


def test_a_rate_below_the_least_one_is_left_as_it_is(reduce_on_plateau):
    monitor = reduce_on_plateau.ReduceOnPlateau(alpha=0.1, alpha_min=0.2, patience=0)
    assert [monitor.step(1.0) for _ in range(3)] == [0.1] * 3


def test_adam_follows_the_rate_as_it_falls(library, reduce_on_plateau):
    """A monitor is asked at each step; the same rates given step by step move the same."""
    adam = compile(library["adam"])
    source = np.random.default_rng(3)
    plateau = reduce_on_plateau.ReduceOnPlateau(alpha=0.125, gamma=0.5, patience=1)
    scheduler = theirs(0.125, factor=0.5, patience=1)
    start = source.normal(size=5)
    by_value, by_object, by_hand = start.copy(), start.copy(), start.copy()
    rates = [0.125]
    optimizers = [
        adam.Adam([by_value], alpha=lambda t: plateau.value),  # noqa: ARG005  # whatever the step
        adam.Adam([by_object], alpha=plateau),
        adam.Adam([by_hand], alpha=lambda t: rates[t - 1]),
    ]
    for loss in [1.0, 0.5, 0.5, 0.5, 0.5, 0.4, 0.4, 0.4]:
        gradient = source.normal(size=5)
        for one in optimizers:
            one.step([gradient.copy()])
        scheduler.step(loss)
        plateau.step(loss)
        rates.append(scheduler.get_last_lr()[0])
    assert by_value.tobytes() == by_object.tobytes() == by_hand.tobytes()
    assert rates == [*[0.125] * 4, *[0.0625] * 4, 0.03125]
