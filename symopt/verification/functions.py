"""Powers, elementary functions and functions with kinks, with their bounds.

An elementary function of the mathematical library is granted two ulps, that is four roundings. An
argument that may lie on either side of a kink gives the span of both sides. Infinite arguments are
exact, and so is what they give.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from symopt.verification.arithmetic import Arithmetic
from symopt.verification.quantity import (
    HIGH,
    SCALAR_ZERO,
    UNBOUNDED,
    UNDEFINED,
    Quantity,
    exact,
    unknown,
)

_LIBRARY = 4
_LONGEST_PRODUCT = 64


def apart(one: Any, other: Any) -> float:
    """How far two numbers are apart; two infinities of one sign are not."""
    return 0.0 if one == other else float(abs(one - other))


def power(ops: Arithmetic, base: Quantity, exponent: Quantity) -> Quantity:
    """``base`` to the ``exponent``; not defined below zero unless the exponent is an integer."""
    if not (base.bounded and exponent.bounded):
        return UNBOUNDED
    whole = exponent.error == 0 and exponent.value == HIGH.floor(exponent.value)
    if whole and 1 <= exponent.value <= _LONGEST_PRODUCT and not base.scalar:
        return ops.multiply([base] * int(exponent.value))
    scalar, (base, exponent) = ops.aligned((base, exponent))
    if exponent.exactly_zero:
        return Quantity(HIGH.one, 1.0, 0.0, scalar)
    if exponent.error == 0 and exponent.value == 1:
        return base
    if base.infinite or exponent.infinite:
        return _power_of_infinity(base, exponent, whole)
    if base.exactly_zero and abs(exponent.value) > exponent.error:
        return base if exponent.value > 0 else UNDEFINED
    if abs(base.value) <= base.error:
        return UNBOUNDED
    if base.value < 0 and not whole:
        return UNDEFINED if exponent.error == 0 else UNBOUNDED
    value = base.value**exponent.value
    # |x|^p is monotone in x and in p, so the corners are its extremes
    corners = [
        abs(base.value + side) ** (exponent.value + other)
        for side in {base.error, -base.error}
        for other in {exponent.error, -exponent.error}
    ]
    found = _library(ops, value, corners, scalar)
    if not found.bounded or scalar:
        return found
    # what cancelled in x is lost from a power of x too, so its magnitude goes along
    beyond = (base.size / float(abs(base.value))) ** max(1.0, float(abs(exponent.value)))
    return found._replace(size=found.size * beyond) if beyond < math.inf else found


def _power_of_infinity(base: Quantity, exponent: Quantity, whole: bool) -> Quantity:
    """±∞ to a power; nothing is known where an infinity is the power, or its sign is open."""
    if exponent.infinite or abs(exponent.value) <= exponent.error:
        return UNBOUNDED
    if exponent.value < 0:
        return SCALAR_ZERO
    if base.value > 0:
        return base
    if not whole:
        return UNBOUNDED
    return base._replace(value=base.value if exponent.value % 2 else -base.value)


def _library(ops: Arithmetic, value: Any, corners: Sequence[Any], scalar: bool) -> Quantity:
    """A library function's value, where its argument may make it any of the corners."""
    size, form = float(abs(value)), ops.format(scalar)
    error = max(float(abs(abs(one) - abs(value))) for one in corners)
    if error == 0 and value == 1:
        return Quantity(value, size, 0.0, scalar)
    return ops.settled(
        value, size, error + _LIBRARY * form.unit * (size + error) + form.tiny, scalar
    )


def rising(function: Callable[[Any], Any]) -> Callable[[Arithmetic, Quantity], Quantity]:
    """A monotone function that is defined everywhere, such as exp and tanh."""

    def apply(ops: Arithmetic, x: Quantity) -> Quantity:
        if not x.bounded:
            return UNBOUNDED
        value = function(x.value)
        ends = (function(x.value - x.error), function(x.value + x.error))
        error = max(apart(end, value) for end in ends)
        return _widened(ops, value, error, x.scalar)

    return apply


