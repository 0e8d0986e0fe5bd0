"""A kernel over groups of elements: its arguments, what it reads at first and writes at last."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from sympy import Expr, Indexed, Mul, Symbol

from symopt.calculus.adjoints import Definition
from symopt.declaration import Layer
from symopt.declaration.axes import Axes
from symopt.derivation.forward import forward, position_of
from symopt.notation import (
    Count,
    Hyperparameter,
    Index,
    Label,
    Parameter,
    Statistic,
    is_random,
)
from symopt.program.along_memory import along_memory, walks_along_memory
from symopt.program.beside import beside
from symopt.program.columns import Columns, in_columns, walks_columns
from symopt.program.element_blocks import in_blocks
from symopt.program.hoist import Numbers
from symopt.program.invariants import check
from symopt.program.ir import (
    ARRAY,
    COUNT,
    NEAR_LEARNED,
    NUMBER,
    PART,
    STEP,
    Argument,
    Assign,
    Kernel,
    Loop,
    Node,
    local,
)
from symopt.program.labelled import written_again
from symopt.program.layer_letters import letter_names, name_of
from symopt.program.layout import layout
from symopt.program.near import near_learned
from symopt.program.parts import (
    PART_ARGUMENTS,
    PART_NAMES,
    STAGE_ARGUMENTS,
    over_groups,
    with_own_sums,
)
from symopt.program.randomness import Source, sources
from symopt.program.separated import side_by_side
from symopt.program.staging import Stage
from symopt.program.streaming import streamed
from symopt.program.sweeps import Group, Sum
from symopt.views import occurrences

ELEMENT, LEARNED, GROUP = "element", "learned", "group"


@dataclass(frozen=True)
class GroupKernel:
    """A kernel over groups, and the equations whose divisors it watches, numbered from 1.

    ``inputs`` have a number for each element, ``learned`` for each parameter, ``statistics`` for
    each group; so have the ``results``, by the same three kinds. ``kept`` axes tell groups apart,
    and ``drawn`` are the random letters that the kernel reads. Learned letters' results in
    ``gathered`` are added up in float64, those in ``partial`` by each part for itself.
    """

    kernel: Kernel
    inputs: tuple[str, ...]
    learned: tuple[str, ...]
    statistics: tuple[str, ...]
    results: tuple[tuple[str, str], ...]
    faults: tuple[tuple[str, Expr], ...]
    kept: tuple[str, ...]
    drawn: tuple[Source, ...] = ()
    in_parts: bool = True
    gathered: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()
    stages: int = 1
    once: tuple[int, ...] = ()
    flat: GroupKernel | None = None
    channels_last: bool = False


def group_for(
    layer: Layer, kernel: str, definitions: tuple[Definition, ...], axes: Axes | None = None
) -> Group:
    """A kernel to begin with: its axes, the names that are taken, the letters that it computes.

    The ``axes`` may be others than the layer's, in whose place the kernel is flat.
    """
    kernel = f"{kernel}_flat" if axes else kernel
    letters = letter_names(layer)
    taken = {*letters, "real", "fault", "size", "total", "start", "stop"}
    taken |= PART_NAMES | {f"d{name}" for name in letters}
    computed = {one.letter.base: one for one in definitions if one.index is not None}
    index = index_of(layer)
    numbers = Numbers(taken, suffix="_real")
    place = layout(axes or layer.axes, taken)
    return Group(place, index, computed, numbers, kernel, sources=sources(layer))


def index_of(layer: Layer) -> Index:
    """The index that tells the elements of a group apart."""
    found = position_of(forward(layer))
    assert found is not None  # a layer reads an input
    return found


def loaded(
    group: Group,
    definitions: Iterable[Definition],
    averages: bool = False,
    forms: Iterable[Expr] = (),
    known: Collection[Expr] = (),
) -> tuple[Node, ...]:
    """Numbers that the group has from the start, read once: parameters, and given statistics.

    The latter are running ``averages`` or those that a forward pass left; ``known`` letters have
    a value already.
    """
    own = {one.letter for one in definitions if one.index is None}
    exprs = [*(one.written for one in definitions), *forms]
    kinds = (Label, Parameter, Statistic)
    letters = dict.fromkeys(s for expr in exprs for s in occurrences(expr, *kinds))
    given_statistics = averages or bool(forms)
    return tuple(
        (kept_value if averages and isinstance(one, Statistic) else local_value)(group, one)
        for one in letters
        if (given_statistics or one not in own) and one not in known
    )


def local_value(group: Group, letter: Symbol) -> Assign:
    """A letter's value in the present group, read once: mu_B_c = mu_B[c]."""
    place = group.layout
    name = place.in_group(letter)
    group.letters_of[name] = letter
    group.numbers.typed.add(name.name)
    group.numbers.taken.add(name.name)
    of = place.of_parameter if isinstance(letter, Parameter) else place.of_group
    return Assign(name, of(name_of(letter)))


def kept_value(group: Group, letter: Symbol) -> Assign:
    """A running average in the present group, in whatever precision it is kept."""
    name = group.layout.in_group(letter)
    group.letters_of[name] = letter
    group.numbers.taken.add(name.name)
    return Assign(name, group.layout.of_group(name_of(letter)))


def gathered(group: Group, stage: Stage) -> tuple[Node, ...]:
    """One sweep for all sums of a stage, if it has any."""
    sums = group.fresh(stage.sums)
    return group.swept(sums) if sums else ()


