"""A loop over groups around sweeps ⇒ sweeps around loops over groups, where memory runs so.

Where neighbours in memory belong to different groups, to take one group after another would be to
jump from row to row. Here all groups are taken at once, row by row: total += x[n, c] for each n
of each c ⇒ total[part, c] += x[n, c] for each c of each n. Parts share the rows, and between two
sweeps the numbers of all groups are settled, once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import Add, Expr, Indexed, Integer, S, Symbol, floor

from symopt.program.ir import (
    NEAR_TOTALS,
    TOTALS,
    TYPED,
    WIDE,
    Argument,
    Assign,
    Fault,
    Loop,
    Node,
    Stage,
    WhereOne,
    Whole,
    element,
    local,
    rewritten,
)
from symopt.program.layout import Layout
from symopt.program.near import START as NEAR_START
from symopt.program.near import STOP as NEAR_STOP
from symopt.program.near import in_blocks
from symopt.program.parts import (
    BEGIN,
    END,
    FIRST,
    LAST,
    PART_LETTER,
    PARTS,
    SINCE,
    STAGE,
    UNTIL,
    begin_and_end,
)
from symopt.program.separated import (
    Separated,
    apart,
    inside,
    read_once,
    separated,
    settled,
    side_by_side,
)
from symopt.program.streaming import STREAMS

# rows that a part has at least, so that what parts gather apart is little beside them
ROWS = 32
# rows that are taken at a time, and the most pieces of memory that are walked at once for them
JAMMED, WALKED = 8, 8
# the end of the rows that are taken several at a time
EVEN = local("even")
# counts the parts whose sums are added up
OTHER = local("other")


@dataclass(frozen=True)
class Columns:
    """A kernel in stages: numbers that all groups have in common, the loops, and their count.

    Its ``arguments`` are arrays of its own, with a number for each group. Stages that are done
    ``once`` are not shared by parts.
    """

    numbers: tuple[Assign, ...]
    body: tuple[Node, ...]
    stages: int
    once: tuple[int, ...]
    arguments: tuple[Argument, ...]


def walks_columns(place: Layout) -> bool:
    """Whether groups lie side by side in memory, behind all axes that they extend over."""
    return bool(side_by_side(place)) and not apart(place)


def in_columns(place: Layout, nodes: tuple[Node, ...], free: Callable[[str], str]) -> Columns:
    """What is done for one group ⇒ stages, each of them done for all groups.

    ``free`` makes a name into one that nothing else has.
    """
    found = separated(place, nodes)
    sweeps = [tuple(inside(run[0])) for run in found.runs if isinstance(run[0], Loop)]
    most = max((len(_near_by(place, lines, found.totals)) for lines in sweeps), default=0)
    near = [free(f"near_{k}") for k in range(1, most + 1)]
    stages: list[Stage] = []
    for run in found.runs:
        swept = isinstance(run[0], Loop)
        body = _sweep(place, run, found, near) if swept else _settled(place, run, found.totals)
        stages.append(Stage(len(stages), not swept, body))
    made = in_stages(found, stages)
    own = (Argument(one, NEAR_TOTALS, written=True) for one in near)
    return replace(made, arguments=(*made.arguments, *own))


def in_stages(found: Separated, stages: Sequence[Stage]) -> Columns:
    """The kernel that does these stages one after another, each for all parts."""
    totals = (Argument(one.name, TOTALS, written=True) for one in found.totals)
    own = (
        Argument(one.target.name, TYPED if one.cast else WIDE, written=True) for one in found.own
    )
    nodes: tuple[Node, ...] = tuple(stages) if len(stages) > 1 else stages[0].body
    body: tuple[Node, ...] = (Loop(PART_LETTER, FIRST, LAST, nodes),)
    if len(stages) > 1:
        body = (Loop(STAGE, SINCE, UNTIL, body),)
    once = tuple(one.number for one in stages if one.once)
    return Columns(found.constant, body, len(stages), once, (*totals, *own))


def _sweep(
    place: Layout, run: tuple[Node, ...], found: Separated, near: Sequence[str]
) -> tuple[Node, ...]:
    """One sweep: the rows of a part, and in each row all groups."""
    (loop,) = run
    assert isinstance(loop, Loop)
    lines = tuple(inside(loop))
    here = place.of(place.axes.kept)
    gathered = {
        one.target: element(one.target.name, PART_LETTER, *here)
        for one in lines
        if one.target in found.totals
    }
    empty = tuple(Assign(at, found.nothing[total], wide=True) for total, at in gathered.items())
    start = place.loops(place.axes.kept, empty) if empty else ()
    first, *_ = place.axes.averaged
    begin, end, _ = begin_and_end(local(first), place.counters[first], ())
    few = {
        total: element(name, PART_LETTER, *here)
        for total, name in zip(_near_by(place, lines, found.totals), near, strict=False)
    }
    if not few:
        return (*start, begin, end, *_rows(place, lines, found.totals, gathered, BEGIN, END))
    walked = _rows(place, lines, found.totals, few, NEAR_START, NEAR_STOP)
    sums = {gathered[total]: at for total, at in few.items()}
    return (*start, begin, end, *in_blocks(place, place.axes.kept, sums, walked))


def _near_by(
    place: Layout, lines: tuple[Assign, ...], totals: Mapping[Expr, str]
) -> tuple[Expr, ...]:
    """The totals of a sweep that several rows add to near by: all, or none of them."""
    found = tuple(one.target for one in lines if one.target in totals)
    plain = len(place.axes.averaged) == 1 and all(totals[one] == "+" for one in found)
    return found if plain else ()


def _rows(
    place: Layout,
    lines: tuple[Assign, ...],
    totals: Mapping[Expr, str],
    at: Mapping[Expr, Expr],
    begin: Expr,
    end: Expr,
) -> tuple[Node, ...]:
    """Rows from ``begin`` to ``end``, several at a time as far as they go, totals kept ``at``."""
    rows, *others = place.axes.averaged
    counter = place.counters[rows]

    def across(body: tuple[Node, ...]) -> tuple[Node, ...]:
        return place.loops(others, place.loops(place.axes.kept, rewritten(body, at.get)))

    count = _rows_at_a_time(counter, lines, totals)
    if count == 1:
        return (Loop(counter, begin, end, across(lines)),)
    times = floor((end - begin) / Integer(count), evaluate=False)
    several = across(_several_rows(place, lines, count))
    jammed = (
        Whole(EVEN, begin + count * times),
        Loop(counter, begin, EVEN, several, stride=count),
        Loop(counter, EVEN, end, across(lines)),
    )
    if at:
        return jammed
    return (WhereOne(STREAMS, (Loop(counter, begin, end, across(lines)),), jammed),)


def _rows_at_a_time(counter: Symbol, lines: tuple[Assign, ...], totals: Mapping[Expr, str]) -> int:
    """How many rows are taken at once: one where more than sums are gathered."""
    if any(totals.get(one.target) != "+" for one in lines if one.augment):
        return 1
    sides = (side for one in lines for side in (one.target, one.value))
    entries = {one for side in sides for one in side.atoms(Indexed) if counter in one.indices}
    arrays = {one.base for one in entries}
    return next(count for count in (JAMMED, 4, 2, 1) if count * len(arrays) <= WALKED or count == 1)


def _several_rows(place: Layout, lines: tuple[Assign, ...], count: int) -> tuple[Assign, ...]:
    """What is done in several rows at a time, the numbers of groups read once for all of them.

    What rows add to a total is added up in the arrays' dtype before float64 takes over. What they
    write is written last: the compiler cannot know that it is nowhere read.
    """
    counter = place.counters[place.axes.averaged[0]]
    read, lines = read_once(place, lines)
    taken = {one.name for line in (*read, *lines) for one in _symbols(line)}
    found: list[Assign] = []
    written: list[Assign] = []
    terms: dict[Expr, list[Assign]] = {}
    for row in range(count):
        names = {one.target: _free(one.target.name, row, taken) for one in lines if _is_local(one)}
        moved = {counter: counter + row, **names} if row else names
        for one in rewritten(lines, moved.get):
            assert isinstance(one, Assign)
            if one.augment:
                terms.setdefault(one.target, []).append(one)
            elif isinstance(one.target, Indexed):
                name = _free(str(one.target.base.label), row, taken)
                found.append(replace(one, target=name))
                written.append(Assign(one.target, name))
            else:
                found.append(one)
    for total, several in terms.items():
        value = _pairs([one.value for one in several])
        found.append(replace(several[0], target=total, value=value))
    return (*read, *found, *written)


def _is_local(one: Assign) -> bool:
    return not one.augment and isinstance(one.target, Symbol)


def _symbols(line: Assign) -> set[Symbol]:
    return {*line.target.atoms(Symbol), *line.value.atoms(Symbol)}


def _free(name: str, row: int, taken: Collection[str]) -> Symbol:
    """A name for what one of several rows computes."""
    found = f"{name}_{row}"
    while found in taken:
        found += "_"
    return local(found)


def _pairs(terms: list[Expr]) -> Expr:
    """A sum in pairs: (a + b) + (c + d)."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return Add(_pairs(terms[:half]), _pairs(terms[half:]), evaluate=False)


def _settled(place: Layout, run: tuple[Node, ...], totals: Mapping[Expr, str]) -> tuple[Node, ...]:
    """The numbers of all groups, from what all parts have gathered.

    Parts are added to the first one row by row, as memory runs: group by group, the numbers of all
    parts lie a row apart, and most of the time would go into waiting for them.
    """
    here = place.of(place.axes.kept)
    read = {one for value in _read(run) for one in value.free_symbols}
    sums = {one: local(f"{one.name}{place.suffix}") for one in totals if one in read}
    added: list[Node] = []
    taken: list[Node] = []
    for total, name in sums.items():
        first = element(total.name, S.Zero, *here)
        more = Assign(first, element(total.name, OTHER, *here), totals[total])
        added.append(Loop(OTHER, S.One, PARTS, place.loops(place.axes.kept, (more,))))
        taken.append(Assign(name, first))
    return (*added, *settled(place, place.axes.kept, (*taken, *rewritten(run, sums.get))))


def _read(nodes: Iterable[Node]) -> Iterator[Expr]:
    for one in nodes:
        match one:
            case Assign(_, value):
                yield value
            case Fault(divisor):
                yield divisor
