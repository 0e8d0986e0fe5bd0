"""What a chain says of letters, put in for them: in SymPy's own sums, each index a name of its own.

A name of its own for each index that a sum binds, so that none is caught by a sum around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sympy import Basic, Eq, Expr, Indexed, IndexedBase, Product, Sum, Symbol
from sympy.core.function import AppliedUndef

from symopt.derivation.steps import Line
from symopt.nodes import Gradient, Sigma
from symopt.proof.definitions import at_number, bare, defining, offset, recurrent, without_start

Names = Iterator[int]
_FARTHEST = 8


class Unclear(Exception):
    """A line is about something of which no proof is known."""


@dataclass(frozen=True)
class Said:
    """What lines say: ``values`` of letters, and ``recurrences`` with their ``starts``.

    ``loose`` are recurrences of which no start is given, by their letters, each with the last
    place at which it does not hold yet: at that, and before, the letter is what it is.
    """

    values: Mapping[Basic, Eq]
    recurrences: tuple[Eq, ...] = ()
    starts: tuple[Eq, ...] = ()
    loose: Mapping[Basic, tuple[Eq, int]] = field(default_factory=dict)

    def only(self, letters: Iterable[Basic]) -> Said:
        """The values of some letters alone, recurrences as they are."""
        return replace(self, values={one: self.values[one] for one in letters})

    def beside(self, other: Said) -> Said:
        """What is said here and elsewhere."""
        return Said(
            {**self.values, **other.values},
            (*self.recurrences, *other.recurrences),
            (*self.starts, *other.starts),
            {**self.loose, **other.loose},
        )

    def assumptions(self, sides: Iterable[Basic], names: Names) -> tuple[Eq, ...]:
        """The recurrences that have a start, and their starts, of letters that sides speak of."""
        every = [
            Eq(one.lhs, unfolded(plain(one.rhs, names), self, names), evaluate=False)
            for one in (*self.starts, *self.recurrences)
        ]
        read = {base for side in sides for base in side.atoms(IndexedBase)}
        for _ in every:
            read |= {
                base
                for one in every
                if bare(one.lhs) in read
                for base in one.rhs.atoms(IndexedBase)
            }
        return tuple(one for one in every if bare(one.lhs) in read)


def said(lines: Iterable[Line]) -> Said:
    """What the lines that define letters say of them."""
    several = list(defining(lines).values())
    general = {bare(one.lhs): one for one in several if not at_number(one.lhs)}
    again = recurrent(several)
    values = {letter: one for letter, one in general.items() if letter not in again}
    loose = {
        base: (general[base], last) for base, last in without_start(several) if base in general
    }
    recurrences = (one for base, one in general.items() if base in again and base not in loose)
    return Said(
        values,
        tuple(one for one in recurrences if isinstance(one.lhs, Indexed)),
        tuple(one for one in several if at_number(one.lhs)),
        loose,
    )


def plain(expr: Basic, names: Names) -> Basic:
    """An expression with SymPy's own sums, each index in them with a name that no other has."""
    if not expr.args or isinstance(expr, IndexedBase):
        return expr
    if isinstance(expr, Sum | Product | Sigma):
        body, *limits = expr.args
        if any(len(limit) != 3 for limit in limits):
            raise Unclear("a sum without bounds")
        ends = []
        for old, low, high in limits:
            new = Symbol(f"{old.name}~{next(names)}", integer=True, positive=True)
            body = _with(body, old, new)
            ends.append((new, plain(low, names), plain(high, names)))
        made = Product if isinstance(expr, Product) else Sum
        return made(plain(body, names), *ends)
    return expr.func(*(plain(part, names) for part in expr.args))


def _with(expr: Basic, old: Basic, new: Basic) -> Basic:
    """An expression with another index, where no sum within binds the old one."""
    if expr == old:
        return new
    if not expr.args or isinstance(expr, IndexedBase):
        return expr
    if isinstance(expr, Sum | Product | Sigma) and any(one[0] == old for one in expr.args[1:]):
        body, *limits = expr.args
        ends = [(one[0], *(_with(end, old, new) for end in one[1:])) for one in limits]
        return expr.func(body, *ends)
    return expr.func(*(_with(part, old, new) for part in expr.args))


