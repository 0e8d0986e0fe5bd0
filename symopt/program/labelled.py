"""Comparisons with a label, out of loops over elements or in half as many bits.

Where each element is written, a loop writes them all as if none were the labelled one, and that one
is written once more. Where they are summed up, places in a block are compared in 32 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sympy import Basic, Equality, S, Symbol

from symopt.program.hits import Choice, InHalf
from symopt.program.ir import Assign, Loop, Node, local, rewritten
from symopt.views import rewrite


def written_again(loops: tuple[Node, ...], row: Symbol) -> tuple[Node, ...]:
    """A loop whose lines ask for a label ⇒ one in which they do not, then the labelled element.

    Left alone is what adds to anything, and what asks for several labels.
    """
    (loop,) = loops
    if not isinstance(loop, Loop) or loop.counter != row:
        return loops
    lines = [one for one in loop.body if isinstance(one, Assign)]
    labels = {one.rhs for line in lines for one in line.value.atoms(Equality) if one.lhs == row}
    if len(labels) != 1 or any(one.augment for one in lines) or len(lines) < len(loop.body):
        return loops
    (label,) = labels
    elsewhere = tuple(_known(one, False) for one in lines)
    there = tuple(_known(one, True) for one in lines)
    return (replace(loop, body=elsewhere), *rewritten(there, {row: label}.get))


def _known(line: Assign, hit: bool) -> Assign:
    """A line where it is known whether the element is the labelled one."""

    def change(node: Basic) -> Basic | None:
        if isinstance(node, Choice):
            return node.there if hit else node.elsewhere
        return None

    if isinstance(line.value, Equality):
        return replace(line, value=S.One if hit else S.Zero)
    return replace(line, value=rewrite(line.value, change))


def in_halves(
    lines: tuple[Assign, ...],
    counter: Symbol,
    places: dict[str, str],
    free: Callable[[str], str],
) -> tuple[Assign, ...]:
    """Comparisons of a counter ⇒ those of places in a block, noted by label in ``places``.

    ``free`` makes a name into one that nothing else has.
    """

    def change(node: Basic) -> Basic | None:
        if not isinstance(node, Equality) or node.lhs != counter:
            return None
        label = str(node.rhs)
        places.setdefault(label, free(f"{label}_place"))
        return Equality(InHalf(counter), local(places[label]), evaluate=False)

    return tuple(replace(one, value=rewrite(one.value, change)) for one in lines)
