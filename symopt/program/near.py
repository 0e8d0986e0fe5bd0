"""Sums over many rows ⇒ sums over a few of them in the arrays' dtype, which float64 totals take up.

To add a row to totals in float64 is to widen each number and to move twice the bytes. A few rows
lose no more by it than the elements of one row do, which are summed up in the arrays' dtype too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from sympy import Basic, Expr, Indexed, S

from symopt.program.ir import (
    NEAR_LEARNED,
    Argument,
    Assign,
    Call,
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


def near_learned(
    place: Layout, partial: Iterable[str], body: tuple[Node, ...], free: Callable[[str], str]
) -> tuple[tuple[Node, ...], tuple[Argument, ...]]:
    """The body of a kernel in which groups add to what is learned near by, a few groups at a time.

    Left alone is what groups do not add to element by element. The arguments are what they add to
    instead; ``free`` makes a name into one that nothing else has.
    """
    *before, parts = body
    assert isinstance(parts, Loop)
    *bounds, groups = parts.body
    if not isinstance(groups, Loop) or (groups.start, groups.stop) != (BEGIN, END):
        return body, ()
    added = {*_added_to(place, groups.body)}
    names = {one: free(f"near_{one}") for one in partial if one in added}
    if not names:
        return body, ()

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
    arguments = tuple(Argument(one, NEAR_LEARNED, written=True) for one in names.values())
    return (*before, replace(parts, body=(*bounds, *blocks))), arguments


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


def _added_to(place: Layout, nodes: Iterable[Node]) -> Iterator[str]:
    """The arrays to which each element of a row is added, there or by a function of the row."""
    for one in nodes:
        match one:
            case Assign(Indexed() as target, augment="+"):
                if place.row and place.counters[place.row] in target.indices:
                    yield str(target.base.label)
            case Call(_, arguments):
                yield from (str(x.base.label) for x in arguments if isinstance(x, Indexed))
            case Loop(body=body):
                yield from _added_to(place, body)
