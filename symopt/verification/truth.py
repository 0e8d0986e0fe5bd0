"""Conditions under rounding: true, false, or None where a kernel may find either."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sympy import And, Eq, Ge, Gt, Le, Lt, Ne, Not, Or
from sympy.logic.boolalg import BooleanFalse, BooleanTrue

from symopt.verification.arithmetic import Arithmetic
from symopt.verification.quantity import HIGH, Quantity

Truth = bool | None


def order(ops: Arithmetic, left: Quantity, right: Quantity) -> int | None:
    """-1, 0 or 1 as left is less than, the same as or more than right.

    None where unsure, unless the arithmetic has been told what to take for it.
    """
    _, (left, right) = ops.aligned((left, right))
    if not (left.bounded and right.bounded):
        return None
    if left.value == right.value and left.error + right.error == 0:
        return 0  # two infinities among them, which have no difference
    gap, unsure = left.value - right.value, left.error + right.error
    if unsure == 0 or abs(gap) > unsure:
        return int(HIGH.sign(gap))
    return ops.undecided(left, right)


def _holds_for(*orders: int) -> Callable[[Arithmetic, Quantity, Quantity], Truth]:
    def compare(ops: Arithmetic, left: Quantity, right: Quantity) -> Truth:
        found = order(ops, left, right)
        return None if found is None else found in orders

    return compare


def _all(parts: Sequence[Truth]) -> Truth:
    return False if False in parts else None if None in parts else True


def _any(parts: Sequence[Truth]) -> Truth:
    return True if True in parts else None if None in parts else False


def _not(parts: Sequence[Truth]) -> Truth:
    return None if parts[0] is None else not parts[0]


TRUTHS: dict[type, Callable[..., Truth]] = {
    Lt: _holds_for(-1),
    Le: _holds_for(-1, 0),
    Gt: _holds_for(1),
    Ge: _holds_for(0, 1),
    Eq: _holds_for(0),
    Ne: _holds_for(-1, 1),
    And: _all,
    Or: _any,
    Not: _not,
    BooleanTrue: lambda _: True,
    BooleanFalse: lambda _: False,
}
