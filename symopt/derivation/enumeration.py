"""Second opinions on means: all values that random letters may have, weighed, in exact numbers."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from itertools import product
from math import prod
from typing import Any

from sympy import Add, Basic, Expr, Indexed, Integer, Mul, Rational, S, Symbol, expand, oo, sqrt

from symopt.derivation.drawn import Draws, entries_drawn
from symopt.derivation.steps import Reason
from symopt.nodes import Bernoulli, Distribution, Normal, Sigma
from symopt.notation import Count, Hyperparameter, Index
from symopt.views import canonical, rewrite

_SIZES = (1, 2, 3)
_TRIES = 1000
# drawings that are weighed one by one
_MOST = 4096

# values with their weights: of a continuous distribution, such that means of low powers are exact
Weighed = tuple[tuple[Expr, Expr], ...]
_THIRD, _SIXTH = Rational(1, 3), Rational(1, 6)


def _two(one: Bernoulli) -> Weighed:
    return (S.Zero, 1 - one.share), (S.One, one.share)


def _three(one: Normal) -> Weighed:
    """The points of Gauss and Hermite, with which powers up to the fifth have their means."""
    away = sqrt(3 * one.variance)
    ends = ((one.mean + side * away, _SIXTH) for side in (-1, 1))
    return (*ends, (one.mean, 2 * _THIRD))


_VALUES: Mapping[type[Distribution], tuple[Callable[[Any], Weighed], Expr]] = {
    Bernoulli: (_two, oo),
    Normal: (_three, Integer(5)),
}


def enumerated(expr: Expr, mean: Expr, drawn: Draws) -> Reason:
    """That E[expr] is the mean, for one, two and three elements where it is about several.

    Nothing where no finite number of values tells, as for high powers of Gaussian letters, or
    there are too many; an assertion of ours where the two differ.
    """
    whole, claimed = canonical(expr), canonical(mean)
    sizes = sorted({one.bounds[1] for one in whole.atoms(Sigma)}, key=str)
    entries = entries_drawn(whole, drawn)
    if len(sizes) > 1 or not entries:
        return ""
    written = {k: _written_out(whole, dict.fromkeys(sizes, k)) for k in _SIZES[: 3 if sizes else 1]}
    numbers = [k for k, one in written.items() if _few(one, drawn)]
    if not numbers or not _told(written[1], drawn):
        return ""
    source = random.Random(20260103)
    for size in numbers:
        other = _written_out(claimed, dict.fromkeys(sizes, size))
        same = _same(written[size], other, drawn, source)
        assert same, f"E[{expr}] is not {mean} for {size} elements"
    letters = [part for one in entries for part in (", ", one)][1:]
    at = (" at ", *sizes, f" = {', '.join(map(str, numbers))}") if sizes else ()
    return ("checked over all values of ", *letters, *at, ", exact")


def _few(expr: Expr, drawn: Draws) -> bool:
    """Whether all drawings can be weighed one by one."""
    kinds = (drawn[one.base] for one in entries_drawn(expr, drawn))
    return prod(len(_VALUES[type(one)][0](one)) for one in kinds) <= _MOST


def _told(expr: Expr, drawn: Draws) -> bool:
    """Whether the values that stand for all others give the means of all powers that occur."""
    terms = Add.make_args(expand(expr))
    return all(
        term.as_coeff_exponent(one)[1] <= _VALUES[type(drawn[one.base])][1]
        for one in entries_drawn(expr, drawn)
        for term in terms
    )


def _written_out(expr: Expr, sizes: Mapping[Expr, int]) -> Expr:
    """The expression at the first element, its sums over so many written out."""

    def at(part: Expr, bound: Mapping[Index, Integer]) -> Expr:
        def change(node: Basic) -> Basic | None:
            if isinstance(node, Sigma):
                assert node.bounds is not None  # the elements of a group have a number
                last = sizes[node.bounds[1]]
                places = ({**bound, node.index: Integer(k)} for k in range(1, last + 1))
                return Add(*(at(node.body, one) for one in places))
            if isinstance(node, Indexed):
                return node.base[tuple(bound.get(one, S.One) for one in node.indices)]
            return Integer(sizes[node]) if isinstance(node, Count) and node in sizes else None

        return canonical(rewrite(part, change))

    return at(expr, {})


def _same(expr: Expr, claimed: Expr, drawn: Draws, source: random.Random) -> bool:
    """Whether the weighed values of an expression add up to what is claimed, at a random point."""
    entries = entries_drawn(expr, drawn)
    fixed = {one for part in (expr, claimed) for one in part.atoms(Indexed)} - set(entries)
    parts = (expr, claimed, *drawn.values())
    symbols = {one for part in parts for one in part.atoms(Symbol) if hasattr(one, "facts")}
    symbols -= {one.base.label for one in (*fixed, *entries)}
    point = {
        one: _number(one, source) for one in (*sorted(fixed, key=str), *sorted(symbols, key=str))
    }
    total = S.Zero
    for drawing in product(*(_values(one, drawn, point) for one in entries)):
        values = {one: value for one, (value, _) in zip(entries, drawing, strict=True)}
        weight = Mul(*(weight for _, weight in drawing))
        total += weight * canonical(expr.xreplace({**values, **point}))
    return bool(expand(total - canonical(claimed.xreplace(point))) == 0)


def _values(entry: Indexed, drawn: Draws, point: Mapping[Expr, Expr]) -> Weighed:
    one = drawn[entry.base]
    values = _VALUES[type(one)][0](one)
    return tuple((canonical(v.xreplace(point)), canonical(w.xreplace(point))) for v, w in values)


def _number(letter: Expr, source: random.Random) -> Rational:
    """A fraction that the letter may be."""
    for _ in range(_TRIES):
        found = Rational(source.randint(-30, 30), source.randint(1, 12))
        if isinstance(letter, Hyperparameter):
            if letter.domain.contains(found) == True:  # noqa: E712  # may be symbolic
                return found
        elif found and not (letter.is_nonnegative and found < 0):
            return found
    raise AssertionError(f"no fraction was found for {letter}")
