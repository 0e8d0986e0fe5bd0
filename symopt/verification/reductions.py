"""How the losses of all groups become one number, and what the gradient by it hands to each.

``mean`` and ``sum`` give one number, in double precision or in the arrays' own; ``none``, and a
layer, leave a number for each group.
"""

from __future__ import annotations

from collections.abc import Sequence

from symopt.verification.arithmetic import Arithmetic
from symopt.verification.quantity import Quantity, scalar

REDUCTION = "reduction"  # the argument that says which
TO_ONE = ("mean", "sum")
REDUCTIONS = (*TO_ONE, "none")


def reduced(ops: Arithmetic, losses: Sequence[Quantity], reduction: str) -> Quantity:
    """The losses of all groups as one number."""
    return _shared(ops, ops.add(losses), len(losses), reduction)


def handed(ops: Arithmetic, outer: float, groups: int, reduction: str) -> Quantity:
    """The gradient by the loss of each group, from that by the one number."""
    return ops.lifted(_shared(ops, scalar(outer), groups, reduction))


def _shared(ops: Arithmetic, whole: Quantity, groups: int, reduction: str) -> Quantity:
    if reduction == "mean":
        return ops.chain([(whole, False), (scalar(groups), True)])
    return whole
