"""A loop over groups around sweeps ⇒ sweeps around loops over groups, some hundred at a time.

Where the places in space tell groups apart, and channels do not, neighbours in memory belong to
different groups: x[n, c, s] for each c of each s would jump from row to row. So a block of
neighbours is taken at once: total[s] += x[n, c, s] for each s of a block, for each c. A block keeps
to its rows: all its sweeps find them in cache, and no two parts add to one total.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sympy import Basic, Expr, Indexed, Integer, Mul, S, Symbol, ceiling, floor

from symopt.program.columns import (
    assigns,
    constants,
    innermost,
    is_load,
    is_number,
    runs,
    walks_columns,
)
from symopt.program.ir import (
    Assign,
    Fault,
    Loop,
    Node,
    Row,
    Scratch,
    Stop,
    Whole,
    element,
    local,
    rewritten,
)
from symopt.program.layout import Layout
from symopt.program.parts import over_parts

# groups that are taken at once: their numbers, and the rows of several channels, stay in cache
LANES = 256
GROUP, GROUPS, BLOCK, BLOCKS, START = (
    local(one) for one in ("group", "groups", "block", "blocks", "start")
)


def walks_lanes(place: Layout) -> bool:
    """Whether groups lie side by side in memory, in rows that other axes tell apart."""
    *_, last = place.axes.walked
    return len(place.axes.kept) > 1 and not last.averaged and not walks_columns(place)


def in_lanes(place: Layout, nodes: tuple[Node, ...], taken: set[str]) -> tuple[Node, ...]:
    """What is done for one group ⇒ what is done for a block of groups, for all blocks of a part."""
    loads = {one.target: one.value for one in assigns(nodes) if is_load(one)}
    nodes = rewritten(tuple(one for one in nodes if not is_load(one)), loads.get)
    totals = {
        one.target: one.augment
        for loop in nodes
        if isinstance(loop, Loop)
        for one in innermost(loop)
        if one.augment and isinstance(one.target, Symbol)
    }
    common = constants(nodes, totals)
    own = [one for one in assigns(nodes) if is_number(one) and one not in common]
    *outer, last = place.axes.kept
    lane = place.counters[last]
    held = {one.target: element(one.target.name, lane) for one in own}
    rows = _Rows(lane, frozenset(one.name for one in held), taken)
    left = tuple(one for one in nodes if one not in common)
    body = [node for run in runs(rewritten(left, held.get)) for node in _walked(rows, run)]
    # sums in float64, as where one group is taken after another; the largest has no rounding
    typed = {one.target for one in own if one.cast or totals.get(one.target) == "max"}
    block: tuple[Node, ...] = (
        Whole(START, BLOCK * LANES),
        Stop("stop", START, LANES, last),
        *rows.shared,
        *body,
    )
    return (
        *(Scratch(one.name, LANES, wide=one not in typed) for one in held),
        *common,
        Whole(BLOCKS, ceiling(local(last) / Integer(LANES), evaluate=False)),
        Whole(GROUPS, Mul(*map(local, outer), BLOCKS, evaluate=False)),
        *over_parts(GROUPS, GROUP, (*_places(place, outer), *block)),
    )


@dataclass
class _Rows:
    """The rows of arrays that a block reads and writes: those of all sweeps, and of one place."""

    lane: Symbol
    held: frozenset[str]
    taken: set[str]
    names: dict[tuple[str, tuple[Expr, ...]], str] = field(default_factory=dict)
    shared: list[Row] = field(default_factory=list)

    def in_row(self, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        """Elements of arrays ⇒ elements of rows that are counted from the block's start."""
        return rewritten(nodes, self._change)

    def row(self, name: str, before: tuple[Expr, ...]) -> Row:
        """The row of an array at these places, from the block's start on."""
        return Row(self.names[name, before], name, before, START, S.One)

    def _change(self, node: Basic) -> Basic | None:
        if not isinstance(node, Indexed) or node.indices[-1] != self.lane:
            return None
        name, before = str(node.base.label), tuple(node.indices[:-1])
        if name in self.held:
            return None
        if (name, before) not in self.names:
            self.names[name, before] = self._free(f"{name}_row")
        return element(self.names[name, before], self.lane)

    def _free(self, name: str) -> str:
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name


def _walked(rows: _Rows, run: tuple[Node, ...]) -> tuple[Node, ...]:
    """A sweep with its loop over groups innermost, or numbers of each group."""
    known = set(rows.names)
    if not isinstance(run[0], Loop):
        inside = tuple(_started(one, rows.lane) for one in rows.in_row(run))
        rows.shared += [rows.row(*key) for key in rows.names if key not in known]
        return (_lanes(rows, inside),)
    (loop,) = run
    assert isinstance(loop, Loop)
    lines = rows.in_row(innermost(loop))
    counters = _counters(loop)
    new = [key for key in rows.names if key not in known]
    moving = [rows.row(*key) for key in new if counters & {*key[1]}]
    rows.shared += [rows.row(*key) for key in new if not counters & {*key[1]}]
    again = [rows.row(*key) for key in known if counters & {*key[1]} and _reads(lines, rows, key)]
    return (_around(loop, (*again, *moving, _lanes(rows, lines))),)


def _lanes(rows: _Rows, body: tuple[Node, ...]) -> Loop:
    return Loop(rows.lane, S.Zero, "stop - start", body)


def _started(one: Node, lane: Symbol) -> Node:
    """A fault is noted by its place in the array, not in the block."""
    if not isinstance(one, Fault):
        return one
    return replace(one, group=tuple(START + at if at == lane else at for at in one.group))


def _reads(lines: Iterable[Node], rows: _Rows, key: tuple[str, tuple[Expr, ...]]) -> bool:
    """Whether some lines read or write a row."""
    name = rows.names[key]
    entries = (
        entry
        for one in lines
        if isinstance(one, Assign)
        for side in (one.target, one.value)
        for entry in side.atoms(Indexed)
    )
    return any(str(entry.base.label) == name for entry in entries)


def _counters(loop: Loop) -> set[Expr]:
    inner = (_counters(one) for one in loop.body if isinstance(one, Loop))
    return {loop.counter}.union(*inner)


def _around(loop: Loop, body: tuple[Node, ...]) -> Loop:
    """The same nest of loops around something else."""
    inner = [one for one in loop.body if isinstance(one, Loop)]
    return replace(loop, body=(_around(inner[0], body),) if inner else body)


def _places(place: Layout, outer: list[str]) -> list[Node]:
    """The places along the outer axes and the block, from the number of a group of lanes."""
    lengths: Mapping[Expr, Expr] = {
        **{place.counters[one]: local(one) for one in outer},
        BLOCK: BLOCKS,
    }
    found: list[Node] = []
    rest: Expr = GROUP
    counters = list(lengths)
    for at, counter in reversed(list(enumerate(counters))[1:]):
        before = counters[0] if at == 1 else local(f"{rest}_")
        found.append(Whole(before, floor(rest / lengths[counter], evaluate=False)))
        found.append(Whole(counter, rest - before * lengths[counter]))
        rest = before
    return found
