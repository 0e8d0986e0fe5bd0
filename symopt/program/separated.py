"""What a kernel does for one group, taken apart, for groups that lie side by side in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from sympy import Expr, Indexed, Symbol

from symopt.program.ir import Assign, Fault, Loop, Node, element, local, rewritten
from symopt.program.layout import Layout
from symopt.views import occurrences


def apart(place: Layout) -> tuple[str, ...]:
    """The axes of groups that do not lie side by side, before the last that they extend over."""
    return tuple(one for one in place.axes.kept if one not in side_by_side(place))


def side_by_side(place: Layout) -> tuple[str, ...]:
    """The axes of groups that lie side by side, behind all that they extend over."""
    if place.axes.in_order:
        return ()
    return place.lengths[place.lengths.index(place.axes.averaged[-1]) + 1 :]


@dataclass(frozen=True)
class Separated:
    """The numbers of a kernel, and what else it does, between loops and in loops.

    ``totals`` are gathered in loops, by how; ``own`` numbers differ from group to group, and are
    read as elements of arrays already; ``nothing`` is what totals start from.
    """

    constant: tuple[Assign, ...]
    totals: dict[Expr, str]
    nothing: dict[Expr, Expr]
    own: tuple[Assign, ...]
    runs: tuple[tuple[Node, ...], ...]


def separated(
    place: Layout, nodes: tuple[Node, ...], across: tuple[str, ...] | None = None
) -> Separated:
    """What is done for one group, its numbers read as elements of arrays over all groups.

    Those that are read from arrays in the first place are read there: mu_B_c ⇒ mu_B[c]. Groups are
    told apart ``across`` these axes, by default those along which they lie side by side.
    """
    loads = {one.target: one.value for one in _assigns(nodes) if _is_load(one)}
    nodes = rewritten(tuple(one for one in nodes if not _is_load(one)), loads.get)
    totals = {
        one.target: one.augment
        for loop in nodes
        if isinstance(loop, Loop)
        for one in inside(loop)
        if one.augment and isinstance(one.target, Symbol)
    }
    constant = _constants(nodes, totals)
    numbers = [one for one in _assigns(nodes) if _is_number(one) and one not in constant]
    nothing = {one.target: one.value for one in numbers if one.target in totals}
    own = tuple(one for one in numbers if one.target not in totals)
    here = place.of(side_by_side(place) if across is None else across)
    places = {one.target: element(one.target.name, *here) for one in own}
    left = tuple(
        one
        for one in nodes
        if one not in constant and not (isinstance(one, Assign) and one.target in totals)
    )
    runs = tuple(_runs(rewritten(left, places.get)))
    return Separated(tuple(constant), totals, nothing, own, runs)


def _runs(nodes: tuple[Node, ...]) -> Iterator[tuple[Node, ...]]:
    """Loops by themselves, and what lies between two of them."""
    run: list[Node] = []
    for one in nodes:
        if isinstance(one, Loop):
            if run:
                yield tuple(run)
            yield (one,)
            run = []
        else:
            run.append(one)
    if run:
        yield tuple(run)


def _constants(nodes: tuple[Node, ...], totals: Iterable[Expr]) -> list[Assign]:
    """Numbers that are the same for all groups."""
    varying = {*totals}
    found = []
    for one in _assigns(nodes):
        if not _is_number(one):
            continue
        if one.value.has(Indexed) or one.value.free_symbols & varying or one.target in varying:
            varying.add(one.target)
        else:
            found.append(one)
    return found


def _is_load(node: Node) -> bool:
    return (
        isinstance(node, Assign)
        and isinstance(node.target, Symbol)
        and isinstance(node.value, Indexed)
        and not (node.wide or node.cast or node.augment)
    )


def _is_number(one: Assign) -> bool:
    return isinstance(one.target, Symbol) and not one.augment


def _assigns(nodes: Iterable[Node]) -> Iterator[Assign]:
    return (one for one in nodes if isinstance(one, Assign))


def inside(loop: Loop) -> Iterator[Assign]:
    """The lines of the innermost loop."""
    for one in loop.body:
        if isinstance(one, Loop):
            yield from inside(one)
        else:
            assert isinstance(one, Assign)
            yield one


def settled(place: Layout, across: Collection[str], run: tuple[Node, ...]) -> tuple[Node, ...]:
    """The numbers of all groups, then a look at what they divided by, in a loop of its own.

    Roots and divisions of several groups are then done at once.
    """
    numbers = tuple(one for one in run if not isinstance(one, Fault))
    faults = tuple(one for one in run if isinstance(one, Fault))
    read = {symbol for one in faults for symbol in one.divisor.atoms(Symbol)}
    # locals of the first loop, read from arrays there
    needed = tuple(one for one in _assigns(numbers) if one.target in read)
    looked = place.loops(across, (*needed, *faults)) if faults else ()
    return (*place.loops(across, numbers), *looked)


def read_once(
    place: Layout, lines: tuple[Assign, ...]
) -> tuple[tuple[Assign, ...], tuple[Assign, ...]]:
    """Numbers of groups that lines read ⇒ locals, and the lines that read them: mu_B[c] ⇒ mu_B_c.

    Where elements are written in between, the compiler would read them again and again.
    """
    kept = {*place.of(place.axes.kept)}
    names = {one.target for one in lines}
    names |= {x for one in lines for x in one.value.free_symbols}
    read: dict[Expr, Symbol] = {}
    for line in lines:
        for one in occurrences(line.value, Indexed):
            if one not in read and {*one.indices} <= kept:
                name = local(f"{one.base.label}{place.suffix}")
                while name in names:
                    name = local(f"{name.name}_")
                names.add(name)
                read[one] = name
    found = rewritten(lines, read.get)
    return tuple(Assign(name, one) for one, name in read.items()), found  # type: ignore[return-value]  # of lines come lines
