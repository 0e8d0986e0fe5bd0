"""Loops over all groups ⇒ loops over the groups of a part: what several threads may share.

How many parts there are is decided by sizes alone, and each is computed in one order, so that
results are the same bits however many threads there are.
"""

from __future__ import annotations

from collections.abc import Collection

from sympy import Basic, Expr, Indexed, Mul, S, Symbol, floor

from symopt.program.ir import PART, Argument, Loop, Node, Whole, element, local, rewritten
from symopt.program.layout import Layout

# the part that is computed, how many there are, and those of one call
PART_LETTER, PARTS, FIRST, LAST = (local(one) for one in ("part", "parts", "first", "last"))
BEGIN, END = local("begin"), local("end")
# the stage of a kernel that has several, and those of one call
STAGE, SINCE, UNTIL = (local(one) for one in ("stage", "since", "until"))
PART_ARGUMENTS = tuple(Argument(one.name, PART) for one in (PARTS, FIRST, LAST))
STAGE_ARGUMENTS = tuple(Argument(one.name, PART) for one in (SINCE, UNTIL))
# names that no letter may have
PART_NAMES = frozenset(
    {
        *("part", "parts", "first", "last", "begin", "end", "group", "groups", "block", "blocks"),
        *(
            "stage",
            "since",
            "until",
            "other",
            "even",
            "edge",
            "flat",
            "thread",
            "threads",
            "streams",
        ),
    }
)


def over_parts(count: Expr, counter: Symbol, body: tuple[Node, ...]) -> tuple[Node, ...]:
    """The body for each of ``count`` places of each part."""
    return (Loop(PART_LETTER, FIRST, LAST, begin_and_end(count, counter, body)),)


def begin_and_end(count: Expr, counter: Symbol, body: tuple[Node, ...]) -> tuple[Node, ...]:
    """The body for each place of one part; parts differ in length by one at most."""

    def up_to(part: Expr) -> Expr:
        return floor(Mul(part, count, 1 / PARTS), evaluate=False)

    return (
        Whole(BEGIN, up_to(PART_LETTER)),
        Whole(END, up_to(PART_LETTER + 1)),
        Loop(counter, BEGIN, END, body),
    )


def over_groups(place: Layout, body: tuple[Node, ...], kept: tuple[str, ...]) -> tuple[Node, ...]:
    """The body for each group of each part, in the order of memory, along the ``kept`` axes."""
    if not kept:
        return (Loop(PART_LETTER, FIRST, LAST, body),)
    *before, begin, end, loop = groups_of_part(place, body, kept)
    return (*before, Loop(PART_LETTER, FIRST, LAST, (begin, end, loop)))


def groups_of_part(
    place: Layout, body: tuple[Node, ...], kept: tuple[str, ...]
) -> tuple[Node, ...]:
    """The body for each group of one part, in the order of memory, along the ``kept`` axes."""
    counters = place.of(kept)
    if len(kept) == 1:
        return begin_and_end(local(kept[0]), counters[0], body)
    group, groups = local("group"), local("groups")
    places: list[Node] = []
    rest: Expr = group
    for one, counter in zip(reversed(kept[1:]), reversed(counters[1:]), strict=True):
        before = counters[0] if one == kept[1] else local(f"{rest.name}_")
        places.append(Whole(before, floor(rest / local(one), evaluate=False)))
        places.append(Whole(counter, rest - before * local(one)))
        rest = before
    whole = Mul(*map(local, kept), evaluate=False)
    return (Whole(groups, whole), *begin_and_end(groups, group, (*places, *body)))


def with_own_sums(names: Collection[str], nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """Sums over several groups ⇒ those of each part by themselves: dgamma[c] ⇒ dgamma[part, c]."""

    rows = {local(one) for one in names}

    def change(node: Basic) -> Basic | None:
        if isinstance(node, Indexed) and str(node.base.label) in names:
            # a letter of one number alone is kept at place 0
            return Indexed(node.base, PART_LETTER, *(node.indices or (S.Zero,)))
        # a row of them, handed to a function
        return element(node.name, PART_LETTER) if node in rows else None

    return rewritten(nodes, change)
