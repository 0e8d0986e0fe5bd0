"""Loops over elements, and sums over examples that are kept in blocks beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sympy import Indexed, S, Symbol

from symopt.derivation.system import PARAMETER, STATE, TEMPORARY, Assignment, System
from symopt.derivation.times import at, entries, offset
from symopt.errors import LoweringError
from symopt.nodes import Sigma
from symopt.notation import sequence
from symopt.printing.unicode import unicode
from symopt.program.hoist import Numbers, hoist
from symopt.program.ir import Assign, Call, Loop, Node, Scratch, Stop, View, element
from symopt.program.places import Places
from symopt.views import occurrences, rewrite

# elements handled at a time where sums are kept: 4 KiB of float32 stays in cache
BLOCK = 1024


def free(name: str, taken: set[str]) -> str:
    """The name, with a mark behind it where it is taken; it is taken from then on."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def without_sums(
    system: System, moving: tuple[Assignment, ...], taken: set[str]
) -> tuple[list[Assignment], tuple[Assignment, ...]]:
    """Sums over examples ⇒ entries of partial sums, beside what is added to each of them."""
    sums: list[Assignment] = []
    plain = []
    for one in moving:
        right = one.right
        for total in occurrences(right, Sigma):
            _check_known_before(system, one, total)
            letter = sequence(free("total" if not sums else f"total_{len(sums) + 1}", taken))
            entry = at(letter, system.step)
            right = rewrite(right, {total: entry}.get)
            sums.append(Assignment(one.id, entry, total.body))
        plain.append(Assignment(one.id, one.left, right))
    return sums, tuple(plain)


def _check_known_before(system: System, one: Assignment, total: Sigma) -> None:
    for entry in entries(total.body):
        variable = system.variable(entry.base)
        age = offset(one.id, entry, system.step) - variable.offset
        if variable.role == TEMPORARY or (variable.role in (STATE, PARAMETER) and age == 0):
            raise LoweringError(
                f"{one.id} sums over examples what holds {unicode(entry)}, which is computed in "
                "the same step; take it out of the sum"
            )


def partial_sum(places: Places, numbers: Numbers, one: Assignment) -> Assign:
    """What one example adds to a partial sum."""
    name = places.sums[one.target]
    term = rewrite(one.right, places.scalar_entry)
    return Assign(
        element(name, places.in_block),
        places.placed(hoist(term, numbers, name)),
        augment="+",
        note=one.id,
    )


def over_all(places: Places, body: tuple[Node, ...]) -> Loop:
    """One loop over all elements."""
    return Loop(places.counter, S.Zero, "size", body)


def in_blocks(
    places: Places, numbers: Numbers, added: tuple[Assign, ...], body: tuple[Assign, ...]
) -> tuple[Node, ...]:
    """Blocks of elements: the partial sums cleared, gathered along memory, and then used."""
    cleared = tuple(Assign(one.target, numbers.name(S.Zero, "zero")) for one in added)
    block = (
        Stop("stop", places.start, BLOCK),
        _over_block(places, cleared),
        _over_examples(places, _over_block(places, added)),
        _over_block(places, body),
    )
    return _over_blocks(places, block)


def in_views(
    places: Places,
    numbers: Numbers,
    added: tuple[Assign, ...],
    body: tuple[Assign, ...],
    per_example: tuple[Assign, ...],
    gathered: tuple[Call, ...],
    rows: Collection[str],
) -> tuple[Node, ...]:
    """The same over views: partial sums, elements, examples, and what is gathered of a block.

    Arrays named in ``rows`` have a row for each example.
    """
    cleared = tuple(Assign(one.target, numbers.name(S.Zero, "zero")) for one in added)
    whole = [name for name in places.views if name not in rows]
    block: list[Node] = [Stop("stop", places.start, BLOCK)]
    block += _views(places, (*added, *body, *per_example), whole, None)
    if added:
        block += [_in_view(places, cleared), _over_rows(places, added, rows)]
    block.append(_in_view(places, body))
    if per_example:
        block.append(_over_rows(places, per_example, rows))
    return _over_blocks(places, (*block, *gathered))


def _views(
    places: Places, lines: tuple[Assign, ...], names: Iterable[str], row: Symbol | None
) -> tuple[View, ...]:
    """Views of those of the arrays that some lines read or write."""
    sides = [side for one in lines for side in (one.target, one.value)]
    used = {str(one.base.label) for side in sides for one in side.atoms(Indexed)}
    return tuple(
        View(places.views[name], name, places.start, row)
        for name in names
        if places.views[name] in used
    )


def _in_view(places: Places, body: tuple[Node, ...]) -> Loop:
    return Loop(places.counter, S.Zero, f"stop - {places.start}", body)


def _over_rows(places: Places, lines: tuple[Assign, ...], rows: Collection[str]) -> Loop:
    views = _views(places, lines, rows, places.example)
    return _over_examples(places, *views, _in_view(places, lines))


def _over_examples(places: Places, *body: Node) -> Loop:
    count = next(one.examples for one in places.system.variables if one.examples)
    return Loop(places.example, S.Zero, count.spelling.python, body)


def _over_block(places: Places, body: tuple[Node, ...]) -> Loop:
    return Loop(places.counter, places.start, "stop", body)


def _over_blocks(places: Places, block: tuple[Node, ...]) -> tuple[Node, ...]:
    scratch = (Scratch(name, BLOCK) for name in places.sums.values())
    return (*scratch, Loop(places.start, S.Zero, "size", block, stride=BLOCK))
