"""Update rules: generated code and its peers, each at work on arrays of its own."""

from __future__ import annotations

import ctypes
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np

from symopt.bench import optax_rules, torch_rules
from symopt.bench.arena import EXAMPLES, Arena, Arrays
from symopt.bench.c_limits import Pieces, Traffic, library
from symopt.bench.numpy_rules import Straight
from symopt.bench.timing import Contestant
from symopt.bench.works import table
from symopt.derivation.system import INPUT
from symopt.errors import SymoptError

OWN, KERNEL, POINT = "symopt", "symopt kernel", "symopt and point"
# by how much the gradients of the steps differ whose results are compared: with equal ones,
# averages would not show their rates; powers of 2 round nothing
FACTORS = (1.0, 2.0, 4.0)


def contestants(arena: Arena, wanted: Callable[[str], bool]) -> Iterator[Contestant]:
    """Generated code and those of its peers that are here and wanted."""
    yield _own(arena)
    if len(arena.work.shapes) == 1 and hasattr(arena.module, "prepare"):
        yield _kernel(arena)
    if arena.system.gradient_point is not None:
        yield _with_point(arena)
    for name, make in PEERS.items():
        if wanted(name):
            made = make(arena)
            if made is not None:
                yield made


def reference(arena: Arena) -> Mapping[str, np.ndarray]:
    """Where the first elements arrive in generated code of float64, by contestants' names."""
    params, inputs = arena.heads()
    optimizer = arena.optimizer(params)
    for factor in FACTORS:
        optimizer.step(*[[factor * one for one in given] for given in inputs])
    found = {**_named(params)}
    if arena.system.gradient_point is not None:
        found |= {f"point of {key}": one for key, one in _named(optimizer.gradient_point()).items()}
    return found


def bound(arena: Arena) -> float:
    """How far float32 may lead from the reference.

    A step of up to 32 operations on terms of one sign is off by as many roundings of its length,
    and by four more over 1 − β where a peer computes 1 − βᵗ in float32, which cancels. No element
    of the parameters is above 8, and each is rounded once a step. No step is longer than 4 α.
    """
    numbers, steps = arena.numbers, len(FACTORS)
    rounding = float(np.finfo(np.float32).eps) / 2
    cancels = 4.0 / (1.0 - max((one for one in numbers.values() if 0.5 < one < 1), default=0.0))
    longest = 4.0 * numbers.get("alpha", 1.0)
    return steps * rounding * (8.0 + longest * (32.0 + cancels))


def _own(arena: Arena) -> Contestant:
    params, inputs = arena.arrays()
    optimizer = arena.optimizer(params)
    return Contestant(
        OWN, lambda: optimizer.step(*inputs), lambda: _named(params), renew=_renewing(inputs)
    )


def _kernel(arena: Arena) -> Contestant:
    (theta,), inputs = arena.arrays()
    states = _states(arena, theta)
    given = {
        variable.name: one[0]
        for variable, one in zip(arena.system.of_role(INPUT), inputs, strict=True)
    }
    takes = inspect.signature(arena.module.prepare).parameters
    step = {"t": 1} if "t" in takes else {}
    ready = arena.module.prepare(theta=theta, **given, **states, **step, **arena.numbers)
    run = arena.module.run
    return Contestant(KERNEL, lambda: run(*ready))


def _with_point(arena: Arena) -> Contestant:
    params, inputs = arena.arrays()
    optimizer = arena.optimizer(params)

    def both() -> None:
        optimizer.step(*inputs)
        optimizer.gradient_point()

    return Contestant(POINT, both, lambda: _named(params), renew=_renewing(inputs))


def _torch(form: str) -> Callable[[Arena], Contestant | None]:
    def make(arena: Arena) -> Contestant | None:
        row = table()["torch"].get(arena.rule.name)
        if row is None or form not in row["forms"] or find_spec("torch") is None:
            return None
        if form == "compiled" and len(arena.work.shapes) > torch_rules.MOST_COMPILED:
            return None
        params, inputs = arena.arrays()
        arguments = _arguments(row, arena.numbers)
        made = torch_rules.contestant(form, row, arguments, params, inputs[0], arena.threads)
        return _renamed(made, row)

    return make


