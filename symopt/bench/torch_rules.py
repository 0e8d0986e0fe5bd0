"""An update rule as PyTorch has it: one fused loop, lists of tensors, or compiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symopt.bench.timing import Contestant

# compiling a step of many tensors takes PyTorch minutes
MOST_COMPILED = 8


def contestant(
    form: str,
    row: Mapping[str, Any],
    arguments: Mapping[str, Any],
    params: Sequence[np.ndarray],
    grads: Sequence[np.ndarray],
    threads: int,
) -> Contestant:
    """One form of a PyTorch optimizer at work on these arrays, in place."""
    import torch

    torch.set_num_threads(threads)
    tensors = [torch.from_numpy(one).requires_grad_() for one in params]
    for tensor, grad in zip(tensors, grads, strict=True):
        tensor.grad = torch.from_numpy(grad.copy())
    how = {"fused": {"fused": True}}.get(form, {"foreach": True})
    optimizer = getattr(torch.optim, row["class"])(tensors, **arguments, **how)
    step = torch.compile(optimizer.step) if form == "compiled" else optimizer.step

    def renew(factor: float) -> None:
        # with Nesterov's step, lists of tensors add to the gradients themselves
        for tensor, grad in zip(tensors, grads, strict=True):
            tensor.grad.copy_(torch.from_numpy(grad)).mul_(factor)

    return Contestant(
        f"torch {form}",
        step,
        lambda: {f"parameter {k}": one for k, one in enumerate(params)},
        row.get("note", ""),
        renew,
    )
