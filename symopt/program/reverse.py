"""Adjoint equations ⇒ the nodes of a kernel: its loop, and the numbers before and after it."""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Add, Basic, Expr, Indexed, Mul, S

from symopt.derivation.system import Assignment, System
from symopt.derivation.times import entries
from symopt.derivation.update_gradient import (
    Adjoint,
    UpdateGradient,
    dL,
)
from symopt.nodes import Gradient
from symopt.program.accurate import accurate
from symopt.program.average import average_form
from symopt.program.blocks import in_views, over_all, partial_sum, without_sums
from symopt.program.halves import in_roots
from symopt.program.hoist import Numbers, hoist
from symopt.program.ir import (
    SCALAR_STATE,
    Assign,
    Call,
    Node,
    element,
    local,
)
from symopt.program.letters import Letters
from symopt.program.lower import places_in
from symopt.program.share import share
from symopt.program.supported import check_supported
from symopt.views import canonical, rewrite

TOTAL = "_total"


class Reverse:
    """One kernel of adjoints in the making."""

    def __init__(self, system: System, found: UpdateGradient) -> None:
        self.system = system
        self.found = found
        self.letters = Letters(system, found)
        self.adjoints = (*found.made, *found.sources)
        made = tuple(average_form(one) for one in found.assignments)
        self.scalar = tuple(one for one in made if self.letters.number(one.left))
        self.moving = tuple(one for one in made if one not in self.scalar)
        # numbers after the loop are computed in float64, from hyperparameters as they came
        self.numbers = Numbers(self.letters.taken, suffix="_real" if self.scalar else "")
        self.gathered: list[tuple[Expr, Expr]] = []

    def nodes(self) -> tuple[tuple[Assign, ...], tuple[Node, ...]]:
        """The numbers before the loop, and the loop with the numbers after it."""
        body = self._body()
        return self._before(), (*body, *self._after())

    # the loop

    def _body(self) -> tuple[Node, ...]:
        """The loop over elements, in blocks where something is summed."""
        letters = self.letters
        common, each = self._of_examples()
        outputs = (*common, *self._outputs(), *self._terms())
        needed = [one.right for one in each]
        live = _live((*self._new_values(), *self._adjoints(), *outputs), len(outputs), needed)
        shared, extra = share(live, self.system.step, frozenset(letters.taken))
        letters.taken |= {one.spelling.python for one in extra}
        sums, plain = without_sums(self.system, shared, letters.taken)
        scratch = {one.target: one.target.spelling.python for one in sums} | letters.scratch
        blocks = bool(scratch or each)
        views = letters.views() if blocks else {}
        self.places = places_in(self.system, letters.taken, scratch, letters.arrays, views)
        added = tuple(partial_sum(self.places, self.numbers, one) for one in sums)
        lines = tuple(self._line(one) for one in plain)
        per_example = tuple(self._line(one) for one in each)
        if not blocks:
            return (over_all(self.places, lines),)
        calls = tuple(self._gathering(of, entry) for of, entry in self.gathered)
        rows = letters.rows()
        return in_views(self.places, self.numbers, added, lines, per_example, calls, rows)

    def _new_values(self) -> Iterable[Assignment]:
        """The step's own equations, new values of states under names of their own."""
        for one in self.moving:
            left = self.letters.moving.get(canonical(one.left), canonical(one.left))
            yield Assignment(one.id, left, self.letters.in_loop(one.right))

    def _adjoints(self) -> Iterable[Assignment]:
        """The adjoints of new values, but for those that are handed in as they are."""
        for one in self.found.made:
            if not self.letters.number(one.of):
                left = self.letters.moving[canonical(dL(one.of))]
                if left != one.handed:
                    yield Assignment(one.id, left, self._value(one))

    def _outputs(self) -> tuple[Assignment, ...]:
        """The adjoints of old values and inputs, each with an array of its own."""
        return tuple(
            Assignment(one.id, self.letters.moving[canonical(dL(one.of))], self._value(one))
            for one in self.found.sources
            if not self.letters.number(one.of) and not _of_example(one.of)
        )

    def _terms(self) -> tuple[Assignment, ...]:
        """What each element adds to the adjoint of a number."""
        found = []
        for one in self.adjoints:
            terms = [share.value for share in one.shares if share.gathered]
            if terms:
                entry = self.letters.terms(one.of)
                self.gathered.append((one.of, entry))
                found.append(Assignment(one.id, entry, self._in_loop(_added(terms))))
        return tuple(found)

    def _of_examples(self) -> tuple[tuple[Assignment, ...], tuple[Assignment, ...]]:
        """The gradients of examples: what they have in common, and each of them."""
        common, each = [], []
        for one in self.adjoints:
            if not _of_example(one.of):
                continue
            terms = []
            for part in one.shares:
                entry = self.letters.common(f"d{one.of.base.spelling.python}_common")
                common.append(Assignment(part.id, entry, self._in_loop(part.outer)))
                inner = self._in_loop(part.inner)
                whole = entry if inner == 1 else Mul(inner, entry, evaluate=False)
                terms.append(whole)
            left = self.letters.moving[canonical(dL(one.of))]
            each.append(Assignment(one.id, left, _added(terms)))
        return tuple(common), tuple(each)

    def _value(self, one: Adjoint) -> Expr:
        handed = [one.handed] if one.handed is not None else []
        return self._in_loop(_added([*handed, *(share.value for share in one.shares)]))

    def _in_loop(self, expr: Expr) -> Expr:
        return in_roots(self.letters.in_loop(expr))

    def _line(self, one: Assignment) -> Assign:
        name = one.target.spelling.python
        check_supported(one.id, one.right)
        right = rewrite(one.right, self.places.scalar_entry)
        value = self.places.placed(hoist(right, self.numbers, name))
        target = self.places.at(name) if _of_example(one.left) else self.places.placed(one.left)
        return Assign(target, value, note=one.id)

    def _gathering(self, of: Expr, entry: Expr) -> Call:
        count = Add(local("stop"), Mul(-1, self.places.start, evaluate=False), evaluate=False)
        name = local(entry.base.spelling.python)
        return Call(TOTAL, (name, count), (self.letters.totals[of],), ("+",))

    # numbers

    def _before(self) -> tuple[Assign, ...]:
        """Scalars in float64, totals as they begin, and the numbers of the loop."""
        loads, _ = self.places.scalars(self.scalar)
        begun = [
            Assign(
                total, element(one.handed.base.spelling.python, S.Zero) if one.handed else S.Zero
            )
            for one in self.adjoints
            for total in [self.letters.totals.get(one.of)]
            if total is not None
        ]
        scalars = loads if self.scalar else ()
        return (*scalars, *begun, *self.numbers.assignments())

    def _after(self) -> tuple[Assign, ...]:
        """What goes through scalars, in float64, and the adjoints of scalar states stored."""
        found = []
        for one in self.adjoints:
            total = self.letters.totals.get(one.of)
            if total is None:
                continue
            for part in one.shares:
                if not part.gathered:
                    value = accurate(rewrite(part.value, self._scalar))
                    found.append(Assign(total, value, augment="+", note=part.id, wide=True))
        outputs = {name: one.name for name, one in self.letters.results if one.kind == SCALAR_STATE}
        for one in self.found.sources:
            name = one.of.base.spelling.python if isinstance(one.of, Indexed) else ""
            if name in outputs:
                total = self.letters.totals[one.of]
                found.append(Assign(element(outputs[name], S.Zero), total, wide=True))
        return tuple(found)

    def _scalar(self, node: Basic) -> Basic | None:
        if isinstance(node, Gradient):
            return self.letters.totals[canonical(node.variable)]
        return self.places.scalar_entry(node)


def _of_example(letter: Expr) -> bool:
    return isinstance(letter, Indexed) and len(letter.indices) > 1


def _added(terms: list[Expr]) -> Expr:
    if len(terms) < 2:
        return terms[0] if terms else S.Zero
    return Add(*terms, evaluate=False)


def _live(
    found: tuple[Assignment, ...], outputs: int, needed: Iterable[Expr]
) -> tuple[Assignment, ...]:
    """The assignments without those that nothing reads; the last ones are outputs."""
    read = {entry for expr in needed for entry in entries(expr)}
    kept: list[Assignment] = []
    for place, one in reversed(list(enumerate(found))):
        if place >= len(found) - outputs or one.left in read:
            kept.append(one)
            read |= set(entries(one.right))
    return tuple(reversed(kept))
