"""Sums over many rows ⇒ sums over a few of them in the arrays' dtype, which float64 totals take up.

To add a row to totals in float64 is to widen each number and to move twice the bytes. A few rows
lose no more by it than the elements of one row do, which are summed up in the arrays' dtype too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sympy import Basic, Expr, Indexed, S

from symopt.program.ir import (
    Assign,
    Loop,
    Node,
    Stop,
    element,
    local,
    rewritten,
)
from symopt.program.layout import Layout
from symopt.program.parts import BEGIN, END, PART_LETTER

# rows that are added up before float64 takes over
NEAR = 32
START, STOP = local("start"), local("stop")


def learns_along_rows(place: Layout) -> bool:
    """Whether what is learned has a number for each element of a group, in rows of memory.

    Groups that each have a part of it for themselves gain nothing: few of them add to any part.
    """
    axes = place.axes
    shared = bool(axes.shared) and not axes.apart
    return shared and bool(place.row) and {*axes.averaged} == {*axes.parameters}


def near_learned(
    place: Layout, names: Mapping[str, str], body: tuple[Node, ...]
) -> tuple[Node, ...]:
    """The loops over groups, which add to what is learned near by, a few groups at a time.

    The ``names`` are those of arrays that groups add to, each with the one that takes its place.
    """
    *before, parts = body
    assert isinstance(parts, Loop)
    *bounds, groups = parts.body
    assert isinstance(groups, Loop)

    def change(node: Basic) -> Basic | None:
        if isinstance(node, Indexed) and str(node.base.label) in names:
            return element(names[str(node.base.label)], *node.indices)
        return None

    at = {
        element(one, PART_LETTER, *place.of(place.axes.parameters)): element(
            near, PART_LETTER, *place.of(place.axes.parameters)
        )
        for one, near in names.items()
    }
    walked = (replace(groups, start=START, stop=STOP, body=rewritten(groups.body, change)),)
    blocks = in_blocks(place, place.axes.parameters, at, walked)
    return (*before, replace(parts, body=(*bounds, *blocks)))


def in_blocks(
    place: Layout, across: Iterable[str], near: Mapping[Expr, Expr], walked: tuple[Node, ...]
) -> tuple[Node, ...]:
    """What is done from ``start`` to ``stop``, for a few rows of a part at a time.

    The ``near`` sums begin at 0 and are added to their totals ``across`` these axes.
    """
    across = tuple(across)
    empty = tuple(Assign(one, S.Zero, cast=True) for one in near.values())
    added = tuple(Assign(total, one, "+") for total, one in near.items())
    block: tuple[Node, ...] = (
        Stop(STOP.name, START, NEAR, END.name),
        *place.loops(across, empty),
        *walked,
        *place.loops(across, added),
    )
    return (Loop(START, BEGIN, END, block, stride=NEAR),)
