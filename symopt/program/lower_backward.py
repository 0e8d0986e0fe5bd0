"""Derived gradients of a layer ⇒ a kernel: their sums in one sweep, then each element's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sympy import Expr, Indexed

from symopt.calculus.adjoints import Definition
from symopt.declaration.axes import Axes
from symopt.derivation.layer import Backward
from symopt.nodes import Largest, Sigma
from symopt.notation import Parameter, Sequence
from symopt.program.group_kernel import (
    ELEMENT,
    LEARNED,
    GroupKernel,
    at_each,
    finished,
    gathered,
    group_for,
    index_of,
    loaded,
)
from symopt.program.hits import with_hits
from symopt.program.ir import Assign, Node
from symopt.program.layer_letters import name_of
from symopt.program.layout import Layout, adjoint_name, with_adjoints
from symopt.program.near import learns_along_rows
from symopt.program.signs import with_short_exponentials
from symopt.program.staging import staged
from symopt.program.sweeps import Group, Sum


def lower_backward(backward: Backward, axes: Axes | None = None) -> GroupKernel:
    """The kernel of the derived gradients: their sums in one sweep, then dL/dx at each element."""
    forms_of = [with_adjoints(form) for _, form in backward.fused]
    short, plain = with_short_exponentials(backward.definitions, forms_of)
    needed = _needed(plain, short)
    definitions, exprs = with_hits(needed, plain, index_of(backward.layer))
    pairs = zip((target for target, _ in backward.fused), exprs, strict=True)
    forms = [_Form(target, expr) for target, expr in pairs]
    group = group_for(backward.layer, "backward", definitions, axes)
    elements = [one for one in forms if one.kind == ELEMENT]
    learned = [one for one in forms if one.kind == LEARNED]
    early = [one for one in learned if _along_with_sums(group, one)]
    nodes: list[Node] = list(loaded(group, definitions, forms=exprs))
    for stage in staged(definitions):
        nodes += gathered(group, stage)
    sums = group.fresh((one.id, one.expr) for one in (*learned, *elements))
    along = bool(sums) and learns_along_rows(group.layout)
    by_element = [one for one in learned if along and _needs_no_sum(one)]
    sums += tuple(one.at(group.layout) for one in (*early, *by_element))
    nodes += group.swept(sums) if sums else ()
    for one in learned:
        if isinstance(one.target, Parameter):
            nodes += _of_the_group(group, one)
    swept = (*early, *by_element)
    late = [one for one in learned if isinstance(one.target, Indexed) and one not in swept]
    nodes += at_each(
        group, [one.at(group.layout) for one in elements], [one.at(group.layout) for one in late]
    )
    results = [(one.name, one.kind) for one in (*elements, *learned)]
    near = [one.name for one in by_element]
    return finished(group, nodes, definitions, results, forms=exprs, near=near)


@dataclass(frozen=True)
class _Form:
    """A gradient in closed form, and by which letter it is taken."""

    target: Expr
    expr: Expr

    @property
    def name(self) -> str:
        return adjoint_name(self.target)

    @property
    def id(self) -> str:
        return f"dL/d{name_of(self.target)}"

    @property
    def kind(self) -> str:
        single = isinstance(self.target, Parameter)
        return LEARNED if single or self.target.base.role == "learned" else ELEMENT

    def at(self, place: Layout) -> Sum:
        of = place.of_element if self.kind == ELEMENT else place.of_parameter
        return Sum(self.id, of(self.name), self.expr)


def _along_with_sums(group: Group, one: _Form) -> bool:
    """Whether a learned letter's share is the same along a row, and needs no sum of the group."""
    row = group.layout.row
    return bool(row) and row not in group.layout.axes.parameters and _needs_no_sum(one)


def _needs_no_sum(one: _Form) -> bool:
    return isinstance(one.target, Indexed) and not one.expr.has(Sigma, Largest)


def _of_the_group(group: Group, one: _Form) -> list[Node]:
    """The share of one group in the gradient of a letter that is the same within it.

    If no other group has a share, it is the gradient itself.
    """
    value = group.with_totals(one.expr)
    target = group.layout.of_parameter(one.name)
    sign = "" if group.layout.axes.apart else "+"
    added = Assign(target, value, augment=sign, note=one.id, wide=True)
    return [*group.settled(), *group.watched(one.id, value), added]


def _needed(exprs: Iterable[Expr], definitions: tuple[Definition, ...]) -> tuple[Definition, ...]:
    """The definitions of letters with a value for each element that some expressions lead to."""
    by_base = {one.letter.base: one for one in definitions if one.index is not None}
    found: dict[Sequence, Definition] = {}
    waiting = list(exprs)
    while waiting:
        for entry in waiting.pop().atoms(Indexed):
            if entry.base in by_base and entry.base not in found:
                found[entry.base] = by_base[entry.base]
                waiting.append(by_base[entry.base].value)
    return tuple(one for one in definitions if one in found.values())
