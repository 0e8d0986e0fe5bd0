"""Loops that write elements ⇒ loops over blocks that are written past the caches, where it pays.

To store a number, a processor first reads the line of memory that it is part of. Where a result
does not stay in a cache in any case, a third of what is moved is saved by writing whole lines that
are not read before: a block is computed into a small array of the kernel's own and then stored.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from sympy import Basic, Expr, Indexed, S, Symbol, erf, exp, log, tanh

from symopt.program.blocks import BLOCK
from symopt.program.ir import (
    STREAM,
    Argument,
    Assign,
    Kernel,
    Loop,
    Node,
    Row,
    Scratch,
    Settle,
    Stage,
    Stop,
    Stream,
    View,
    WhereOne,
    element,
    local,
    rewritten,
)
from symopt.program.parts import PART_ARGUMENTS, STAGE_ARGUMENTS
from symopt.program.signs import exp_to_one

# functions that take longer than a number takes to be stored
SLOW = (exp, exp_to_one, log, tanh, erf)
# whether a call streams; where a block of a row begins and ends
STREAMS = local("streams")
FROM, EDGE = local("block"), "edge"


def streamed(
    kernel: Kernel, results: Collection[str], row: Symbol, free: Callable[[str], str]
) -> Kernel:
    """The kernel with a second form of each loop along a row that writes elements of ``results``.

    Where a kernel has a form of its own for it, its loops take the place of that; else that is left
    out. ``free`` makes a name into one that nothing else has.
    """
    news: dict[str, str] = {}

    def of(nodes: Sequence[Node], streams: bool = False) -> tuple[Node, ...]:
        found: list[Node] = []
        for place, one in enumerate(nodes):
            views = {v.name: v for v in nodes[:place] if isinstance(v, View)}
            if isinstance(one, Loop) and _writes(one, {*results}, row, views):
                new = _new(one, views, news, free)
                past = (_of_views if views else _of_rows)(one, views, new, free)
                found += past if streams else (WhereOne(STREAMS, past, (one,)),)
            elif isinstance(one, Loop | Stage):
                found.append(replace(one, body=of(one.body, streams)))
            elif isinstance(one, WhereOne) and one.number == STREAMS:
                past = of(one.near, streams=True)
                found += one.apart if past == one.near else (replace(one, near=past),)
            else:
                found.append(one)
        return tuple(found)

    body = of(kernel.body)
    if not news:
        return replace(kernel, body=body)
    scratch = tuple(Scratch(one, BLOCK) for one in news.values())
    counted = (*STAGE_ARGUMENTS, *PART_ARGUMENTS)
    arguments = (
        *(one for one in kernel.arguments if one not in counted),
        Argument(STREAMS.name, STREAM),
        *(one for one in kernel.arguments if one in counted),
    )
    return replace(kernel, arguments=arguments, body=(*scratch, *body, Settle(STREAMS)))


def _writes(loop: Loop, results: Collection[str], row: Symbol, views: Mapping[str, View]) -> bool:
    """Whether it runs along a row, computes elements alone, and each array is read at one place."""
    lines = [one for one in loop.body if isinstance(one, Assign)]
    if loop.counter != row or loop.start != S.Zero or len(lines) < len(loop.body):
        return False
    written = [one for one in lines if isinstance(one.target, Indexed)]
    names = [str(one.target.base.label) for one in written]
    whole = {views[one].array if one in views else one for one in names}
    entries = {x for one in lines for side in (one.target, one.value) for x in side.atoms(Indexed)}
    along = [one for one in entries if row in one.indices]
    single = len({one.base for one in along}) == len(along)
    plain = all(one.indices[-1] == row and row not in one.indices[:-1] for one in along)
    read = {str(x.base.label) for one in lines for x in one.value.atoms(Indexed)}
    changed = any(one.augment for one in written) or bool(read & {*names})
    # where much is computed, stores go on beside it, and do not hold anything up
    slow = any(one.value.has(*SLOW) for one in lines)
    simple = single and plain and not changed
    return bool(written) and whole <= {*results} and simple and not slow


def _new(
    loop: Loop, views: Mapping[str, View], news: dict[str, str], free: Callable[[str], str]
) -> dict[str, str]:
    """For each array that a loop writes, or view of one, the small array for a block of it."""
    found = {}
    for one in loop.body:
        if isinstance(one, Assign) and isinstance(one.target, Indexed):
            name = str(one.target.base.label)
            array = views[name].array if name in views else name
            if array not in news:
                news[array] = free(f"{array}_new")
            found[name] = news[array]
    return found


def _of_views(
    loop: Loop, views: Mapping[str, View], new: Mapping[str, str], _: Callable[[str], str]
) -> tuple[Node, ...]:
    """A loop over one block, whose arrays are views of it already."""
    stored = (
        Stream(views[name].array, (), views[name].start, "stop", source)
        for name, source in new.items()
    )
    return (replace(loop, body=rewritten(loop.body, _moved(new))), *stored)


def _of_rows(
    loop: Loop, _: Mapping[str, View], new: Mapping[str, str], free: Callable[[str], str]
) -> tuple[Node, ...]:
    """A loop over a whole row ⇒ loops over its blocks."""
    entries = {
        str(x.base.label): x.indices[:-1]
        for one in loop.body
        if isinstance(one, Assign)
        for x in sorted((*one.value.atoms(Indexed), *one.target.atoms(Indexed)), key=str)
        if loop.counter in x.indices
    }
    rows = {name: free(f"{name}_row") for name in entries if name not in new}
    lines = rewritten(loop.body, _moved({**new, **rows}, loop.counter))
    block: tuple[Node, ...] = (
        Stop(EDGE, FROM, BLOCK, str(loop.stop)),
        *(Row(row, name, entries[name], FROM, S.One) for name, row in rows.items()),
        Loop(loop.counter, S.Zero, f"{EDGE} - {FROM}", lines),
        *(Stream(name, entries[name], FROM, EDGE, source) for name, source in new.items()),
    )
    return (Loop(FROM, S.Zero, loop.stop, block, stride=BLOCK),)


def _moved(
    names: Mapping[str, str], counter: Symbol | None = None
) -> Callable[[Basic], Basic | None]:
    """Elements of arrays ⇒ elements of what takes their place, of those along a row alone."""

    def change(node: Basic) -> Expr | None:
        if not isinstance(node, Indexed) or str(node.base.label) not in names:
            return None
        if counter is not None and counter not in node.indices:
            return None
        return element(names[str(node.base.label)], node.indices[-1])

    return change
