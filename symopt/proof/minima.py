"""Where a function is smallest, found by closing in on the place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mpmath import mp
from sympy import Basic

from symopt.nodes import Argmin
from symopt.proof.numbers import Number, Undefined, floating, real

if TYPE_CHECKING:  # a point hands itself to these functions
    from symopt.proof.evaluation import Point

_FAR, _DIGITS, _CLOSE = 1000, 80, 30


def smallest_place(expr: Argmin, point: Point, bound: Mapping[Basic, Number]) -> Number:
    """The place of the minimum of a function that falls, then rises, as convex ones do.

    Raises
    ------
    Undefined
        Where none is found within ±1000, or where values on the way say that there are others.
    """

    def value(place: Number) -> Number:
        return floating(real(point.evaluate(expr.args[0], {**bound, expr.args[1]: place})))

    with mp.workdps(_DIGITS):
        low, high = mp.mpf(-_FAR), mp.mpf(_FAR)
        ends = value(low), value(high)
        while high - low > mp.mpf(10) ** -_CLOSE:
            first, second = (2 * low + high) / 3, (low + 2 * high) / 3
            left, right = value(first), value(second)
            if (left >= ends[0] and right >= ends[1]) or left > max(ends) or right > max(ends):
                raise Undefined
            if left <= right:
                high, ends = second, (ends[0], right)
            if right <= left:
                low, ends = first, (left, ends[1])
        if _FAR - abs(low) < 1:
            raise Undefined
        return (low + high) / 2
