"""Products over an index ⇒ letters, the last factors apart."""

from __future__ import annotations

from fractions import Fraction

from sympy import Product

from symopt.proof.letters import content
from symopt.proof.polynomial import (
    ONE,
    OTHER,
    Letter,
    Polynomial,
    constant,
    minus,
    scaled,
    single,
    times,
)
from symopt.proof.powers import power
from symopt.proof.sums import (
    CANONICAL,
    bounds,
    counted_from_1,
    depth,
    index_symbol,
    put,
    reciprocal,
    symbol_letter,
)
from symopt.proof.work import Work, depends


def repeated(expr: Product, work: Work) -> Polynomial:
    """The normal form of a product over an index: its factors apart, its last ones too."""
    body, *limits = expr.args
    if len(limits) > 1:
        body = Product(body, *limits[:-1])
    index, low, high = bounds(limits[-1])
    fresh, inside, size, shift = counted_from_1(body, index, low, high, work)
    found = ONE
    if not size.zero:
        inner = work.within(fresh, minus(size, single(symbol_letter(fresh))))
        form = inner.normal(inside)
        bound = frozenset((fresh,))
        value, monomial, rest = content(form, signed=False)
        found = power(constant(value), size, work)
        factors = [(single(letter), e) for letter, e in monomial]
        factors += [(rest, Fraction(1))] * (rest != ONE)
        for one, e in factors:
            if any(depends(letter, bound) for letter in one.letters()):
                name = index_symbol(f"{CANONICAL}{depth(one.expr) + 1}")
                shown = Product(one.expr.xreplace({fresh: name}), (name, 1, size.expr))
                found = times(found, single(Letter(OTHER, str(shown), shown), e))
            else:
                found = times(found, power(one, scaled(size, e), work))
    for k in range(1, shift + 1):
        found = times(found, work.normal(put(inside, fresh, size.expr + k)))
    for k in range(shift + 1, 1):
        gone = work.normal(put(inside, fresh, size.expr + k))
        work.needs(gone)
        found = times(found, reciprocal(gone))
    return work.note("last factors apart", expr, found)
