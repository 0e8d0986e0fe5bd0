"""Lines about one element of a group ⇒ lines about one element of a row, or of a block of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sympy import Basic, Expr, Indexed, Symbol

from symopt.program.ir import Assign, local
from symopt.views import rewrite


def changed(change: Callable[[Basic], Basic | None], line: Assign) -> Assign:
    """The line with what it reads and what it writes rewritten, in this order."""
    return replace(line, value=rewrite(line.value, change), target=rewrite(line.target, change))


def along_row(
    counter: Symbol,
    inside: set[Expr],
    arrays: dict[str, Expr],
    numbers: dict[str, Expr],
    node: Basic,
) -> Basic | None:
    """Elements ⇒ elements of rows or numbers of the row, all that comes from outside noted."""
    if isinstance(node, Indexed):
        name = str(node.base.label)
        if counter in node.indices:
            arrays[name] = (
                Indexed(node.base, *node.indices[:-1]) if node.indices[:-1] else local(name)
            )
            return Indexed(node.base, counter)
        numbers[name] = node
        return local(name)
    if isinstance(node, Symbol) and node not in inside:
        numbers[node.name] = node
    return None


def in_block(counter: Symbol, blocks: Mapping[str, str], node: Basic) -> Basic | None:
    """Elements of rows ⇒ elements of blocks that are counted from 0."""
    if isinstance(node, Indexed):
        return Indexed(local(blocks[str(node.base.label)]), counter)
    return None