def waving(function: Callable[[Any], Any]) -> Callable[[Arithmetic, Quantity], Quantity]:
    """A function that never changes faster than its argument: sin and cos."""

    def apply(ops: Arithmetic, x: Quantity) -> Quantity:
        if not x.bounded:
            return UNBOUNDED
        if x.infinite:
            return UNDEFINED
        return _widened(ops, function(x.value), min(2.0, x.error), x.scalar)

    return apply


def _widened(ops: Arithmetic, value: Any, error: float, scalar: bool) -> Quantity:
    size, form = float(abs(value)), ops.format(scalar)
    if error == 0 and (form.holds(value) or HIGH.isinf(value)):
        return Quantity(value, size, 0.0, scalar)
    error += _LIBRARY * form.unit * (size + error) + form.tiny
    return ops.settled(value, size, error, scalar)


def logarithm(ops: Arithmetic, x: Quantity) -> Quantity:
    """The natural logarithm; not defined at zero and below."""
    if not x.bounded:
        return unknown(x.error)
    if x.value <= -x.error:
        return UNDEFINED
    if x.value <= x.error:
        return UNBOUNDED
    return rising(HIGH.log)(ops, x)


def absolute(_: Arithmetic, x: Quantity) -> Quantity:
    """The absolute value, as uncertain as its argument."""
    return x._replace(value=abs(x.value))


def delta(_: Arithmetic, one: Quantity, other: Quantity) -> Quantity:
    """1 where two indices are the same, else 0."""
    return exact(float(one.value == other.value))


def sign(_: Arithmetic, x: Quantity) -> Quantity:
    """-1, 0 or 1; all between where the argument may have either sign."""
    if not x.bounded:
        return UNBOUNDED
    side = HIGH.sign(x.value)
    if abs(x.value) > x.error or x.error == 0:
        return Quantity(side, float(abs(side)), 0.0, x.scalar)
    return Quantity(side, 1.0, 1.0 + float(abs(side)), x.scalar)


def stepwise(function: Callable[[Any], Any]) -> Callable[[Arithmetic, Quantity], Quantity]:
    """The floor or the ceiling, a span of integers where the argument may cross one."""

    def apply(_: Arithmetic, x: Quantity) -> Quantity:
        if not x.bounded:
            return UNBOUNDED
        value = function(x.value)
        ends = (function(x.value - x.error), function(x.value + x.error))
        error = max(apart(end, value) for end in ends)
        return Quantity(value, float(abs(value)), error, x.scalar)

    return apply


def extreme(choose: Callable[..., Any]) -> Callable[[Arithmetic, Sequence[Quantity]], Quantity]:
    """The largest or the smallest of several, whichever of them it may be."""

    def apply(ops: Arithmetic, operands: Sequence[Quantity]) -> Quantity:
        scalar, operands = ops.aligned(operands)
        if not all(x.bounded for x in operands):
            return UNBOUNDED
        value = choose(x.value for x in operands)
        ends = (
            choose(x.value - x.error for x in operands),
            choose(x.value + x.error for x in operands),
        )
        error = max(apart(end, value) for end in ends)
        chosen = [
            x
            for x in operands
            if x.infinite == HIGH.isinf(value) and apart(x.value, value) <= x.error + error
        ]
        return Quantity(value, max(x.size for x in chosen), error, scalar)

    return apply


def either(ops: Arithmetic, branches: Sequence[Quantity]) -> Quantity:
    """The one branch that is taken; the span of several where rounding decides between them."""
    if len(branches) == 1:
        return branches[0]
    scalar, branches = ops.aligned(branches)
    if not all(x.bounded for x in branches):
        return UNBOUNDED
    first = branches[0].value
    error = max(apart(x.value, first) + x.error for x in branches)
    return Quantity(first, max(x.size for x in branches), error, scalar)
