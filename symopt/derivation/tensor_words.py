"""Derived terms of a tensor layer in the author's words: his order, and places as he wrote them."""

from __future__ import annotations

from dataclasses import replace

from sympy import Add, Expr, Indexed, KroneckerDelta, Mul, S, expand

from symopt.calculus.affine import solved
from symopt.calculus.terms import Term, ordered
from symopt.declaration.outline import Outline, entries
from symopt.derivation.readable import readable
from symopt.derivation.steps import Reason
from symopt.nodes import Gradient, Inside
from symopt.notation import Index, Sequence
from symopt.views import canonical, signed_terms


def in_order(
    outline: Outline, found: tuple[Term, ...], letter: Sequence | None
) -> tuple[Term, ...]:
    """Factors and sums in the author's order, dL/dy where the letter stood."""
    bases = list(dict.fromkeys(entry.base for entry in entries(outline.equation.right)))
    places = [*outline.output.indices, *outline.ranges]

    def factor(one: Expr) -> tuple[int, str]:
        if isinstance(one, Inside):
            return -1, str(one)
        if isinstance(one, KroneckerDelta):
            return len(bases), str(min(one.args, key=lambda place: len(place.atoms())))
        return bases.index(letter if isinstance(one, Gradient) else one.base), ""

    def bound(one: Index) -> int:
        return places.index(one) if one in places else len(places)

    return tuple(ordered(one, factor, bound) for one in found)


def shown(found: tuple[Term, ...], outline: Outline) -> Expr:
    """The terms added up, for readers: the number of each before its sums."""
    parts = []
    for one in found:
        worded = replace(one, factors=tuple(_worded(part, outline) for part in one.factors))
        number = canonical(one.number)
        parts.append(worded.total if number == 1 else readable(number, {}, worded.total))
    return Add(*parts, evaluate=False) if len(parts) > 1 else (parts or [S.Zero])[0]


def _worded(factor: Expr, outline: Outline) -> Expr:
    if isinstance(factor, KroneckerDelta):
        return KroneckerDelta(*(worded_place(place, outline) for place in factor.args))
    if isinstance(factor, Inside):
        return Inside(worded_place(factor.args[0], outline), *factor.args[1:])
    if isinstance(factor, Indexed):
        return factor.base[tuple(worded_place(place, outline) for place in factor.indices)]
    return factor


def worded_place(place: Expr, outline: Outline) -> Expr:
    """A place as the author wrote it, or what is left of one: s·(p − 1) + i ⇒ u − s·(p − 1)."""
    written = {
        canonical(one): one
        for entry in entries(outline.equation.right)
        for one in entry.indices
        if not isinstance(one, Index)
    }
    if place.is_Symbol or place in written:
        return written.get(place, place)
    for known, shown in written.items():
        several = signed_terms(shown)
        for term in several:
            found = _less(place, known, term, [one for one in several if one != term])
            if found is not None:
                return found
    return place


def _less(
    place: Expr, known: Expr, term: tuple[bool, Expr], others: list[tuple[bool, Expr]]
) -> Expr | None:
    """The letter u less the other terms, where ``known`` = u solved for the term is the place."""
    negative, index = term
    own = expand(known + index - place if negative else place + known - index)
    if not isinstance(index, Index) or not own.is_Symbol:
        return None
    signed = [(minus != (not negative), one) for minus, one in others]
    parts = [Mul(S.NegativeOne, one, evaluate=False) if minus else one for minus, one in signed]
    first = Mul(S.NegativeOne, own, evaluate=False) if negative else own
    return Add(*((*parts, first) if negative else (first, *parts)), evaluate=False)


def lengths(outline: Outline) -> list[str | Expr]:
    """The letters for all lengths, with commas between them."""
    shapes = [one for letter in outline.arrays for one in outline.shapes[letter]]
    several = dict.fromkeys(one for one in (*shapes, *outline.output_shape) if one.is_Symbol)
    return [part for one in several for part in (", ", one)][1:]


def solving(before: tuple[Term, ...], after: tuple[Term, ...], outline: Outline) -> Reason:
    """For which index of a window each delta was solved that is there no more."""
    words: dict[Reason, None] = {}
    left = {one for term in after for one in term.factors}
    for term in before:
        deltas = [one for one in term.factors if isinstance(one, KroneckerDelta)]
        for delta in (one for one in deltas if one not in left):
            for bound, _ in reversed(term.sums):
                one, other = delta.args
                solution = solved(one, other, bound)
                if solution is not None:
                    words[bound, " = ", worded_place(solution, outline)] = None
                    break
    listed = [part for one in words for part in (", ", *one)][1:]
    return ("deltas solved: ", *listed)
