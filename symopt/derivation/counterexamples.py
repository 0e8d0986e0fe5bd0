"""Small numbers at which two sides differ, looked for among the simplest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product

from sympy import Add, Expr, Indexed, Integer, Rational, S, Symbol

from symopt.calculus.adjoints import Definition
from symopt.nodes import Sigma
from symopt.notation import Hyperparameter, Index, Label
from symopt.printing.unicode import unicode

_SIMPLE = (S.One, Integer(2), S.Zero, S.NegativeOne, Rational(1, 2), Integer(3))
_SIZES = (1, 2, 3, 4)
# how many points are looked at for each size before the next
_POINTS = 60
_DIGITS = 30


@dataclass(frozen=True)
class _Point:
    """A number for each letter, and one for each element of the indexed ones."""

    letters: dict[Expr, Expr]
    elements: dict[tuple[Expr, int], Expr]

    def value(self, expr: Expr, bound: dict[Expr, int]) -> Expr:
        """The expression's exact value, its sums written out."""
        if expr in bound:
            return Integer(bound[expr])
        if isinstance(expr, Sigma) and expr.bounds is not None:
            last = self.letters[expr.bounds[1]]
            places = range(1, int(last) + 1)
            return Add(*(self.value(expr.body, {**bound, expr.index: k}) for k in places))
        if isinstance(expr, Indexed):
            return self.elements[expr.base, int(self.value(expr.indices[0], bound))]
        if expr in self.letters:
            return self.letters[expr]
        return expr.func(*(self.value(part, bound) for part in expr.args)) if expr.args else expr

    def run(self, definitions: tuple[Definition, ...], size: int) -> None:
        """The letters that the equations define."""
        for one in definitions:
            if one.index is None:
                self.letters[one.letter] = self.value(one.value, {})
            else:
                for k in range(1, size + 1):
                    place = one.letter.base, k
                    self.elements[place] = self.value(one.value, {one.index: k})


def counterexample(left: Expr, right: Expr, definitions: tuple[Definition, ...]) -> str | None:
    """The simplest numbers found at which the sides differ, and what the sides are there."""
    needed = _needed(left - right, definitions)
    exprs = (left, right, *(one.value for one in needed))
    defined = {_key(one.letter) for one in needed}
    bases = sorted({e.base for one in exprs for e in one.atoms(Indexed)} - defined, key=str)
    total = definitions[-1].size
    assert total is not None
    free = {one for expr in exprs for one in expr.atoms(Symbol)} - defined - {total}
    letters = sorted((one for one in free if _is_number(one, exprs)), key=str)
    for size in _SIZES:
        for point in islice(_points(bases, letters, total, size), _POINTS):
            given = _said(point, bases, total, letters, size)
            point.run(needed, size)
            one, other = point.value(left, {}), point.value(right, {})
            if _differ(one, other):
                sides = f"the left side is {unicode(one)}, the right side {unicode(other)}"
                return f"at {given} {sides}"
    return None


def _key(letter: Expr) -> Expr:
    return letter.base if isinstance(letter, Indexed) else letter


def _is_number(letter: Symbol, exprs: tuple[Expr, ...]) -> bool:
    """Whether a symbol is a letter of its own, and no index or label of indexed ones."""
    labels = {entry.base.label for one in exprs for entry in one.atoms(Indexed)}
    return not isinstance(letter, Index) and letter not in labels


def _needed(expr: Expr, definitions: tuple[Definition, ...]) -> tuple[Definition, ...]:
    """The equations on which an expression depends."""
    found: list[Definition] = []
    exprs = [expr]
    for one in reversed(definitions):
        if any(part.has(_key(one.letter)) for part in exprs):
            found.insert(0, one)
            exprs.append(one.value)
    return tuple(found)


def _points(bases: list[Expr], letters: list[Symbol], total: Expr, size: int) -> Iterator[_Point]:
    """Points of simple numbers, the simplest first; letters stay within their ranges."""
    places = [(base, k) for base in bases for k in range(1, size + 1)]
    choices = [_values(one) for one in letters]
    elements = product(_SIMPLE, repeat=len(places))
    for values in elements:
        for numbers in islice(product(*choices), 2):
            pairs = zip(letters, numbers, strict=True)
            yield _Point(
                {total: Integer(size), **dict(pairs)}, dict(zip(places, values, strict=True))
            )


def _values(letter: Symbol) -> list[Expr]:
    if isinstance(letter, Label):
        return [S.One]  # the first element, which every group has
    inside = [one for one in _SIMPLE if not letter.is_nonnegative or one >= 0]
    if isinstance(letter, Hyperparameter):
        inside = [one for one in inside if one in letter.domain]
    return inside or [S.One]


def _differ(one: Expr, other: Expr) -> bool:
    """Whether two numbers are finite, real and not the same."""
    gap = one - other
    if not (one.is_real and other.is_real and gap.is_finite):
        return False
    return bool(gap != 0 if gap.is_Rational else abs(gap.evalf(_DIGITS)) > 10 ** (5 - _DIGITS))


def _said(point: _Point, bases: list[Expr], total: Expr, letters: list[Symbol], size: int) -> str:
    """``m = 1, x = (1), ε = 2``."""
    places = range(1, size + 1)
    lists = {one: ", ".join(unicode(point.elements[one, k]) for k in places) for one in bases}
    return ", ".join(
        [
            f"{unicode(total)} = {size}",
            *(f"{unicode(base)} = ({numbers})" for base, numbers in lists.items()),
            *(f"{unicode(one)} = {unicode(point.letters[one])}" for one in letters),
        ]
    )
