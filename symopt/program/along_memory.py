"""One group after another ⇒ one row of memory after another, where no sum is gathered.

Groups that extend over the examples lie in pieces, far apart. Where numbers of groups are known
from the start, as at inference, these are settled first, for all groups; then elements are walked
as they lie.
"""

from __future__ import annotations

from symopt.program.columns import Columns, in_stages
from symopt.program.ir import Assign, Loop, Node, Stage
from symopt.program.layout import Layout
from symopt.program.parts import groups_of_part
from symopt.program.separated import inside, read_once, separated, settled


def walks_along_memory(place: Layout, nodes: tuple[Node, ...]) -> bool:
    """Whether each element is met once, and groups do not lie in one piece."""
    loops = [one for one in nodes if isinstance(one, Loop)]
    if len(loops) != 1 or loops[0] is not nodes[-1] or place.axes.in_order:
        return False
    lines = tuple(_inner(loops[0]))
    gathers = any(not isinstance(one, Assign) or one.augment for one in lines)
    return not gathers and bool(_outer(place)) and set(_outer(place)) != set(place.axes.kept)


def along_memory(place: Layout, nodes: tuple[Node, ...]) -> Columns:
    """What is done for one group ⇒ the numbers of all groups, then all elements."""
    kept, outer = place.axes.kept, _outer(place)
    found = separated(place, nodes, kept)
    *before, (loop,) = found.runs
    assert isinstance(loop, Loop)
    read, lines = read_once(place, tuple(inside(loop)))
    within = [one for one in place.axes.averaged if one not in outer]
    walked = groups_of_part(place, (*read, *place.loops(within, lines)), outer)
    stages = [Stage(k, True, settled(place, kept, run)) for k, run in enumerate(before)]
    return in_stages(found, [*stages, Stage(len(before), False, walked)])


def _outer(place: Layout) -> tuple[str, ...]:
    """All axes up to the last that tells groups apart."""
    kept = place.axes.kept
    return place.lengths[: place.lengths.index(kept[-1]) + 1] if kept else ()


def _inner(loop: Loop) -> tuple[Node, ...]:
    (first, *_) = loop.body
    return _inner(first) if isinstance(first, Loop) else loop.body
