"""Equations of a layer ⇒ kernels: training, inference and running averages."""

from __future__ import annotations

from sympy import Expr, Indexed

from symopt.calculus.adjoints import Definition
from symopt.declaration import Layer
from symopt.derivation.layer import Backward
from symopt.nodes import Sigma
from symopt.notation import Statistic
from symopt.program.group_kernel import (
    ELEMENT,
    GROUP,
    GroupKernel,
    at_each,
    finished,
    group_for,
    loaded,
    local_value,
    name_of,
)
from symopt.program.ir import Assign, Node
from symopt.program.sweeps import Group, Sum
from symopt.views import occurrences


def lower_forward(backward: Backward) -> GroupKernel:
    """The kernel of training: statistics in as few sweeps as may be, then the output."""
    known = backward.definitions
    group = group_for(backward.layer, "forward", known)
    nodes: list[Node] = list(loaded(group, known))
    for sums, after in _staged(known):
        fresh = group.fresh((one.id, one.written) for one in sums)
        if fresh:
            nodes += group.swept(fresh)
        for one in after:
            nodes += _statistic(group, one)
    nodes += _output(group, known)
    results = [(name_of(known[-1].letter), ELEMENT)]
    results += [(name_of(one.letter), GROUP) for one in known if one.index is None]
    return finished(group, nodes, known, results)


def _staged(
    definitions: tuple[Definition, ...],
) -> list[tuple[list[Definition], list[Definition]]]:
    """Statistics by the sweep after which they are known, each as early as may be."""
    known: dict[Expr, int] = {}
    letters = {one.letter.base: one for one in definitions if one.index is not None}

    def after(expr: Expr) -> int:
        """The number of sweeps after which all that an expression reads is known."""
        direct = [known[one] for one in expr.atoms(Statistic) if one in known]
        inner = [letters[e.base].value for e in expr.atoms(Indexed) if e.base in letters]
        return max([*direct, *(after(one) for one in inner)], default=0)

    for one in definitions:
        if one.index is None:
            known[one.letter] = after(one.value) + (1 if one.value.has(Sigma) else 0)
    last = max(known.values(), default=0)
    statistics = [one for one in definitions if one.index is None]
    return [
        (
            [one for one in statistics if known[one.letter] == k + 1 and one.value.has(Sigma)],
            [one for one in statistics if known[one.letter] == k + 1],
        )
        for k in range(last)
    ]


def _statistic(group: Group, one: Definition) -> tuple[Node, ...]:
    """A statistic from its totals, rounded once as it is stored, and read back as it is kept."""
    value = group.with_totals(one.written)
    stored = Assign(group.layout.of_group(name_of(one.letter)), value, note=one.id, wide=True)
    return (*group.watched(one.id, value), stored, local_value(group, one.letter))


def _output(group: Group, definitions: tuple[Definition, ...]) -> tuple[Node, ...]:
    last = definitions[-1]
    place = group.layout.of_element(name_of(last.letter))
    return at_each(group, [Sum(last.id, place, last.written)], [])


def lower_inference(layer: Layer, definitions: tuple[Definition, ...]) -> GroupKernel:
    """The kernel of inference: the equations of training with those for inference in place."""
    group = group_for(layer, "inference", definitions)
    return finished(
        group,
        [*loaded(group, definitions, arrays=True), *_output(group, definitions)],
        definitions,
        [(name_of(definitions[-1].letter), ELEMENT)],
    )


def lower_running(layer: Layer) -> GroupKernel | None:
    """The kernel that takes the running averages one batch further, in place."""
    running = tuple(
        (id, one)
        for id, one in layer.equations
        if isinstance(one.left, Statistic) and one.right.has(one.left)
    )
    if not running:
        return None
    group = group_for(layer, "running", ())
    place = group.layout
    nodes: list[Node] = []
    read = dict.fromkeys(s for _, one in running for s in occurrences(one.right, Statistic))
    nodes += [local_value(group, one) for one in read]
    for id, one in running:
        value = place.letters_in_group(one.right)
        nodes.append(Assign(place.of_group(name_of(one.left)), value, note=id, wide=True))
    written = tuple((name_of(one.left), GROUP) for _, one in running)
    return finished(group, nodes, (), written, forms=[one.right for _, one in running])
