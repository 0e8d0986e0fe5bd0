"""When each equation can be computed: at which step, and after which others."""

from __future__ import annotations

from symopt.derivation.system import Assignment
from symopt.derivation.times import entries, offset
from symopt.errors import DerivationError
from symopt.notation import Index, Sequence
from symopt.printing.unicode import unicode


def offsets(assignments: tuple[Assignment, ...], step: Index) -> dict[Sequence, int]:
    """How many steps after the present one each equation defines its letter."""
    return {one.target: offset(one.id, one.left, step) for one in assignments}


def in_computable_order(
    name: str, assignments: tuple[Assignment, ...], step: Index
) -> tuple[Assignment, ...]:
    """The equations in an order in which each reads only what is known, else as declared.

    Raises
    ------
    DerivationError
        If equations of one step wait for each other.
    """
    defined = offsets(assignments, step)
    waiting, done, found = list(assignments), set[Sequence](), list[Assignment]()

    def ready(one: Assignment) -> bool:
        now = {
            entry.base
            for entry in entries(one.right)
            if entry.base in defined and offset(one.id, entry, step) == defined[entry.base]
        }
        return now <= done

    while waiting:
        following = next((one for one in waiting if ready(one)), None)
        if following is None:
            ring = " and ".join(f"{one.id} ({unicode(one.left)})" for one in waiting)
            raise DerivationError(
                f"{name} goes in a circle: {ring} each wait for another at the same step; "
                "let one of them read the value of the step before"
            )
        waiting.remove(following)
        found.append(following)
        done.add(following.target)
    return tuple(found)
