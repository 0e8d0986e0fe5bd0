"""Deltas that pick out a labelled element: δ_il is 1 at the label, and 0 at all others.

A letter that depends on the element through deltas alone has two values, and a sum of it needs no
sweep: Σ q ⇒ q_l + (K − 1)·q elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sympy import Add, Basic, Equality, Expr, Indexed, KroneckerDelta, Mul, Pow, S

from symopt.calculus.adjoints import Definition
from symopt.derivation.times import entries
from symopt.nodes import Sigma
from symopt.notation import Count, Hyperparameter, Index, Label, Sequence, Statistic, sequence
from symopt.views import canonical, occurrences, rewrite


class Choice(Expr):
    """One number where two whole ones are equal, and another where they are not."""

    is_commutative = True
    is_real = True
    __slots__ = ()

    @property
    def when(self) -> Equality:
        """The two whole numbers."""
        return self.args[0]

    @property
    def there(self) -> Expr:
        """The number where they are equal."""
        return self.args[1]

    @property
    def elsewhere(self) -> Expr:
        """The number where they are not."""
        return self.args[2]


class SumByLabel(Expr):
    """What two values add up to over a group: a number that is computed once."""

    is_commutative = True
    is_real = True
    __slots__ = ()

    @property
    def value(self) -> Expr:
        """The sum, written out."""
        return self.args[0]


class InHalf(Expr):
    """A whole number in 32 bits: as many are compared at once as there are float32 numbers."""

    is_commutative = True
    is_integer = True
    __slots__ = ()


def with_hits(
    definitions: Iterable[Definition], exprs: Iterable[Expr], index: Index
) -> tuple[tuple[Definition, ...], tuple[Expr, ...]]:
    """The same with δ_il as the entry of a computed letter, whose equation says when it is 1."""
    several, shown = tuple(definitions), tuple(exprs)
    found = {
        delta: None
        for expr in (*(one.written for one in several), *shown)
        for delta in occurrences(expr, KroneckerDelta)
        if any(isinstance(one, Label) for one in delta.args)
    }
    letters = {delta: _letter(delta)[index] for delta in found}
    made = tuple(
        Definition("", entry, delta, index, written=Equality(index, _label(delta), evaluate=False))
        for delta, entry in letters.items()
    )

    def change(node: Basic) -> Basic | None:
        return letters.get(node)

    changed = (*made, *(replace(one, written=rewrite(one.written, change)) for one in several))
    several, shown = changed, tuple(rewrite(one, change) for one in shown)
    return with_two_values(several, shown) if len(made) == 1 else (several, shown)


def with_two_values(
    definitions: tuple[Definition, ...], exprs: tuple[Expr, ...]
) -> tuple[tuple[Definition, ...], tuple[Expr, ...]]:
    """Letters that depend on one delta alone ⇒ choices; sums of them ⇒ what two values add up to.

    Labels are checked before a kernel runs, so one of the elements is the labelled one.
    """
    hit = next(one for one in definitions if isinstance(one.written, Equality))
    there, elsewhere = {hit.letter.base: S.One}, {hit.letter.base: S.Zero}
    found = []

    def summed(node: Basic) -> Basic | None:
        if not isinstance(node, Sigma) or node.bounds is None or node.bounds[0] != 1:
            return None
        read = {one.base for one in entries(node.body)}
        if not read or read - {*there} or node.body.has(Statistic):
            return None
        others = Add(node.bounds[1], S.NegativeOne, evaluate=False)
        each = _valued(node.body, elsewhere)
        rest = Mul(others, each, evaluate=False)
        return SumByLabel(Add(_valued(node.body, there), rest, evaluate=False))

    for one in definitions:
        written = rewrite(one.written, summed)
        read = {entry.base for entry in entries(written)}
        if one.index is not None and read and not read - {*there} and not written.has(Sigma):
            base = one.letter.base
            there[base], elsewhere[base] = _valued(written, there), _valued(written, elsewhere)
            written = Choice(hit.written, there[base], elsewhere[base])
        found.append(replace(one, written=written))
    return tuple(found), tuple(rewrite(one, summed) for one in exprs)


def _valued(expr: Expr, values: Mapping[Sequence, Expr]) -> Expr:
    """An expression with values put in for entries, and what then is 0 or 1 left out.

    0·x is left out only where x is surely finite, for 0·∞ is no number.
    """

    def change(node: Basic) -> Basic | None:
        if isinstance(node, Indexed):
            return values.get(node.base)
        if isinstance(node, Add | Mul):
            parts = [rewrite(part, change) for part in node.args]
            return _added(parts) if isinstance(node, Add) else _multiplied(parts)
        return None

    changed: Expr = rewrite(expr, change)
    return changed


def _added(terms: list[Expr]) -> Expr:
    kept = [one for one in terms if one != 0]
    if not kept or all(one.is_Number for one in map(canonical, kept)):
        return canonical(Add(*kept))
    return kept[0] if len(kept) == 1 else Add(*kept, evaluate=False)


def _multiplied(factors: list[Expr]) -> Expr:
    kept = [one for one in factors if one != 1]
    if S.Zero in kept and all(map(_finite, kept)):
        return S.Zero
    if not kept or all(one.is_Number for one in kept):
        return Mul(*kept)
    return kept[0] if len(kept) == 1 else Mul(*kept, evaluate=False)


def _finite(expr: Expr) -> bool:
    """Whether sums, products and powers of finite numbers are all that is in an expression."""
    if isinstance(expr, Pow):
        return _finite(expr.args[0]) and bool(expr.args[1].is_Integer and expr.args[1] > 0)
    if isinstance(expr, Add | Mul):
        return all(map(_finite, expr.args))
    return isinstance(expr, Hyperparameter | Count) or bool(expr.is_Number and expr.is_finite)


def _label(delta: Expr) -> Label:
    (found,) = (one for one in delta.args if isinstance(one, Label))
    return found


def _letter(delta: Expr) -> Sequence:
    name = f"is_{_label(delta).spelling.python}"
    return sequence("h", python=name, latex="h", unicode="h")
