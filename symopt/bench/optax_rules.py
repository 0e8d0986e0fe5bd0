"""An update rule as Optax has it, jitted, its arrays donated so that nothing is copied."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symopt.bench.timing import Contestant


def contestant(
    row: Mapping[str, Any],
    arguments: Mapping[str, Any],
    params: Sequence[np.ndarray],
    grads: Sequence[np.ndarray],
    threads: int,
) -> Contestant:
    """An Optax transformation at work on copies of these arrays."""
    jax, optax = _loaded(threads)
    rule = getattr(optax, row["function"])(**arguments)
    values = [jax.numpy.array(one) for one in params]
    given = [jax.numpy.array(one) for one in grads]
    held = {"params": values, "state": rule.init(values), "grads": given}

    def moved(params: Any, state: Any, grads: Any) -> Any:
        updates, state = rule.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    jitted = jax.jit(moved, donate_argnums=(0, 1))

    def step() -> None:
        held["params"], held["state"] = jitted(held["params"], held["state"], held["grads"])
        jax.block_until_ready(held["params"])

    def results() -> dict[str, np.ndarray]:
        return {f"parameter {k}": np.asarray(one) for k, one in enumerate(held["params"])}

    def renew(factor: float) -> None:
        held["grads"] = [factor * one for one in given]

    return Contestant("optax", step, results, row.get("note", ""), renew)


def _loaded(threads: int) -> tuple[Any, Any]:
    """JAX and Optax; the pool of threads is as large as the processors seen when it is made."""
    import jax
    import optax

    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    if before is not None:
        os.sched_setaffinity(0, sorted(before)[:threads])
    try:
        jax.devices("cpu")
    finally:
        if before is not None:
            os.sched_setaffinity(0, before)
    return jax, optax
