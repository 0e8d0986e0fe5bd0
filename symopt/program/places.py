"""Where an entry is kept inside a kernel: an element of an array, or a local number."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sympy import Basic, Expr, Indexed, S, Symbol

from symopt.derivation.system import INPUT, STATE, TEMPORARY, Assignment, System, Variable
from symopt.derivation.times import entries, offset
from symopt.errors import LoweringError
from symopt.notation import Sequence
from symopt.program.ir import Assign, element, local
from symopt.views import rewrite


@dataclass(frozen=True)
class Places:
    """The loop counters, the names of partial sums in blocks, and of arrays beside the rule's.

    Where blocks of arrays have ``views``, by the arrays' names, the counter begins with each block.
    """

    system: System
    counter: Symbol
    example: Symbol
    start: Symbol
    sums: Mapping[Sequence, str]
    arrays: Mapping[Sequence, str]
    views: Mapping[str, str]

    @property
    def in_block(self) -> Expr:
        """The counter, from the beginning of a block."""
        return self.counter if self.views else self.counter - self.start

    def at(self, array: str) -> Indexed:
        """The present element of an array."""
        return element(self.views.get(array, array), self.counter)

    def known(self, sequence: Sequence) -> Variable | None:
        """The variable of a sequence; none for what lowering itself brought in."""
        return next((one for one in self.system.variables if one.sequence == sequence), None)

    def age(self, entry: Indexed) -> int:
        """-1 for a value from before this step's equation for it, else 0."""
        variable = self.known(entry.base)
        if variable is None or variable.role in (INPUT, TEMPORARY):
            return 0
        return offset("", entry, self.system.step) - variable.offset

    def placed(self, expr: Expr, written: Collection[Sequence] = ()) -> Expr:
        """Entries ⇒ elements and locals; ``written`` states no longer hold their old value."""

        def place(node: Basic) -> Basic | None:
            if not isinstance(node, Indexed) or not isinstance(node.base, Sequence):
                return None
            return self._place(node, written)

        return rewrite(expr, place)

    def _place(self, entry: Indexed, written: Collection[Sequence]) -> Expr:
        base = entry.base
        if base in self.sums:
            return element(self.sums[base], self.in_block)
        if base in self.arrays:
            return self.at(self.arrays[base])
        variable = self.known(base)
        if variable is None or variable.role == TEMPORARY:
            return local(base.spelling.python)
        if variable.examples:
            if len(entry.indices) != 2:
                raise LoweringError(
                    f"{self.system.declared.name} reads the gradients of a batch outside of a sum "
                    "over examples; sum them, or take one gradient"
                )
            if variable.name in self.views:
                return self.at(variable.name)
            return element(variable.name, self.example, self.counter)
        if self.age(entry) == -1 and base in written:
            return before(variable)
        return self.at(variable.name)

    def saved(self, assignments: tuple[Assignment, ...]) -> tuple[Assign, ...]:
        """Old values that are read after they have been replaced, copied to locals first."""
        copies: dict[Sequence, Assign] = {}
        replaced: set[Sequence] = set()
        for one in assignments:
            for entry in entries(one.right):
                variable = self.known(entry.base)
                if variable and entry.base in replaced and self.age(entry) == -1:
                    place = element(variable.name, self.counter)
                    copies[entry.base] = Assign(before(variable), place)
            replaced.add(one.target)
        return tuple(copies.values())

    # numbers that are computed once per step

    def scalar_entry(self, node: Basic) -> Basic | None:
        """The local that holds an entry of a scalar sequence."""
        if not isinstance(node, Indexed) or not isinstance(node.base, Sequence):
            return None
        variable = self.known(node.base)
        if variable is None or not variable.scalar:
            return None
        return before(variable) if self.age(node) else now(variable)

    def scalars(
        self, assignments: tuple[Assignment, ...]
    ) -> tuple[tuple[Assign, ...], tuple[Assign, ...]]:
        """Scalar equations in float64: what is read and computed and, at the end, stored."""
        states = [one for one in self.system.of_role(STATE) if one.scalar]
        loads = [Assign(before(one), element(one.name, S.Zero)) for one in states]
        made = [
            Assign(now(variable), rewrite(one.right, self.scalar_entry), note=one.id)
            for one in assignments
            for variable in [self.system.variable(one.target)]
        ]
        stores = [Assign(element(one.name, S.Zero), now(one)) for one in states]
        return (*loads, *made), tuple(stores)


def before(variable: Variable) -> Symbol:
    """The local that holds the value from before the step."""
    return local(f"{variable.name}_before")


def now(variable: Variable) -> Symbol:
    """The local that holds a scalar's value at this step."""
    return local(f"{variable.name}_now" if variable.role == STATE else variable.name)
