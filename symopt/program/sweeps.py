"""Sums over a group ⇒ sweeps over its elements, as few as their dependence allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from sympy import Basic, Equality, Expr, Pow, S, Symbol

from symopt.calculus.adjoints import Definition
from symopt.derivation.times import entries
from symopt.errors import LoweringError
from symopt.nodes import Largest, Sigma
from symopt.notation import Index, Sequence
from symopt.printing.unicode import unicode
from symopt.program.hits import Choice, SumByLabel
from symopt.program.hoist import Numbers, hoist
from symopt.program.ir import Assign, Call, Fault, Node, RowFunction, local
from symopt.program.labelled import in_halves
from symopt.program.layout import Layout
from symopt.program.randomness import Source
from symopt.program.rows import along_row, changed, in_block
from symopt.program.supported import check_supported
from symopt.views import canonical, occurrences, rewrite

# elements of a row that are summed in the arrays' dtype before float64 takes over
BLOCK = 1024
# what a sum and a largest start from
NOTHING = {"+": S.Zero, "max": S.NegativeInfinity}


@dataclass(frozen=True)
class Sum:
    """What is added to ``target`` for each element: a total of the group, or a learned letter's.

    Where the largest is wanted in place of the sum, ``combine`` is ``max``. A target with a place
    along the row is added to in place, element by element.
    """

    id: str
    target: Expr
    body: Expr
    combine: str = "+"


@dataclass
class Group:
    """One kernel in the making: what is computed for one group, and the numbers that it takes.

    ``computed`` holds the definitions of letters that each element has; ``totals`` the sums that
    are known already, by what they sum; ``faults`` the equations that may divide by zero, each
    with the divisor; ``letters_of`` what the locals of a group stand for; ``sources`` the random
    letters.
    """

    layout: Layout
    index: Index
    computed: Mapping[Sequence, Definition]
    numbers: Numbers
    kernel: str
    totals: dict[Expr, Symbol] = field(default_factory=dict)
    rows: list[RowFunction] = field(default_factory=list)
    faults: list[tuple[str, Expr]] = field(default_factory=list)
    pending: list[Node] = field(default_factory=list)
    letters_of: dict[Expr, Expr] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()

    # sums

    def body_of(self, total: Sigma | Largest) -> Expr:
        """What a sum adds up, under the index of the layer."""
        return rewrite(total.body, {total.index: self.index}.get)

    def fresh(self, exprs: Iterable[tuple[str, Expr]]) -> tuple[Sum, ...]:
        """The sums in some expressions that have no total yet, each given one."""
        found = []
        for id, expr in exprs:
            for total in occurrences(expr, Sigma, Largest):
                body = self.body_of(total)
                if body.has(Sigma, Largest):
                    raise LoweringError(
                        f"{id} has a sum inside of {unicode(total)}, for which no kernel is "
                        "written; give the inner sum an equation of its own"
                    )
                key = self.key(total)
                if key not in self.totals:
                    name = "largest" if isinstance(total, Largest) else "total"
                    self.totals[key] = local(self.free(f"{name}_{len(self.totals) + 1}"))
                    self.letters_of[self.totals[key]] = total
                    combine = "max" if isinstance(total, Largest) else "+"
                    found.append(Sum(id, self.totals[key], body, combine))
        return tuple(found)

    def key(self, total: Sigma | Largest) -> Expr:
        """By what a total is known: the same whatever its index is called."""
        return total.func(canonical(self.body_of(total)), (self.index, S.One, S.One))

    def free(self, name: str) -> str:
        """A name that is not taken."""
        while name in self.numbers.taken:
            name += "_"
        self.numbers.taken.add(name)
        return name

    def free_in_row(self, name: str) -> str:
        """A name that is not taken, for use in a function of one row alone."""
        while name in self.numbers.taken:
            name += "_"
        return name

    def with_totals(self, expr: Expr) -> Expr:
        """Sums ⇒ their totals, letters ⇒ their values in the present group."""

        def change(node: Basic) -> Basic | None:
            if isinstance(node, SumByLabel):
                return self._by_label(node)
            return self.totals[self.key(node)] if isinstance(node, Sigma | Largest) else None

        return self.layout.letters_in_group(rewrite(expr, change))

    def _by_label(self, node: SumByLabel) -> Symbol:
        """The local for a sum that two values tell."""
        if node not in self.totals:
            self.totals[node] = local(self.free(f"total_{len(self.totals) + 1}"))
            self.pending.append(Assign(self.totals[node], node.value, wide=True))
        return self.totals[node]

    # nodes

    def swept(self, sums: tuple[Sum, ...]) -> tuple[Node, ...]:
        """One sweep over the elements of the group that gathers all these sums."""
        zeros = [
            Assign(one.target, NOTHING[one.combine], wide=True)
            for one in sums
            if isinstance(one.target, Symbol)
        ]
        row = self.layout.row
        along = [one for one in self.layout.axes.averaged if one != row]
        inner = self._by_row(sums) if row else self._by_element(sums)
        return (*self.settled(), *zeros, *self.layout.loops(along, inner))

    def _by_element(self, sums: tuple[Sum, ...]) -> tuple[Node, ...]:
        lines = self.letters([one.body for one in sums])
        added = [Assign(one.target, self.term(one), one.combine, note=one.id) for one in sums]
        return (*lines, *added)

    def _by_row(self, everything: tuple[Sum, ...]) -> tuple[Node, ...]:
        counter = self.layout.counters[self.layout.row]
        sums = tuple(one for one in everything if not one.target.has(counter))
        parts = tuple(local(f"part_{k}") for k in range(1, len(sums) + 1))
        gathered = dict(zip(sums, parts, strict=True))
        body = [
            *self.letters([one.body for one in everything]),
            *(
                Assign(gathered.get(one, one.target), self.term(one), one.combine, note=one.id)
                for one in everything
            ),
        ]
        inside = {counter, *parts, *(one.target for one in body)}
        arrays: dict[str, Expr] = {}
        numbers: dict[str, Expr] = {}
        change = partial(along_row, counter, inside, arrays, numbers)
        lines = tuple(map(partial(changed, change), body))
        places: dict[str, str] = {}
        if not arrays and any(one.value.has(counter) for one in lines):
            # of the labels alone, which stand in no row
            return self.layout.loops([self.layout.row], self._by_element(sums))
        if not arrays:
            raise LoweringError(
                f"{sums[0].id} sums what is the same for every element, for which no kernel is "
                "written; multiply by the number of elements"
            )
        name = f"_{self.kernel}_sums" + (f"_{len(self.rows) + 1}" if self.rows else "")
        kinds = tuple(one.combine for one in sums)
        blocks = {one: self.free_in_row(f"{one}_block") for one in arrays}
        change = partial(in_block, counter, blocks)
        halves = in_halves(lines, counter, places, self.free_in_row)
        of_block = tuple(map(partial(changed, change), halves))
        row = RowFunction(
            name,
            tuple(arrays),
            tuple(blocks.values()),
            tuple(numbers),
            parts,
            kinds,
            counter,
            of_block,
            tuple((place, label) for label, place in places.items()),
        )
        self.rows.append(row)
        passed = (*arrays.values(), *numbers.values())
        return (Call(name, passed, tuple(one.target for one in sums), kinds),)

    def term(self, one: Sum) -> Expr:
        """What one element adds."""
        check_supported(one.id, one.body)
        return self.at_element(one.id, one.body, str(one.target).partition("[")[0])

    def at_element(self, id: str, expr: Expr, hint: str) -> Expr:
        """An expression at one element, all that the group shares taken out of it."""
        hoisted = hoist(self.with_totals(expr), self.numbers, hint)
        for one in self.numbers.drained():
            self.pending += [*self.watched(id, one.value), one]
        return self.layout.placed(hoisted, self.computed)

    def letters(self, exprs: Iterable[Expr]) -> tuple[Assign, ...]:
        """The computed letters that are read at one element, each by its equation."""
        needed: set[Sequence] = set()
        waiting = [entry.base for expr in exprs for entry in entries(expr)]
        while waiting:
            base = waiting.pop()
            if base in self.computed and base not in needed:
                needed.add(base)
                waiting += [entry.base for entry in entries(self.computed[base].written)]
        found = []
        for base, one in self.computed.items():
            name = base.spelling.python
            if base in needed and isinstance(one.written, Equality):
                found.append(Assign(local(name), self._hit(one.written), cast=True))
            elif base in needed and isinstance(one.written, Choice):
                found.append(Assign(local(name), self._choice(one, name), note=one.id))
            elif base in needed:
                check_supported(one.id, one.written)
                value = self.at_element(one.id, one.written, name)
                found.append(Assign(local(name), value, note=one.id))
        return tuple(found)

    def _choice(self, one: Definition, name: str) -> Choice:
        """The two numbers of a letter that a label alone decides."""
        several = zip(one.written.args[1:], (f"{name}_labelled", f"{name}_other"), strict=True)
        numbers = [self.numbers.name(self.with_totals(expr), hint) for expr, hint in several]
        for number in self.numbers.drained():
            self.pending += [*self.watched(one.id, number.value), number]
        return Choice(self._hit(one.written.args[0]), *numbers)

    def _hit(self, when: Equality) -> Expr:
        """Whether the present element is the labelled one; labels count from 0, as counters do."""
        averaged = self.layout.axes.averaged
        if len(averaged) != 1:
            raise LoweringError(
                f"the label {unicode(when.rhs)} picks one of the elements along "
                f"{' and '.join(averaged)}; let the group extend over a single axis, such as C"
            )
        counter = self.layout.counters[averaged[0]]
        return Equality(counter, self.layout.letters_in_group(when.rhs), evaluate=False)

    def settled(self) -> tuple[Node, ...]:
        """The numbers that were taken out of elements since the last call, divisors watched."""
        found, self.pending = tuple(self.pending), []
        return found

    def watched(self, id: str, value: Expr) -> tuple[Fault, ...]:
        """A fault for each divisor in a number of the group that depends on data."""
        found = []
        for power in occurrences(value, Pow):
            divisor = rewrite(power.base, self.letters_of.get)
            known = any(divisor == other for _, other in self.faults)
            if power.exp.is_negative and divisor != power.base and not known:
                self.faults.append((id, divisor))
                group = self.layout.of(self.layout.axes.kept)
                found.append(Fault(_without_root(power.base), len(self.faults), group))
        return tuple(found)


def _without_root(divisor: Expr) -> Expr:
    """√z ⇒ z, which is 0 where its root is, and needs no root to be looked at."""
    if isinstance(divisor, Pow) and divisor.exp == S.Half:
        return _without_root(divisor.base)
    return divisor
