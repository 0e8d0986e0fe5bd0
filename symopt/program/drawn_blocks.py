"""One loop that reads arrays of random values ⇒ blocks that are drawn just before their use.

Four values come from one evaluation of the generator, and the loop over elements stays simple.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from sympy import Basic, Indexed, S

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
    element,
    local,
)
from symopt.program.randomness import WORDS, Source
from symopt.views import rewrite


def drawn_in_blocks(kernel: Kernel, drawn: tuple[Source, ...], taken: Collection[str]) -> Kernel:
    """One loop that reads arrays of random values ⇒ blocks that are drawn just before their use.

    A kernel that walks its arrays otherwise takes the values as arrays.
    """
    names = {one.name for one in drawn}
    match kernel.body:
        case (*before, Loop(counter, S.Zero, length, body)) if (
            kernel.lengths == (length,) and names
        ):
            views = _views(kernel, body, names, set(taken))
            start = local("start")
            block: tuple[Node, ...] = (
                Stop("stop", start, BLOCK, length),
                *(Draw(one.function, one.name, start, one.numbers, one.id) for one in drawn),
                *(View(view, name, start) for name, view in views.items()),
                Loop(counter, S.Zero, "stop - start", _in_views(body, views)),
            )
            scratch = (Scratch(one.name, BLOCK) for one in drawn)
            arrays = (one for one in kernel.of_kind(ARRAY) if one.name not in names)
            words = (Argument(one, WORD) for one in WORDS)
            limits = (Argument(one.limit, LIMIT) for one in drawn)
            numbers = (one for one in kernel.arguments if one.kind != ARRAY)
            return replace(
                kernel,
                arguments=(*arrays, *words, *limits, *numbers),
                body=(*before, *scratch, Loop(start, S.Zero, length, block, stride=BLOCK)),
            )
    return kernel


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

    def moved(one: Node) -> Node:
        if not isinstance(one, Assign):
            return one
        return replace(one, target=rewrite(one.target, change), value=rewrite(one.value, change))

    return tuple(map(moved, body))
