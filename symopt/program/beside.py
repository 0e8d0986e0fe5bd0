"""Loops over groups that lie side by side ⇒ innermost loops, inside of those over other groups.

So a softmax over channels walks each channel's places along memory: for each s of each c in place
of each c of each s. Each number of a group becomes an array of a kernel's own.
"""

from __future__ import annotations

from sympy import Mul

from symopt.program.columns import Columns
from symopt.program.ir import Assign, Loop, Node, Scratch, element, local, rewritten
from symopt.program.layout import Layout
from symopt.program.parts import over_groups
from symopt.program.separated import apart, inside, separated, side_by_side


def beside(place: Layout, nodes: tuple[Node, ...]) -> Columns:
    """What is done for one group ⇒ the same for all groups that lie side by side, at once.

    Groups apart from them are taken one after another, and shared by parts.
    """
    found = separated(place, nodes)
    across = side_by_side(place)
    here = place.of(across)
    at = {total: element(total.name, *here) for total in found.totals}
    body: list[Node] = []
    for run in found.runs:
        first, *_ = moved = rewritten(run, at.get)
        if not isinstance(first, Loop):
            body += place.loops(across, moved)
            continue
        lines = tuple(inside(first))
        started = {one.target for one in lines}
        empty = tuple(
            Assign(at[one], value, wide=True)
            for one, value in found.nothing.items()
            if at[one] in started
        )
        body += place.loops(across, empty) if empty else ()
        body += place.loops(place.axes.averaged, place.loops(across, lines))
    size = Mul(*map(local, across), evaluate=False)
    scratch = (
        *(Scratch(one.name, size, wide=True) for one in found.totals),
        *(Scratch(one.target.name, size, wide=not one.cast) for one in found.own),
    )
    return Columns(
        found.constant, (*scratch, *over_groups(place, tuple(body), apart(place))), 1, (), ()
    )