def _optax(arena: Arena) -> Contestant | None:
    row = table()["optax"].get(arena.rule.name)
    if row is None or find_spec("optax") is None:
        return None
    params, inputs = arena.arrays()
    arguments = _arguments(row, arena.numbers)
    made = optax_rules.contestant(row, arguments, params, inputs[0], arena.threads)
    return _renamed(made, row)


def _numpy(arena: Arena) -> Contestant | None:
    params, inputs = arena.arrays()
    try:
        straight = Straight(arena.system, params, arena.numbers)
    except SymoptError:
        return None
    return Contestant(
        "NumPy", lambda: straight.step(*inputs), lambda: _named(params), renew=_renewing(inputs)
    )


def _c(arena: Arena) -> Contestant | None:
    function = getattr(library(arena.threads), arena.rule.name, None)
    if function is None:
        return None
    params, inputs = arena.arrays()
    states = [list(_states(arena, one).values()) for one in params]
    rows = zip(params, *inputs, states, strict=True)
    pieces = Pieces([(*arrays, *kept) for *arrays, kept in rows])
    numbers = (ctypes.c_double * (1 + len(arena.numbers)))(0.0, *arena.numbers.values())

    def step() -> None:
        numbers[0] += 1.0
        function(pieces.table, pieces.lengths, pieces.count, numbers)

    return Contestant("C", step, lambda: _named(params), renew=_renewing(inputs))


def _copy(arena: Arena) -> Contestant:
    reads, moves = _arrays_moved(arena)
    return Contestant("copy", Traffic(arena.work.elements, reads, moves, 0, arena.threads))


def least_bytes(arena: Arena) -> int:
    """The bytes that a step of the rule has to move, each array once each way."""
    reads, moves = _arrays_moved(arena)
    return 4 * arena.work.elements * (reads + 2 * moves)


def _arrays_moved(arena: Arena) -> tuple[int, int]:
    """How many arrays are read only, and how many read and written."""
    states = _states(arena, np.zeros(2, np.float32)).values()
    moves = 1 + sum(one.shape == (2,) for one in states)
    reads = sum(EXAMPLES if one.examples else 1 for one in arena.system.of_role(INPUT))
    return reads, moves


def _states(arena: Arena, theta: np.ndarray) -> dict[str, np.ndarray]:
    """The states before the first step, by name."""
    takes = inspect.signature(arena.module.initial_states).parameters
    given = {key: one for key, one in arena.numbers.items() if key in takes}
    found: dict[str, np.ndarray] = arena.module.initial_states(theta, **given)
    return found


PEERS: dict[str, Callable[[Arena], Contestant | None]] = {
    "torch fused": _torch("fused"),
    "torch foreach": _torch("foreach"),
    "torch compiled": _torch("compiled"),
    "optax": _optax,
    "NumPy": _numpy,
    "C": _c,
    "copy": _copy,
}


def _arguments(row: Mapping[str, Any], numbers: Mapping[str, float]) -> dict[str, Any]:
    """A peer's arguments: a hyperparameter of ours by name, several of them, or a value."""

    def value(one: Any) -> Any:
        if isinstance(one, list):
            return tuple(value(part) for part in one)
        return numbers[one] if isinstance(one, str) else one

    return {key: value(one) for key, one in row["arguments"].items()}


def _renewing(inputs: list[Arrays]) -> Callable[[float], None]:
    """What sets these arrays to so many times what they are now, a power of 2."""
    now = [1.0]

    def renew(factor: float) -> None:
        for given in inputs:
            for one in given:
                one *= np.float32(factor / now[0])
        now[0] = factor

    return renew


def _named(arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    return {f"parameter {place}": one for place, one in enumerate(arrays)}


def _renamed(made: Contestant, row: Mapping[str, Any]) -> Contestant:
    """A peer that moves the point of the next gradient is compared with that point."""
    if not row.get("point"):
        return made
    results = made.results
    assert results is not None
    return replace(made, results=lambda: {f"point of {key}": one for key, one in results().items()})
