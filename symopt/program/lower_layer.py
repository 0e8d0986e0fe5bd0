"""Equations of a layer ⇒ kernels: training, inference and running averages."""

from __future__ import annotations

from symopt.calculus.adjoints import Definition
from symopt.declaration import Layer
from symopt.declaration.axes import Axes
from symopt.derivation.layer import Backward
from symopt.derivation.running import RunningCorrection
from symopt.derivation.unbiased import answered
from symopt.notation import Statistic
from symopt.program.accurate import accurate
from symopt.program.group_kernel import (
    ELEMENT,
    GROUP,
    GroupKernel,
    at_each,
    finished,
    gathered,
    group_for,
    index_of,
    kept_value,
    loaded,
    local_value,
)
from symopt.program.hits import with_hits
from symopt.program.ir import Assign, Node
from symopt.program.layer_letters import name_of
from symopt.program.signs import with_short_exponentials
from symopt.program.staging import staged, with_earlier_sums
from symopt.program.sweeps import Group, Sum
from symopt.views import occurrences


def lower_forward(backward: Backward, axes: Axes | None = None) -> GroupKernel:
    """The kernel of training: statistics in as few sweeps as may be, then the output.

    The flat kernel, where its ``axes`` are given; so also below.
    """
    short, _ = with_short_exponentials(with_earlier_sums(backward.definitions))
    known, _ = with_hits(short, (), index_of(backward.layer))
    group = group_for(backward.layer, "forward", known, axes)
    nodes: list[Node] = list(loaded(group, known))
    for stage in staged(known):
        nodes += gathered(group, stage)
        for one in stage.settled:
            nodes += _statistic(group, one)
    kinds = [(name_of(one.letter), GROUP) for one in known if one.index is None]
    if known[-1].index is None:  # a loss: what it returns first is a number of the group itself
        return finished(group, nodes, known, [kinds[-1], *kinds[:-1]])
    nodes += _output(group, known)
    results = [(name_of(known[-1].letter), ELEMENT), *kinds]
    return finished(group, nodes, known, results)


def _statistic(group: Group, one: Definition) -> tuple[Node, ...]:
    """A statistic from its totals, rounded once as it is stored, and read back as it is kept."""
    value = group.with_totals(one.written)
    stored = Assign(group.layout.of_group(name_of(one.letter)), value, note=one.id, wide=True)
    return (*group.settled(), *group.watched(one.id, value), stored, local_value(group, one.letter))


def _output(group: Group, definitions: tuple[Definition, ...]) -> tuple[Node, ...]:
    last = definitions[-1]
    place = group.layout.of_element(name_of(last.letter))
    return at_each(group, [Sum(last.id, place, last.written)], [])


def lower_inference(
    layer: Layer,
    definitions: tuple[Definition, ...],
    corrected: tuple[RunningCorrection, ...] = (),
    axes: Axes | None = None,
) -> GroupKernel:
    """The kernel of inference: the equations of training with those for inference in place.

    ``corrected`` letters are computed from the running averages and the number of batches.
    """
    definitions, _ = with_short_exponentials(definitions)
    group = group_for(layer, "inference", definitions, axes)
    read = {letter for one in definitions for letter in one.written.atoms(Statistic)}
    derived = [one for one in corrected if one.letter in read]
    nodes: list[Node] = [kept_value(group, one.statistic) for one in derived]
    nodes += [_corrected(group, one) for one in derived]
    own = [one for one in definitions if one.index is None]
    known = {*(one.letter for one in derived), *(one.letter for one in own)}
    nodes += loaded(group, definitions, averages=True, known=known)
    for stage in staged(definitions):
        nodes += gathered(group, stage)
        for one in stage.settled:
            nodes += _passing(group, one)
    nodes += _output(group, definitions)
    results = [(name_of(definitions[-1].letter), ELEMENT)]
    shown = [one.shown.right for one in derived]
    return finished(group, nodes, definitions, results, forms=shown, known=known)


def _passing(group: Group, one: Definition) -> tuple[Node, ...]:
    """A statistic that is needed for the moment alone."""
    value = group.with_totals(one.written)
    name = group.layout.in_group(one.letter)
    group.letters_of[name] = one.letter
    group.numbers.taken.add(name.name)
    passing = Assign(name, value, note=one.id, wide=True)
    return (*group.settled(), *group.watched(one.id, value), passing)


def _corrected(group: Group, one: RunningCorrection) -> Assign:
    name = group.layout.in_group(one.letter)
    group.letters_of[name] = one.letter
    group.numbers.taken.add(name.name)
    value = accurate(group.layout.letters_in_group(one.shown.right))
    return Assign(name, value, wide=True)


def lower_running(layer: Layer) -> GroupKernel | None:
    """The kernel that takes the running averages one batch further, in place."""
    running = tuple(
        (id, one)
        for id, one in answered(layer).equations
        if isinstance(one.left, Statistic) and one.right.has(one.left)
    )
    if not running:
        return None
    group = group_for(layer, "running", ())
    place = group.layout
    nodes: list[Node] = []
    read = dict.fromkeys(s for _, one in running for s in occurrences(one.right, Statistic))
    nodes += [kept_value(group, one) for one in read]
    for id, one in running:
        value = place.letters_in_group(one.right)
        nodes.append(Assign(place.of_group(name_of(one.left)), value, note=id, wide=True))
    written = tuple((name_of(one.left), GROUP) for _, one in running)
    forms = [one.right for _, one in running]
    return finished(group, nodes, (), written, forms=forms, in_parts=False)
