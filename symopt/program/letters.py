"""Names for adjoints: which array or local holds dL/d(letter) inside a kernel."""

from __future__ import annotations

from sympy import Basic, Expr, Indexed, Symbol

from symopt.derivation.system import INPUT, PARAMETER, STATE, TEMPORARY, System, Variable
from symopt.derivation.update_gradient import Adjoint, UpdateGradient, dL
from symopt.errors import LoweringError
from symopt.nodes import Gradient
from symopt.notation import Sequence, sequence
from symopt.program.blocks import free
from symopt.program.ir import ARRAY, BATCH, SCALAR_STATE, Argument, local
from symopt.program.lower import names_in_use
from symopt.views import canonical, rewrite


class Letters:
    """The letters of one kernel of adjoints.

    ``arrays`` and ``scratch`` say where letters are kept, ``moving`` what stands for an entry or
    its adjoint in the loop, ``totals`` which local gathers the adjoint of a number.
    """

    def __init__(self, system: System, found: UpdateGradient) -> None:
        self.system = system
        self.taken = names_in_use(system)
        self.arrays: dict[Sequence, str] = {}
        self.scratch: dict[Sequence, str] = {}
        self.moving: dict[Expr, Expr] = {}
        self.totals: dict[Expr, Symbol] = {}
        self.handed: list[tuple[str, Argument]] = []
        self.results: list[tuple[str, Argument]] = []
        for one in found.made:
            self._hand_in(one)
        for one in found.made:
            self._make(one)
        for one in found.sources:
            self._give_out(one)

    def variable(self, base: Sequence) -> Variable | None:
        """The variable of a letter; none for the point at which the gradient is taken."""
        return next((one for one in self.system.variables if one.sequence == base), None)

    def number(self, letter: Expr) -> bool:
        """Whether a letter is one number for all elements."""
        if not isinstance(letter, Indexed):
            return True
        known = self.variable(letter.base)
        return known is not None and known.scalar

    def rows(self) -> tuple[str, ...]:
        """The arrays with a row for each example: gradients, and their adjoints."""
        given = [one.name for one in self.system.variables if one.examples]
        return (*given, *(one.name for _, one in self.results if one.kind == BATCH))

    def views(self) -> dict[str, str]:
        """Names for a block of each array."""
        given = [one.name for one in self.system.variables if one.role != TEMPORARY]
        handed = [one.name for _, one in (*self.handed, *self.results)]
        return {name: free(f"{name}_block", self.taken) for name in (*given, *handed)}

    def letter(self, name: str) -> Expr:
        """A new letter of the loop, under this name or one like it."""
        return sequence("s", python=free(name, self.taken))[self.system.step]

    def terms(self, of: Expr) -> Expr:
        """What each element of a block adds to the adjoint of a number."""
        entry = self.letter(f"{self.totals[of]}_terms")
        self.scratch[entry.base] = entry.base.spelling.python
        return entry

    def common(self, name: str) -> Expr:
        """What the gradients of all examples have in common, kept for a block."""
        entry = self.letter(name)
        self.scratch[entry.base] = entry.base.spelling.python
        return entry

    def in_loop(self, expr: Expr) -> Expr:
        """Entries and adjoints ⇒ the letters of the loop."""

        def change(node: Basic) -> Basic | None:
            if isinstance(node, Gradient):
                return self.moving[canonical(node)]
            if isinstance(node, Indexed) and isinstance(node.base, Sequence):
                entry = canonical(node)
                return self.moving.get(entry, entry)
            return None

        return rewrite(expr, change)

    def _hand_in(self, one: Adjoint) -> None:
        """An argument for what later steps hand in, under a name that its user sees."""
        if one.handed is None:
            return
        name, letter = one.handed.base.spelling.python, one.of.base.spelling.python
        if name in self.taken:
            raise LoweringError(
                f"{self.system.declared.name} has symbols with the Python names {letter} and "
                f"{name}, but {name} is what the adjoint of {letter} is called; rename one with "
                "python='…'"
            )
        self.taken.add(name)
        self.arrays[one.handed.base] = name
        kind = SCALAR_STATE if self.number(one.of) else ARRAY
        self.handed.append((letter, Argument(name, kind)))

    def _make(self, one: Adjoint) -> None:
        name = one.of.base.spelling.python
        kept = self.variable(one.of.base)
        lasting = kept is not None and kept.role in (PARAMETER, STATE)
        if self.number(one.of):
            self.totals[one.of] = local(free(f"d{name}_now" if lasting else f"d{name}", self.taken))
            return
        if lasting:
            self.moving[one.of] = self.letter(f"{name}_now")
        if one.handed is not None and not one.shares:
            self.moving[canonical(dL(one.of))] = one.handed
        else:
            own = self.letter(f"d{name}_now" if lasting else f"d{name}")
            self.moving[canonical(dL(one.of))] = own

    def _give_out(self, one: Adjoint) -> None:
        if not isinstance(one.of, Indexed):
            name = one.of.spelling.python
            self.totals[one.of] = local(free(f"d{name}", self.taken))
            return
        name, kept = one.of.base.spelling.python, self.variable(one.of.base)
        assert kept is not None
        output = free(f"d{name}" if kept.role == INPUT else f"d{name}_before", self.taken)
        kind = SCALAR_STATE if kept.scalar else BATCH if kept.examples else ARRAY
        self.results.append((name, Argument(output, kind, written=True)))
        if kept.scalar:
            self.totals[one.of] = local(free(f"d{name}_old", self.taken))
            return
        entry = sequence("s", python=output)[one.of.indices]
        self.moving[canonical(dL(one.of))] = entry
        if not kept.examples:
            self.arrays[entry.base] = output
