"""Which lines of a derivation define letters, and where recurrences start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sympy import Basic, Eq, Indexed, IndexedBase, Symbol
from sympy.core.function import AppliedUndef

from symopt.derivation.steps import Derivation, Line
from symopt.notation import Index
from symopt.views import canonical


def defining(lines: Iterable[Line]) -> dict[int, Eq]:
    """By their places, the lines that define letters: the first with one alone on its left.

    Where that is a recurrence, or nothing yet, a line for one entry such as v₀ defines its start.
    """
    found: dict[int, Eq] = {}
    seen: dict[Basic, bool] = {}
    for place, line in enumerate(lines):
        left, right = canonical(line.left), canonical(line.right)
        function = isinstance(left, AppliedUndef) and all(map(_whole, left.args))
        if not isinstance(left, Indexed | Symbol) and not function:
            continue
        if isinstance(left, Symbol) and right.has(left):
            continue  # which says something of a number, and not which one it is
        base = bare(left)
        start = isinstance(left, Indexed) and left.indices[0].is_Integer
        general = not isinstance(left, Indexed) or _offset(left) is not None
        if (start and seen.get(base, True)) or (general and base not in seen):
            found[place] = Eq(left, right, evaluate=False)
        if general and base not in seen:
            seen[base] = right.has(base)
    return found


def begun(derivation: Derivation) -> Iterable[Eq]:
    """What the title says of the start: v₀ = 0."""
    title = derivation.title if isinstance(derivation.title, tuple) else ()
    for entry, sign, value in zip(title, title[1:], title[2:], strict=False):
        if sign == " = " and isinstance(entry, Indexed) and entry.indices[0].is_Integer:
            yield Eq(entry, value, evaluate=False)


def _offset(entry: Indexed) -> int | None:
    """By how much the place of an entry is more than an index; nothing if it is something else."""
    indices = entry.indices[0].atoms(Index)
    if len(indices) != 1:
        return None
    shift = entry.indices[0] - next(iter(indices))
    return int(shift) if shift.is_Integer else None


def without_start(definitions: Sequence[Eq]) -> Iterable[tuple[Basic, int]]:
    """Letters with a recurrence and no start, and the last place at which it does not hold yet."""
    started = {
        one.lhs.base for one in definitions if one.lhs.is_Indexed and one.lhs.indices[0].is_Integer
    }
    for one in definitions:
        again = isinstance(one.lhs, Indexed) and one.rhs.has(one.lhs.base)
        offset = _offset(one.lhs) if again else None
        if offset is not None and one.lhs.base not in started:
            yield one.lhs.base, offset


def _whole(letter: Basic) -> bool:
    return isinstance(letter, Symbol | IndexedBase)


def bare(letter: Basic) -> Basic:
    """A letter without its indices, a function without its arguments."""
    if isinstance(letter, AppliedUndef):
        return letter.func
    return letter.base if isinstance(letter, Indexed) else letter
