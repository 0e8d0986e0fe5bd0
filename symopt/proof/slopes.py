"""Gradients by the letters of a chain as plain sums: forward, one letter moved and all after it.

Adjoints go backward through the equations; nothing of them is used here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from sympy import (
    Abs,
    Basic,
    Derivative,
    DiracDelta,
    Dummy,
    Eq,
    Expr,
    Heaviside,
    Indexed,
    IndexedBase,
    Max,
    Min,
    Piecewise,
    Product,
    S,
    Subs,
    Sum,
    Symbol,
    ceiling,
    floor,
    sign,
)

from symopt.calculus.adjoints import Definition
from symopt.nodes import Gradient
from symopt.proof.definitions import bare, recurrent
from symopt.proof.node_values import OPAQUE
from symopt.proof.unfolding import Names, Unclear, at, plain

# where one of these has a kink, its slope is a matter of taste
_KINKS = (Abs, Max, Min, sign, Heaviside, DiracDelta, Piecewise, floor, ceiling, Product)


@dataclass(frozen=True)
class Slope:
    """A derivative by x at ``here``: ``everywhere``, and more where x itself is at that place."""

    everywhere: Expr = S.Zero
    there: Mapping[Basic, Expr] = field(default_factory=dict)

    def plus(self, other: Slope, factor: Expr) -> Slope:
        """This and some multiple of another one."""
        there = dict(self.there)
        for place, value in other.there.items():
            there[place] = there.get(place, S.Zero) + factor * value
        return Slope(self.everywhere + factor * other.everywhere, there)


def without_gradients(
    expr: Basic, equations: Sequence[Definition], names: Names | None = None
) -> Basic:
    """An expression in plain form with dL/d(letter) in terms of that by the last letter.

    The loss depends on the last letter that the equations define, and on nothing else; the
    gradient by that is a letter, or a sequence of some.

    Raises
    ------
    Unclear
        For a loss without equations, what has kinks, letters with several indices.
    """
    names = names or count()
    if isinstance(expr, Gradient):
        return _total(expr, equations, names)
    if not expr.args or not expr.has(Gradient):
        return expr
    if isinstance(expr, Sum):
        return expr.func(without_gradients(expr.args[0], equations, names), *expr.args[1:])
    return expr.func(*(without_gradients(part, equations, names) for part in expr.args))


def _total(node: Gradient, equations: Sequence[Definition], names: Names) -> Expr:
    several = [Eq(one.letter, one.value, evaluate=False) for one in equations]
    if not equations or node.loss.args or recurrent(several):
        raise Unclear("a loss of which nothing is known")
    letter, output = node.variable, equations[-1].letter
    if bare(letter) == bare(output):
        return _given(letter)
    here = Symbol(f"here~{next(names)}", integer=True, positive=True)
    size = _size(equations, names)
    after = tuple(one for one in equations if bare(one.letter) != bare(letter))
    run = _Run(bare(letter), isinstance(letter, Indexed), here, size, after, names)
    if isinstance(output, Indexed):
        k = Symbol(f"k~{next(names)}", integer=True, positive=True)
        whole: Expr = Sum(_given(output.base[k]) * output.base[k], (k, 1, size))
    else:
        whole = _given(output) * output
    found = run.slope(whole)
    if found.there:
        raise Unclear("a letter at a place that no sum runs over")
    if not isinstance(letter, Indexed):
        return found.everywhere
    if len(letter.indices) != 1 or not isinstance(letter.indices[0], Symbol):
        raise Unclear(f"the gradient by {letter}")
    return found.everywhere.xreplace({here: letter.indices[0]})


def _given(letter: Basic) -> Expr:
    """The gradient by the last letter, as a letter."""
    if isinstance(letter, Indexed):
        return IndexedBase(f"dL/d{letter.base}", real=True)[letter.indices]
    return Symbol(f"dL/d{letter}", real=True)


@dataclass(frozen=True)
class _Run:
    """The slopes of all that follows from one letter."""

    target: Basic
    several: bool
    here: Symbol
    size: Expr
    equations: tuple[Definition, ...]
    names: Names

    def slope(self, expr: Expr) -> Slope:
        """The derivative of an expression by the target."""
        if expr.has(*_KINKS) or expr.has(*OPAQUE):
            raise Unclear("a slope at a kink")
        parts = dict.fromkeys(_outermost(expr))
        marks = {one: Dummy(real=True) for one in parts}
        marked = expr.xreplace(marks)
        back = {mark: one for one, mark in marks.items()}
        found = Slope()
        for one, mark in marks.items():
            inner = self._of_part(one)
            if inner != Slope():
                found = found.plus(inner, _slope(marked, mark).xreplace(back))
        return found

    def _of_part(self, part: Expr) -> Slope:
        if isinstance(part, Sum):
            return self._of_sum(part)
        if bare(part) == self.target:
            if not self.several:
                return Slope(S.One)
            if not isinstance(part, Indexed) or len(part.indices) != 1:
                raise Unclear(f"{part} beside letters with an index")
            return Slope(there={part.indices[0]: S.One})
        for one in self.equations:
            if bare(one.letter) == bare(part):
                place = part.indices[0] if isinstance(part, Indexed) else None
                equation = Eq(one.letter, one.value, evaluate=False)
                return self._without(one).slope(at(equation, place, self.names))
        return Slope()

    def _of_sum(self, part: Sum) -> Slope:
        if len(part.args) != 2:
            raise Unclear("several sums at once")
        body, (index, low, high) = part.args
        inner = self.slope(body)
        found = Slope()
        if inner.everywhere != 0:
            found = Slope(Sum(inner.everywhere, (index, low, high)))
        for place, value in inner.there.items():
            if place == index:
                if low != 1 or high != self.size:
                    raise Unclear(f"a sum from {low} to {high}")
                found = found.plus(Slope(value.xreplace({index: self.here})), S.One)
            elif place.has(index):
                raise Unclear(f"a sum over the place {place}")
            else:
                one = Slope(there={place: Sum(value, (index, low, high))})
                found = found.plus(one, S.One)
        return found

    def _without(self, one: Definition) -> _Run:
        """The same without an equation, so that what goes round comes to an end."""
        return replace(self, equations=tuple(other for other in self.equations if other != one))


def _size(equations: Sequence[Definition], names: Names) -> Expr:
    """How many letters of each kind there are: as many as any sum over them has terms."""
    sizes = {one.size for one in equations if one.index is not None}
    sizes |= {
        limit[2]
        for one in equations
        for total in plain(one.value, names).atoms(Sum)
        for limit in total.args[1:]
    }
    if len(sizes) > 1:
        raise Unclear("sums of several lengths")
    return next(iter(sizes), S.One)


def _slope(expr: Expr, letter: Dummy) -> Expr:
    found = expr.diff(letter)
    if found.has(Derivative, Subs, *_KINKS):
        raise Unclear("a slope that SymPy does not know")
    return found


def _outermost(expr: Basic) -> Iterator[Expr]:
    """Letters, entries and sums, none inside of another."""
    if isinstance(expr, Sum | Indexed | Symbol):
        yield expr
    else:
        for part in expr.args:
            yield from _outermost(part)