def at(one: Eq, place: Expr | None, names: Names) -> Expr:
    """What a definition says of its letter, of one with an index at that place."""
    if place is None:
        return plain(one.rhs, names)
    index, shift = _index(one.lhs)
    marked = Symbol(f"{index.name}~{next(names)}", integer=True)
    return plain(_with(one.rhs, index, marked), names).xreplace({marked: place - shift})


def _index(entry: Indexed) -> tuple[Symbol, Expr]:
    """The index of t + 1, and what stands beside it."""
    places = entry.indices[0].atoms(Symbol)
    shift = offset(entry)
    if len(entry.indices) != 1 or len(places) != 1 or shift is None:
        raise Unclear(f"{entry} as a letter")
    return next(iter(places)), shift


def unfolded(expr: Basic, known: Said, names: Names) -> Basic:
    """An expression in plain form with what is said of its letters put in, as far as that goes."""
    if isinstance(expr, Gradient) or not (expr.args or isinstance(expr, Symbol)):
        return expr
    if isinstance(expr, Indexed):
        found = _worth(expr, known, names)
        return expr if found is None else unfolded(found, known, names)
    if isinstance(expr, AppliedUndef) and expr.func in known.values:
        return unfolded(_called(expr, known.values[expr.func], names), known, names)
    if isinstance(expr, Symbol):
        one = known.values.get(expr)
        return expr if one is None else unfolded(at(one, None, names), known, names)
    if isinstance(expr, Sum | Product):
        body, *limits = expr.args
        ends = [(i, *(unfolded(end, known, names) for end in ends)) for i, *ends in limits]
        return expr.func(unfolded(body, known, names), *ends)
    return expr.func(*(unfolded(part, known, names) for part in expr.args))


def _called(expr: AppliedUndef, one: Eq, names: Names) -> Expr:
    """What a function is defined as, at the values of its arguments."""
    if not all(isinstance(letter, Symbol) for letter in one.lhs.args):
        raise Unclear(f"{expr}, which is a function of all of a letter")
    marks = {letter: Symbol(f"{letter.name}~{next(names)}") for letter in one.lhs.args}
    right = one.rhs
    for letter, mark in marks.items():
        right = _with(right, letter, mark)
    values = dict(zip(marks.values(), expr.args, strict=True))
    return plain(right, names).xreplace(values)


def _worth(entry: Indexed, known: Said, names: Names) -> Expr | None:
    """What is said of an entry: of one after a start, at a number, of one after what is loose."""
    for start in known.starts:
        if start.lhs == entry:
            return plain(start.rhs, names)
    one = known.values.get(entry.base)
    if one is None:
        one = _at_number(entry, known) if at_number(entry) else _later(entry, known)
    return None if one is None else at(one, entry.indices[0], names)


def _at_number(entry: Indexed, known: Said) -> Eq | None:
    """The recurrence that speaks of an entry not far after its start."""
    after = {base: last for base, (_, last) in known.loose.items()}
    for start in known.starts:
        base, place = start.lhs.base, int(start.lhs.indices[0])
        after[base] = max(place, after.get(base, place))
    again = {one.lhs.base: one for one in (*known.recurrences, *_loose(known))}
    near = entry.base in after and 0 < entry.indices[0] - after[entry.base] <= _FARTHEST
    return again.get(entry.base) if near else None


def _later(entry: Indexed, known: Said) -> Eq | None:
    """The recurrence without a start that speaks of an entry, one at or after its own place."""
    for one in _loose(known):
        if one.lhs.base == entry.base:
            steps = entry.indices[0] - one.lhs.indices[0] + 1
            return one if steps.is_Integer and 0 < steps <= _FARTHEST else None
    return None


def _loose(known: Said) -> Iterator[Eq]:
    return (one for one, _ in known.loose.values())
