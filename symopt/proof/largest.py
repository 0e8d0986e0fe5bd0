"""The largest of a group ⇒ a letter: constants before it, positive factors too, one index name."""

from __future__ import annotations

from sympy import Symbol

from symopt.nodes import Largest
from symopt.notation import Index
from symopt.proof.letters import content
from symopt.proof.polynomial import (
    ONE,
    OTHER,
    Letter,
    Monomial,
    Polynomial,
    TooHard,
    minus,
    plus,
    product,
    scaled,
    single,
    times,
)
from symopt.proof.sums import CANONICAL, depth, index_symbol, put, symbol_letter
from symopt.proof.work import Vanishes, Work, depends
from symopt.spelling import Spelling


def largest(expr: Largest, work: Work) -> Polynomial:
    """max (c·f_i + a) ⇒ c·max f_i + a for c > 0, where c and a are the same for all i.

    Raises
    ------
    TooHard
        If there may be none.
    """
    low, high = (work.normal(one) for one in expr.bounds)
    if low != ONE or work.facts.signs(high) != {1}:
        if high.zero:
            raise Vanishes
        raise TooHard(f"the largest of {high.expr} numbers, of which there may be none")
    fresh = index_symbol(f"j#{next(work.names)}")
    body = _within(work, fresh, high).normal(put(expr.body, expr.index, fresh))
    bound = frozenset((fresh,))
    moving = {key: value for key, value in body.terms.items() if _moves(key, bound)}
    alone = Polynomial({key: value for key, value in body.terms.items() if key not in moving})
    if not moving:
        return work.note("the largest of equal ones", expr, alone)
    number, common, _ = content(Polynomial(moving), signed=False)
    kept = [
        (letter, e)
        for letter, e in common
        if not depends(letter, bound) and work.facts.signs(single(letter, e)) == {1}
    ]
    factor = scaled(product(kept), number)
    below = scaled(product((letter, -e) for letter, e in kept), 1 / number)
    inside = times(Polynomial(moving), below)
    name = _index(f"{CANONICAL}{depth(inside.expr) + 1}")
    shown = _within(work, name, high).normal(inside.expr.xreplace({fresh: name}))
    node = Largest(shown.expr, (name, 1, high.expr))
    found = single(Letter(OTHER, f"max[{high.text}]{shown.text}", node))
    return work.note("what is the same for all, apart", expr, plus(times(factor, found), alone))


def _within(work: Work, index: Symbol, high: Polynomial) -> Work:
    return work.within(index, minus(high, single(symbol_letter(index))))


def _moves(monomial: Monomial, bound: frozenset[Symbol]) -> bool:
    return any(depends(letter, bound) for letter, _ in monomial)


def _index(name: str) -> Index:
    return Index(Spelling(name, name, name), ("bound",), integer=True, positive=True)
