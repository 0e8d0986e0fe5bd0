"""States in bfloat16 beside float32: bytes, time and how errors grow over 10,000 steps.

    python benchmarks/bfloat16_states.py

Errors are of parameters and states beside the same steps in float64, on noisy gradients of one
quadratic a parameter, curvatures from 0.01 to 1. "nearest" rounds the states of the float32 kernel
to the nearest bfloat16 number after each step.
"""

import inspect
import time

import numpy as np

from symopt import compile, get_threads
from symopt.catalog.lecture.adagrad import adagrad
from symopt.catalog.lecture.adam import adam
from symopt.catalog.lecture.momentum import momentum
from symopt.catalog.lecture.rmsprop import rmsprop
from symopt.targets.target import Options

RULES = (momentum, adagrad, rmsprop, adam)
BFLOAT16 = Options(states="bfloat16")
SIZE, SHOWN = 4096, (100, 1000, 10_000)


def optimizer(module, params):
    """The optimizer of a generated module, with the rule's own numbers."""
    made = next(
        one for one in vars(module).values() if inspect.isclass(one) and "step" in vars(one)
    )
    return made([params])


def relative(found, exact):
    """The root mean square of an error, over that of the exact numbers."""
    error = np.asarray(found, np.float64) - exact
    return float(np.sqrt(np.mean(error**2) / np.mean(exact**2)))


def growth(rule):
    """Errors of parameters' ways and of states, for each kind of states, after some steps."""
    plain, rounded = compile(rule), compile(rule, BFLOAT16)
    rng = np.random.default_rng(0)
    start, curvature = rng.normal(size=SIZE), 10 ** rng.uniform(-2, 0, SIZE)
    kinds = {"float64": plain, "float32": plain, "bfloat16": rounded, "nearest": plain}
    running = {
        kind: optimizer(module, start.astype("float64" if kind == "float64" else "float32"))
        for kind, module in kinds.items()
    }
    for step in range(1, SHOWN[-1] + 1):
        noise = 0.1 * rng.normal(size=SIZE)
        for kind, one in running.items():
            (theta,) = one.params
            one.step([(curvature * theta + noise).astype(theta.dtype)])
            if kind == "nearest":
                for state in one.states[0].values():
                    state[...] = rounded.as_float32(rounded.as_bfloat16(state))
        if step in SHOWN:
            yield from _errors(rule, rounded, running, start, step)


def _errors(rule, rounded, running, start, step):
    exact = running["float64"]
    for kind in ("float32", "bfloat16", "nearest"):
        one = running[kind]
        way = relative(one.params[0] - start, exact.params[0] - start)
        states = {
            key: relative(rounded.as_float32(x) if x.dtype == np.uint16 else x, y)
            for (key, x), y in zip(one.states[0].items(), exact.states[0].values(), strict=True)
        }
        words = "  ".join(f"{key} {value:.1e}" for key, value in states.items())
        loss = np.mean(one.params[0].astype(float) ** 2) / np.mean(exact.params[0] ** 2)
        yield f"{rule.name:9} {step:6} {kind:9} way {way:.1e}  mean θ² {loss:.4f}  {words}"


def times(rule, size, rounds=41):
    """The median of time over the float32 kernel's, in turn, and the bytes of both."""
    rng = np.random.default_rng(0)
    theta, g = (rng.normal(size=size).astype(np.float32) for _ in range(2))
    two = [optimizer(compile(rule, BFLOAT16), theta.copy()), optimizer(compile(rule), theta)]
    ratios = []
    for _ in range(rounds):
        spent = []
        for one in two:
            start = time.perf_counter()
            one.step([g])
            spent.append(time.perf_counter() - start)
        ratios.append(spent[0] / spent[1])
    # θ and states are read and written, the gradient is read
    moved = [3 * 4 + sum(2 * x.itemsize for x in one.states[0].values()) for one in two]
    low, middle, high = np.percentile(ratios, (25, 50, 75))
    return (
        f"{rule.name:9} {size:10,} bytes {moved[0]} in place of {moved[1]}, "
        f"time {middle:.2f} (half of the rounds {low:.2f} to {high:.2f})"
    )


if __name__ == "__main__":
    print(f"{get_threads()} threads")
    for rule in RULES:
        print(times(rule, 100_000))
        print(times(rule, 10_000_000))
    for rule in RULES:
        print("\n".join(growth(rule)))
