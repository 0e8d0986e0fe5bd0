"""Which lines of a derivation define letters, and where recurrences start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sympy import Basic, Eq, Expr, Indexed, IndexedBase, Symbol
from sympy.core.function import AppliedUndef

from symopt.derivation.steps import Derivation, Line
from symopt.notation import Index
from symopt.views import canonical


def defining(lines: Iterable[Line]) -> dict[int, Eq]:
    """By their places, the lines that define letters: the first with one alone on its left.

    Where that is a recurrence, or nothing yet, a line for one entry such as v₀ defines its start;
    of a recurrence that reads one entry before, one line does, and others say what follows.
    """
    found: dict[int, Eq] = {}
    needed: dict[Basic, int] = {}
    begun: dict[Basic, int] = {}
    read: dict[Basic, set[Basic]] = {}
    for place, line in enumerate(lines):
        left, right = canonical(line.left), canonical(line.right)
        function = isinstance(left, AppliedUndef) and all(map(_whole, left.args))
        if not isinstance(left, Indexed | Symbol) and not function:
            continue
        base = bare(left)
        reads = _at_once(left, right)
        if base not in needed and _leads(reads, base, read):
            continue  # which says something of letters, and not which they are
        start = isinstance(left, Indexed) and left.indices[0].is_Integer
        general = not isinstance(left, Indexed) or offset(left) is not None
        another = start and (base not in needed or begun.get(base, 0) < needed[base])
        if another or (general and base not in needed):
            found[place] = Eq(left, right, evaluate=False)
        if another:
            begun[base] = begun.get(base, 0) + 1
        if general and base not in needed:
            needed[base] = _reach(left, right)
            read[base] = reads
    return found


def _at_once(left: Basic, right: Basic) -> set[Basic]:
    """The letters that must be known before another one, those of steps before it left out."""
    found: set[Basic] = set(right.atoms(Symbol)) | {one.func for one in right.atoms(AppliedUndef)}
    own = offset(left) if isinstance(left, Indexed) else None
    for one in right.atoms(Indexed):
        place = offset(one)
        if own is None or place is None or place >= own:
            found.add(one.base)
    return found


def _leads(reads: set[Basic], base: Basic, read: Mapping[Basic, set[Basic]]) -> bool:
    """Whether what is read leads back to a letter."""
    seen: set[Basic] = set()
    waiting = list(reads)
    while waiting:
        one = waiting.pop()
        if one == base:
            return True
        if one not in seen:
            seen.add(one)
            waiting += read.get(one, ())
    return False


def _reach(left: Expr, right: Expr) -> int:
    """How far a recurrence reaches back; 1 where it does so by a place that is no number apart."""
    if not isinstance(left, Indexed):
        return 0
    gaps = [left.indices[0] - one.indices[0] for one in right.atoms(Indexed) if _same(one, left)]
    return max((int(gap) if gap.is_Integer else 1 for gap in gaps), default=0)


def _same(one: Indexed, other: Indexed) -> bool:
    return bool(one.base == other.base)


def begun(derivation: Derivation) -> Iterable[Eq]:
    """What the title says of the start: v₀ = 0."""
    title = derivation.title if isinstance(derivation.title, tuple) else ()
    for entry, sign, value in zip(title, title[1:], title[2:], strict=False):
        if sign == " = " and isinstance(entry, Indexed) and entry.indices[0].is_Integer:
            yield Eq(entry, value, evaluate=False)


def offset(entry: Indexed) -> int | None:
    """By how much the place of an entry is more than an index; nothing if it is something else."""
    indices = entry.indices[0].atoms(Index)
    if len(indices) != 1:
        return None
    shift = entry.indices[0] - next(iter(indices))
    return int(shift) if shift.is_Integer else None


def recurrent(definitions: Sequence[Eq]) -> frozenset[Basic]:
    """The letters that are read by what they are, however indirectly."""
    general = {bare(one.lhs): one for one in definitions if not at_number(one.lhs)}
    read = {
        letter: {other for other in general if one.rhs.has(other)}
        for letter, one in general.items()
    }
    for _ in general:
        for letter, others in read.items():
            read[letter] = others.union(*(read[other] for other in others))
    return frozenset(letter for letter, others in read.items() if letter in others)


def at_number(letter: Basic) -> bool:
    """Whether a letter is an entry at one number, such as v₀."""
    return isinstance(letter, Indexed) and bool(letter.indices[0].is_Integer)


def without_start(definitions: Sequence[Eq]) -> Iterable[tuple[Basic, int]]:
    """Letters with a recurrence and no start, and the last place at which it does not hold yet."""
    again = recurrent(definitions)
    started = {
        one.lhs.base for one in definitions if one.lhs.is_Indexed and one.lhs.indices[0].is_Integer
    }
    for one in definitions:
        if not isinstance(one.lhs, Indexed) or one.lhs.base not in again - started:
            continue
        last = offset(one.lhs)
        if last is not None:
            yield one.lhs.base, last


def _whole(letter: Basic) -> bool:
    return isinstance(letter, Symbol | IndexedBase)


def bare(letter: Basic) -> Basic:
    """A letter without its indices, a function without its arguments."""
    if isinstance(letter, AppliedUndef):
        return letter.func
    return letter.base if isinstance(letter, Indexed) else letter


def of_functions(lines: Iterable[Line]) -> Iterator[Eq]:
    """What lines say of functions: the first that has one alone on its left."""
    seen = set()
    for line in lines:
        left = canonical(line.left)
        plain = isinstance(left, AppliedUndef) and all(map(_whole, left.args))
        if plain and left.func not in seen:
            seen.add(left.func)
            yield Eq(left, canonical(line.right), evaluate=False)