def at_each(group: Group, outputs: list[Sum], added: list[Sum]) -> tuple[Node, ...]:
    """The elements of the group once more: letters, then what is written and what is added."""
    lines = group.letters([one.body for one in (*outputs, *added)])
    values = [
        Assign(one.target, group.term(one), augment=sign, note=one.id)
        for several, sign in ((outputs, ""), (added, "+"))
        for one in several
    ]
    loops = group.layout.loops(group.layout.axes.averaged, (*lines, *values))
    if group.layout.row:
        loops = written_again(loops, group.layout.counters[group.layout.row])
    return (*group.settled(), *loops)


def finished(
    group: Group,
    nodes: Iterable[Node],
    definitions: tuple[Definition, ...],
    results: Iterable[tuple[str, str]],
    forms: Iterable[Expr] = (),
    known: Collection[Expr] = (),
    in_parts: bool = True,
    near: Collection[str] = (),
) -> GroupKernel:
    """The kernel around the nodes of one group, with the arguments that they read.

    ``known`` letters are computed in it; groups add to the results named ``near`` row by row.
    """
    place, results = group.layout, tuple(results)
    written = {name for name, _ in results} | {name_of(one) for one in known}
    exprs = [*(one.written for one in definitions), *forms]
    inputs, learned, statistics = _arrays(group, exprs, written)
    read = {name_of(one) for expr in exprs for one in occurrences(expr, Indexed) if is_random(one)}
    drawn = tuple(one for one in group.sources if one.name in read)
    numbers = {one.spelling.python: one for e in exprs for one in occurrences(e, Hyperparameter)}
    steps = {one for expr in exprs for one in expr.atoms(Index) if one.counts == "step"}
    arguments = [
        *(Argument(name, ARRAY) for name in (*inputs, *(x.name for x in drawn))),
        *(Argument(name, ARRAY) for name in (*learned, *statistics)),
        *(Argument(name, ARRAY, written=True) for name, _ in results),
        *(Argument(one.spelling.python, STEP) for one in steps),
        *(Argument(name, NUMBER, domain=one.domain) for name, one in sorted(numbers.items())),
    ]
    shared = in_parts and bool(place.axes.shared)
    totals = tuple(name for name, kind in results if kind == LEARNED and not place.axes.apart)
    partial = totals if shared else ()
    nodes = with_own_sums(partial, tuple(nodes))
    sizes = sorted({one for value in _values(nodes) for one in value.atoms(Count)}, key=str)
    over = next((name for name, kind in results if kind == ELEMENT), (*inputs, "")[0])
    counted: tuple[Assign, ...] = ()
    if over:
        whole = Mul(*map(local, place.axes.averaged), evaluate=False)
        counted = tuple(Assign(local(one.spelling.python), whole, wide=True) for one in sizes)
    else:  # no array has an element for each: the count comes as a number
        arguments += [Argument(one.spelling.python, COUNT) for one in sizes]
    if in_parts:
        arguments += [Argument("fault", PART, written=True)] if group.faults else []
    body = place.loops(place.axes.kept, nodes)
    columns: Columns | None = None
    if in_parts and walks_columns(place):
        columns = in_columns(place, nodes, group.free)
    elif in_parts and side_by_side(place):
        columns = beside(place, nodes)
    elif in_parts and walks_along_memory(place, nodes):
        columns = along_memory(place, nodes)
    elif in_parts:
        body = over_groups(place, nodes, place.axes.kept)
        names = {one: group.free(f"near_{one}") for one in near if one in partial}
        body = near_learned(place, names, body) if names else body
        arguments += [Argument(one, NEAR_LEARNED, written=True) for one in names.values()]
    if columns is not None:
        body, counted = columns.body, (*counted, *columns.numbers)
        arguments += [*columns.arguments, *(STAGE_ARGUMENTS if columns.stages > 1 else ())]
    kernel = Kernel(
        name=f"_{group.kernel}",
        arguments=(*arguments, *(PART_ARGUMENTS if in_parts else ())),
        numbers=counted,
        body=body,
        over=over or results[0][0],
        lengths=place.lengths if over else place.axes.kept,
        rows=tuple(group.rows),
    )
    if place.axes.elementwise:
        kernel = in_blocks(kernel, drawn, group.numbers.taken)
    if in_parts:
        plain = not (drawn or place.axes.in_order)
        made = [name for name, kind in results if kind == ELEMENT and plain]
        kernel = streamed(kernel, made, place.counters[place.lengths[-1]], group.free)
    return GroupKernel(
        check(kernel),
        inputs,
        learned,
        statistics,
        results,
        tuple(group.faults),
        place.axes.kept,
        drawn,
        in_parts,
        totals,
        partial,
        columns.stages if columns else 1,
        columns.once if columns else (),
    )


def _values(nodes: Iterable[Node]) -> Iterator[Expr]:
    for node in nodes:
        match node:
            case Assign(_, value):
                yield value
            case Loop(body=body):
                yield from _values(body)


def _arrays(
    group: Group, exprs: list[Expr], written: set[str]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The arrays that are read, by what they have a number for, each in the order of reading."""
    inputs: dict[str, None] = {}
    learned: dict[str, None] = {}
    statistics: dict[str, None] = {}
    for expr in exprs:
        for one in occurrences(expr, Indexed, Label, Parameter, Statistic):
            if isinstance(one, Parameter):
                learned[name_of(one)] = None
            elif isinstance(one, Statistic | Label):
                statistics[name_of(one)] = None
            elif one.base.role == "learned":
                learned[name_of(one)] = None
            elif one.base not in group.computed and not is_random(one):
                inputs[name_of(one)] = None
    return tuple(inputs), tuple(learned), tuple(one for one in statistics if one not in written)
