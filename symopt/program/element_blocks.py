"""One loop over all elements ⇒ blocks of them, counted from 0, that parts may share.

What is random is drawn just before its use: four values come from one evaluation of the
generator, and the loop over elements stays simple.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from sympy import Basic, Indexed, Integer, S, ceiling

from symopt.program.blocks import BLOCK, free
from symopt.program.ir import (
    ARRAY,
    LIMIT,
    WORD,
    Argument,
    Assign,
    Draw,
    Kernel,
    Loop,
    Node,
    Scratch,
    Stop,
    View,
    Whole,
    element,
    local,
    rewritten,
)
from symopt.program.parts import over_parts
from symopt.program.randomness import WORDS, Source


def in_blocks(kernel: Kernel, drawn: tuple[Source, ...], taken: Collection[str]) -> Kernel:
    """A loop over all elements, for each part ⇒ numbers first, then blocks for each part."""
    (part,) = kernel.body
    assert isinstance(part, Loop)
    *before, loop = part.body
    (length,) = kernel.lengths
    assert isinstance(loop, Loop)
    names = {one.name for one in drawn}
    views = _views(kernel, loop.body, names, set(taken))
    start, block, blocks = (local(one) for one in ("start", "block", "blocks"))
    inner: tuple[Node, ...] = (
        Whole(start, block * BLOCK),
        Stop("stop", start, BLOCK, length),
        *(Draw(one.function, one.name, start, one.numbers, one.id) for one in drawn),
        *(View(view, name, start) for name, view in views.items()),
        Loop(loop.counter, S.Zero, "stop - start", _in_views(loop.body, views)),
    )
    count = Whole(blocks, ceiling(local(length) / Integer(BLOCK), evaluate=False))
    scratch = (Scratch(one.name, BLOCK) for one in drawn)
    arrays = (one for one in kernel.of_kind(ARRAY) if one.name not in names)
    words = (Argument(one, WORD) for one in WORDS) if drawn else ()
    limits = (Argument(one.limit, LIMIT) for one in drawn)
    numbers = (one for one in kernel.arguments if one.kind != ARRAY)
    return replace(
        kernel,
        arguments=(*arrays, *words, *limits, *numbers),
        body=(*before, *scratch, count, *over_parts(blocks, block, inner)),
    )


def _views(
    kernel: Kernel, body: tuple[Node, ...], drawn: Collection[str], taken: set[str]
) -> dict[str, str]:
    """Names for a block of each array that is no random letter's."""
    lines = [one for one in body if isinstance(one, Assign)]
    entries = {x for one in lines for side in (one.target, one.value) for x in side.atoms(Indexed)}
    used = {str(one.base.label) for one in entries} - set(drawn)
    arrays = (one.name for one in kernel.of_kind(ARRAY) if one.name in used)
    return {name: free(f"{name}_block", taken) for name in arrays}


def _in_views(body: tuple[Node, ...], views: Mapping[str, str]) -> tuple[Node, ...]:
    def change(node: Basic) -> Basic | None:
        if not isinstance(node, Indexed) or str(node.base.label) not in views:
            return None
        return element(views[str(node.base.label)], *node.indices)

    return rewritten(body, change)
