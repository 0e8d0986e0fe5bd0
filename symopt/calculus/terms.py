"""Sums of products of entries, multiplied out: each term with its number, factors and sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sympy import Add, Expr, Indexed, Integer, KroneckerDelta, Mul, Pow, S

from symopt.errors import DerivationError
from symopt.nodes import Gradient, Inside, Sigma
from symopt.notation import Index
from symopt.printing.unicode import unicode

FACTORS = (Indexed, Gradient, KroneckerDelta, Inside)


@dataclass(frozen=True)
class Term:
    """A number times a product of entries, summed over indices from 1 up to their last.

    Factors and sums stand in the order in which they are written; a square is a factor twice.
    """

    number: Expr = S.One
    factors: tuple[Expr, ...] = ()
    sums: tuple[tuple[Index, Expr], ...] = ()

    @property
    def body(self) -> Expr:
        """The product under the sums, as written."""
        counted: dict[Expr, int] = {}
        for one in self.factors:
            counted[one] = counted.get(one, 0) + 1
        parts = [one if k == 1 else Pow(one, k, evaluate=False) for one, k in counted.items()]
        return parts[0] if len(parts) == 1 else Mul(*parts, evaluate=False)

    @property
    def total(self) -> Expr:
        """The product with its sums around it; the number stands before it."""
        return (
            Sigma(self.body, *((one, S.One, last) for one, last in self.sums))
            if (self.sums)
            else self.body
        )

    def renamed(self, names: Mapping[Expr, Expr]) -> Term:
        """The same term with other letters for indices, all at once."""
        table = dict(names)
        return replace(
            self,
            factors=tuple(one.xreplace(table) for one in self.factors),
            sums=tuple((table.get(one, one), last) for one, last in self.sums),
        )


def terms(expr: Expr) -> tuple[Term, ...]:
    """The terms of an expression, all products of sums multiplied out.

    >>> from symopt.notation import count, given, index
    >>> x, j, J = given("x"), index("j"), count("J")
    >>> len(terms(2 * Sigma(x[j] * (x[j] + 1), (j, 1, J))))
    2

    Raises
    ------
    DerivationError
        For what is no sum of products of entries.
    """
    if isinstance(expr, Add):
        return tuple(found for part in expr.args for found in terms(part))
    if isinstance(expr, Mul):
        return _product(expr.args)
    if isinstance(expr, Sigma) and expr.bounds is not None:
        own = (expr.index, expr.bounds[1])
        return tuple(replace(one, sums=(own, *one.sums)) for one in terms(expr.body))
    if isinstance(expr, FACTORS):
        return (Term(factors=(expr,)),)
    if not expr.has(*FACTORS):
        return (Term(number=expr),) if expr != 0 else ()
    if isinstance(expr, Pow) and isinstance(expr.args[1], Integer) and expr.args[1] > 0:
        return _product((expr.args[0],) * int(expr.args[1]))
    raise DerivationError(f"{unicode(expr)} is no sum of products of entries")


def _product(parts: tuple[Expr, ...]) -> tuple[Term, ...]:
    found: tuple[Term, ...] = (Term(),)
    for part in parts:
        found = tuple(_times(one, other) for one in found for other in terms(part))
    return found


def _times(one: Term, other: Term) -> Term:
    """The product of two terms, the bound indices of the two kept apart."""
    taken = {index for index, _ in one.sums}
    names = {index: _other(index) for index, _ in other.sums if index in taken}
    moved = other.renamed(names)
    return Term(one.number * other.number, (*one.factors, *moved.factors), (*one.sums, *moved.sums))


def _other(index: Index) -> Index:
    return Index(index.spelling.primed, index.facts, **index._assumptions_orig)


def ordered(term: Term, factor: Callable[[Expr], Any], index: Callable[[Index], int]) -> Term:
    """The same term with its factors and its sums in the order of these keys."""
    return replace(
        term,
        factors=tuple(sorted(term.factors, key=factor)),
        sums=tuple(sorted(term.sums, key=lambda pair: index(pair[0]))),
    )
