"""Induction on a whole number: what holds at its start, and at t + 1 if at t."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sympy import Basic, Eq, Expr, Ge, Indexed, Integer, Pow, Product, Sum, Symbol, factorial

from symopt.proof.proving import Attempt, Problem, Proof, prove
from symopt.proof.sums import put

_EARLIEST = -3


def by_induction(problem: Problem, definitions: Sequence[Eq], attempt: Attempt) -> Proof | None:
    """A proof by induction on one of the whole numbers in a problem; nothing if none is found.

    Entries that ``definitions`` say something of are put in as far as they reach back to t.
    """
    for letter in _letters(problem, definitions):
        start = _start(letter, problem, definitions)
        if start is None:
            continue
        base = _at(problem, definitions, letter, Integer(start), f"at {letter.name} = {start}")
        step = _step(problem, definitions, letter, start)
        first = prove(base, attempt)
        second = prove(step, attempt) if first is not None else None
        if first is not None and second is not None:
            return Proof(
                (*first.cases, *second.cases),
                tuple(dict.fromkeys((*first.divisors, *second.divisors))),
                tuple(dict.fromkeys((*first.introduced, *second.introduced))),
                f"induction on {letter.name}",
            )
        attempt.tried[f"induction on {letter.name} from {start}"] = None
    return None


def _letters(problem: Problem, definitions: Sequence[Eq]) -> Iterator[Symbol]:
    """Whole numbers that lengths of sums, exponents or defined entries depend on."""
    found: dict[Symbol, None] = {}
    defined = {one.lhs.base for one in definitions}
    for side in (problem.left, problem.right):
        for entry in sorted(side.atoms(Indexed), key=str):
            if entry.base in defined:
                found.update(dict.fromkeys(entry.indices[0].free_symbols))
        for node in sorted(side.atoms(Sum, Product, Pow, factorial), key=str):
            places = node.args if not isinstance(node, Sum | Product) else ()
            ends = [end for limit in node.args[1:] for end in limit[1:]] if not places else []
            for place in (*places[-1:], *ends):
                found.update(dict.fromkeys(place.free_symbols))
    free = problem.left.free_symbols | problem.right.free_symbols
    for symbol in sorted(found, key=str):
        if isinstance(symbol, Symbol) and symbol.is_integer and symbol in free:
            yield symbol


def _start(letter: Symbol, problem: Problem, definitions: Sequence[Eq]) -> int | None:
    """The least value of a letter: where entries start, what is assumed, how long sums are."""
    starts = [one.lhs.indices[0] for one in definitions if one.lhs.indices[0].is_Integer]
    if starts:
        return int(min(starts))
    if letter.is_positive or letter.is_nonnegative:
        return 1 if letter.is_positive else 0
    least: list[int] = []
    for side in (problem.left, problem.right):
        for total in side.atoms(Sum, Product):
            for _, low, high in total.args[1:]:
                length = high - low + 1
                if length.has(letter):
                    rest = length - letter
                    if not rest.is_Integer:
                        return None
                    least.append(-int(rest))
    return max(least) if least and max(least) >= _EARLIEST else None


def _at(
    problem: Problem, definitions: Sequence[Eq], letter: Symbol, value: Expr, role: str
) -> Problem:
    sides = (
        unfolded(put(side, letter, value), definitions, letter)
        for side in (problem.left, problem.right)
    )
    left, right = sides
    conditions = tuple(one.subs(letter, value) for one in problem.conditions)
    return replace(problem, left=left, right=right, conditions=conditions, role=role)


def _step(problem: Problem, definitions: Sequence[Eq], letter: Symbol, start: int) -> Problem:
    later = _at(
        problem, definitions, letter, letter + 1, f"from {letter.name} to {letter.name} + 1"
    )
    # conditions are those at t and at t + 1 alike
    conditions = (*problem.conditions, *later.conditions, Ge(letter, start, evaluate=False))
    return replace(later, conditions=conditions, hypothesis=(problem.left, problem.right))


def unfolded(expr: Expr, definitions: Sequence[Eq], letter: Symbol) -> Expr:
    """Defined entries later than ``letter`` by what they are, back to it; at a number, to the end.

    >>> from sympy import IndexedBase
    >>> v, t = IndexedBase("v"), Symbol("t", integer=True)
    >>> unfolded(v[t + 1], [Eq(v[t], 2 * v[t - 1])], t)
    2*v[t]
    """
    for _ in range(12):
        values: dict[Basic, Basic] = {}
        for entry in expr.atoms(Indexed):
            value = _worth(entry, definitions, letter)
            if value is not None:
                values[entry] = value
        if not values:
            break
        expr = expr.xreplace(values)
    return expr


def _worth(entry: Indexed, definitions: Sequence[Eq], letter: Symbol) -> Expr | None:
    place = entry.indices[0]
    for one in definitions:
        if one.lhs == entry and place.is_Integer:
            return one.rhs
    for one in definitions:
        where = one.lhs.indices[0] if one.lhs.base == entry.base else Integer(0)
        symbols = where.free_symbols
        if len(symbols) != 1:
            continue
        symbol = next(iter(symbols))
        argument = place - (where - symbol)
        later = place - letter
        if (later.is_Integer and later > 0) or place.is_Integer:
            return put(one.rhs, symbol, argument)
    return None
