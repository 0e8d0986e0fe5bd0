"""A product of two arrays, summed over what they share ⇒ a product of matrices, where it is one.

Which it is follows from the counters alone: those of both factors and of the target stack matrices,
those of one factor and the target are its rows or columns, and those of both factors alone are
summed over. A counter of one factor alone that the target lacks makes it none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sympy import Expr, Symbol

from symopt.program.tensor_ir import Stacked

Axes = tuple[Symbol, ...]


@dataclass(frozen=True)
class Arrangement:
    """Matrices of ``rows`` × ``inner`` and ``inner`` × ``columns``, stacked along ``stack``.

    With ``swapped`` the second factor is the one on the left.
    """

    stack: Axes
    rows: Axes
    inner: Axes
    columns: Axes
    swapped: bool

    @property
    def target(self) -> Axes:
        """The axes of the product."""
        return (*self.stack, *self.rows, *self.columns)


def arranged(one: Axes, other: Axes, target: Axes) -> Arrangement | None:
    """The product whose axes are those of the target in this order; nothing where it is none.

    The last axes of one factor are the columns, those of the other before them the rows; all axes
    before these are a stack, along which a factor that lacks an axis is the same.

    >>> n, j, k = map(Symbol, "njk")
    >>> arranged((n, j), (j, k), (n, k)).inner
    (j,)
    """
    if not _covers(one, other, target):
        return None
    inner = tuple(axis for axis in one if axis in other and axis not in target)
    kinds = [_kind(axis, one, other) for axis in target]
    last = kinds[-1] if kinds else ""
    start = len(kinds)
    while start and kinds[start - 1] == last:
        start -= 1
    if not inner or last in ("", "both"):
        return None
    middle = start
    while middle and kinds[middle - 1] not in ("both", last):
        middle -= 1
    return Arrangement(
        target[:middle], target[middle:start], inner, target[start:], swapped=last == "one"
    )


def in_own_order(
    one: Axes, other: Axes, target: Axes, last: Symbol, first: Symbol | None
) -> Arrangement | None:
    """The product in an order of its own: ``first`` stacked outermost, ``last`` in the columns."""
    if not _covers(one, other, target):
        return None
    kinds = {axis: _kind(axis, one, other) for axis in target if axis != first}
    columns_of = kinds.get(last, "other")
    columns_of = "other" if columns_of == "both" else columns_of
    stack = [axis for axis, kind in kinds.items() if kind == "both"]
    columns = [axis for axis, kind in kinds.items() if kind == columns_of]
    rows = [axis for axis, kind in kinds.items() if kind not in ("both", columns_of)]
    inner = tuple(axis for axis in one if axis in other and axis not in target)
    if not inner or not (rows or columns):
        return None
    outermost = (first,) if first in target else ()
    return Arrangement(
        (*outermost, *stack),
        tuple(rows),
        inner,
        tuple(columns),
        columns_of == "one",
    )


def _covers(one: Axes, other: Axes, target: Axes) -> bool:
    """Whether each axis is one of the target or summed over, in both factors then."""
    return all(
        axis in target or (axis in one and axis in other) for axis in (*one, *other)
    ) and all(axis in one or axis in other for axis in target)


def _kind(axis: Symbol, one: Axes, other: Axes) -> str:
    if axis in one:
        return "both" if axis in other else "one"
    return "other"


def stacked(
    array: str, axes: Axes, groups: Sequence[Axes], lengths: Mapping[Symbol, Expr], stack: Axes = ()
) -> Stacked:
    """An array with these axes as a stack of matrices of two groups.

    Along the stack an array that lacks an axis has one of length 1, or none if it is the first.
    """
    present: list[Axes] = []
    for axis in stack:
        if axis in axes:
            present.append((axis,))
        elif present:
            present.append(())
    wanted = [*present, *groups]
    order = tuple(axes.index(axis) for group in wanted for axis in group)
    return Stacked(array, order, tuple(tuple(lengths[axis] for axis in group) for group in wanted))
