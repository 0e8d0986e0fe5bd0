"""Deltas that pick out a labelled element ⇒ letters of their own: δ_il is 1 at the label."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sympy import Basic, Equality, Expr, KroneckerDelta

from symopt.calculus.adjoints import Definition
from symopt.notation import Index, Label, Sequence, sequence
from symopt.views import occurrences, rewrite


def with_hits(
    definitions: Iterable[Definition], exprs: Iterable[Expr], index: Index
) -> tuple[tuple[Definition, ...], tuple[Expr, ...]]:
    """The same with δ_il as the entry of a computed letter, whose equation says when it is 1."""
    several, shown = tuple(definitions), tuple(exprs)
    found = {
        delta: None
        for expr in (*(one.written for one in several), *shown)
        for delta in occurrences(expr, KroneckerDelta)
        if any(isinstance(one, Label) for one in delta.args)
    }
    entries = {delta: _letter(delta)[index] for delta in found}
    made = tuple(
        Definition("", entry, delta, index, written=Equality(index, _label(delta), evaluate=False))
        for delta, entry in entries.items()
    )

    def change(node: Basic) -> Basic | None:
        return entries.get(node)

    changed = tuple(replace(one, written=rewrite(one.written, change)) for one in several)
    return (*made, *changed), tuple(rewrite(one, change) for one in shown)


def _label(delta: Expr) -> Label:
    (found,) = (one for one in delta.args if isinstance(one, Label))
    return found


def _letter(delta: Expr) -> Sequence:
    name = f"is_{_label(delta).spelling.python}"
    return sequence("h", python=name, latex="h", unicode="h")
