"""Equations ⇒ kernels: a derived update rule as loops over elements."""

from __future__ import annotations

from collections.abc import Callable

from sympy import Add, Basic, Expr, Indexed, Mul, S, Symbol

from symopt.derivation.system import INPUT, PARAMETER, STATE, TEMPORARY, Assignment, System
from symopt.derivation.system import Variable
from symopt.derivation.times import at, entries, offset
from symopt.errors import LoweringError
from symopt.notation import Hyperparameter, Sequence, Sigma, sequence
from symopt.printing.unicode import unicode
from symopt.program.average import average_form
from symopt.program.hoist import Numbers, hoist
from symopt.program.invariants import check
from symopt.program.ir import (
    ARRAY,
    BATCH,
    NUMBER,
    SCALAR_STATE,
    STEP,
    Argument,
    Assign,
    Kernel,
    Loop,
    Node,
    Scratch,
    Stop,
    element,
    local,
)
from symopt.program.share import share
from symopt.views import occurrences, rewrite, signed_terms

# elements handled at a time where sums over examples are kept: 4 KiB of float32 stays in cache
BLOCK = 1024


def lower_step(system: System) -> Kernel:
    """The kernel that takes parameters and states one step further, in place.

    Raises
    ------
    LoweringError
        If a sum over examples reads what is computed in the same step.
    """
    fixed = frozenset(_names(system))
    assignments = tuple(average_form(one) for one in system.assignments)
    scalars = tuple(one for one in assignments if _scalar(system, one))
    moving = tuple(one for one in assignments if not _scalar(system, one))
    moving, extra = share(moving, system.step, fixed)
    return _Lowering(system, fixed | {one.spelling.python for one in extra}).step(scalars, moving)


def lower_gradient_point(system: System) -> Kernel | None:
    """The kernel that says where the gradient is to be taken, where that is not at the parameters.

    For Nesterov's momentum: point = θ − γ·v_{t-1}.
    """
    if system.gradient_point is None:
        return None
    id, expr = system.gradient_point
    point = sequence("point")
    lowering = _Lowering(system, frozenset(_names(system)) | {"point"})
    return lowering.point(Assignment(id, point[system.step], expr))


def _names(system: System) -> list[str]:
    variables = [one.name for one in system.variables]
    numbers = [one.spelling.python for one in system.hyperparameters]
    counts = [one.examples.spelling.python for one in system.variables if one.examples]
    return [*variables, *numbers, *counts, system.step.spelling.python]


def _scalar(system: System, one: Assignment) -> bool:
    return system.variable(one.target).scalar


class _Lowering:
    """One kernel under way: the names in use and the numbers met so far."""

    def __init__(self, system: System, fixed: frozenset[str]) -> None:
        self.system = system
        self.taken = set(fixed)
        self.numbers = Numbers(self.taken)
        self.counter = self._free("i")
        self.example = self._free("k")
        self.start = self._free("start")
        self.written: set[Sequence] = set()
        self.sums: dict[Sequence, str] = {}

    def _free(self, name: str) -> Symbol:
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return local(name)

    # kernels

    def step(self, scalars: tuple[Assignment, ...], moving: tuple[Assignment, ...]) -> Kernel:
        """The kernel of a whole step."""
        before, stores = self._scalars(scalars)
        sums, plain = self._sums(moving)
        saved = self._saved(plain)
        body = (*saved, *(self._assign(one) for one in plain))
        used = [one for one in self.system.variables if one.role != TEMPORARY]
        nodes = self._loops(sums, body)
        batch = next((one for one in self.system.variables if one.examples), None)
        kernel = Kernel(
            name="_step",
            arguments=(
                *self._arrays(used, {one.target for one in (*scalars, *moving)}),
                *self._numbers(self.system.uses_step, self._read_numbers(scalars, moving)),
            ),
            numbers=(*before, *self.numbers.assignments(), *stores),
            body=nodes,
            over=self.system.parameter.name,
            batch=batch.name if batch else "",
            count=batch.examples.spelling.python if batch and batch.examples else "",
        )
        return check(kernel)

    def point(self, assignment: Assignment) -> Kernel:
        """The kernel of the point at which the gradient is taken."""
        value = self._placed(hoist(assignment.right, self.numbers, "point"))
        place = element("point", self.counter)
        body = Assign(place, value, note=assignment.id)
        read = {one.base for one in entries(assignment.right)}
        used = [one for one in self.system.variables if one.sequence in read]
        used.sort(key=lambda one: one.role != PARAMETER)
        kernel = Kernel(
            name="_gradient_point",
            arguments=(
                Argument("point", ARRAY, written=True),
                *self._arrays(used, set()),
                *self._numbers(False, assignment.right.atoms(Hyperparameter)),
            ),
            numbers=self.numbers.assignments(),
            body=(Loop(self.counter, S.Zero, "size", (body,)),),
            over="point",
        )
        return check(kernel)

    # arguments

    def _arrays(self, used: list[Variable], written: set[Sequence]) -> tuple[Argument, ...]:
        roles = (PARAMETER, INPUT, STATE)
        ordered = sorted(used, key=lambda one: roles.index(one.role))
        return tuple(
            Argument(
                one.name,
                SCALAR_STATE if one.scalar else BATCH if one.examples else ARRAY,
                written=one.sequence in written,
                meaning=one.role,
            )
            for one in ordered
        )

    def _read_numbers(self, *groups: tuple[Assignment, ...]) -> set[Basic]:
        exprs = [one.right for group in groups for one in group]
        return {symbol for expr in exprs for symbol in expr.atoms(Hyperparameter)}

    def _numbers(self, step: bool, read: set[Basic]) -> tuple[Argument, ...]:
        defaults = self.system.rule.default_values
        found = [
            Argument(one.spelling.python, NUMBER, domain=one.domain, default=defaults.get(one))
            for one in self.system.hyperparameters
            if one in read
        ]
        first = [Argument(self.system.step.spelling.python, STEP)] if step else []
        return (*first, *found)

    # numbers that are computed once per step

    def _scalars(self, scalars: tuple[Assignment, ...]) -> tuple[list[Assign], list[Assign]]:
        """Scalar equations in float64: what is read, computed and, at the end, stored."""
        states = {one.sequence: one for one in self.system.of_role(STATE) if one.scalar}
        loads = [
            Assign(self._before(one), element(one.name, S.Zero)) for one in states.values()
        ]
        made = [
            Assign(self._now(one.target), rewrite(one.right, self._scalar_entry), note=one.id)  # type: ignore[arg-type]  # an expression
            for one in scalars
        ]
        stores = [
            Assign(element(one.name, S.Zero), self._now(sequence))
            for sequence, one in states.items()
        ]
        return [*loads, *made], stores

    def _before(self, one: Variable) -> Symbol:
        return local(f"{one.name}_before")

    def _now(self, target: Sequence) -> Symbol:
        variable = self.system.variable(target)
        return local(f"{variable.name}_now" if variable.role == STATE else variable.name)

    def _scalar_entry(self, node: Basic) -> Basic | None:
        """The local that holds an entry of a scalar sequence."""
        if not isinstance(node, Indexed) or node.base in self.sums:
            return None
        known = [one for one in self.system.variables if one.sequence == node.base]
        if not known or not known[0].scalar:
            return None
        lag = offset("", node, self.system.step) - known[0].offset
        return self._before(known[0]) if lag else self._now(node.base)

    # loops

    def _sums(
        self, moving: tuple[Assignment, ...]
    ) -> tuple[list[tuple[Assignment, str]], tuple[Assignment, ...]]:
        """Sums over examples ⇒ entries of partial sums, each with what is added to it."""
        sums: list[tuple[Assignment, str]] = []
        plain = []
        for one in moving:
            right = one.right
            for total in occurrences(right, Sigma):
                name = self._free("total" if not sums else f"total_{len(sums) + 1}").name
                letter = sequence(name)
                self.sums[letter] = name
                entry = at(letter, self.system.step)
                right = rewrite(right, {total: entry}.get)  # type: ignore[assignment]
                self._check_known_before(one, total)  # type: ignore[arg-type]  # a Sigma
                sums.append((Assignment(one.id, entry, total.body), name))  # type: ignore[attr-defined]
            plain.append(Assignment(one.id, one.left, right))
        return sums, tuple(plain)

    def _check_known_before(self, one: Assignment, total: Sigma) -> None:
        for entry in entries(total.body):
            variable = self.system.variable(entry.base)
            lag = offset(one.id, entry, self.system.step) - variable.offset
            if variable.role == TEMPORARY or (variable.role in (STATE, PARAMETER) and lag == 0):
                raise LoweringError(
                    f"{one.id} sums over examples what holds {unicode(entry)}, which is computed "
                    "in the same step; take it out of the sum"
                )

    def _loops(
        self, sums: list[tuple[Assignment, str]], body: tuple[Assign, ...]
    ) -> tuple[Node, ...]:
        if not sums:
            return (Loop(self.counter, S.Zero, "size", body),)
        zero = self.numbers.name(S.Zero, "zero")
        place = self.counter - self.start
        cleared = tuple(Assign(element(name, place), zero) for _, name in sums)
        self.written.clear()
        added = tuple(
            Assign(
                element(name, place),
                self._placed(hoist(one.right, self.numbers, name)),
                augment="+",
                note=one.id,
            )
            for one, name in sums
        )
        count = next(one.examples for one in self.system.variables if one.examples)
        over_block: Callable[[tuple[Node, ...]], Loop] = lambda nodes: Loop(
            self.counter, self.start, "stop", nodes
        )
        block = (
            Stop("stop", self.start, BLOCK),
            over_block(cleared),
            Loop(self.example, S.Zero, count.spelling.python, (over_block(added),)),
            over_block(body),
        )
        scratch = tuple(Scratch(name, BLOCK) for _, name in sums)
        return (*scratch, Loop(self.start, S.Zero, "size", block, stride=BLOCK))

    def _saved(self, plain: tuple[Assignment, ...]) -> tuple[Assign, ...]:
        """Old values that an equation reads after they have been replaced."""
        saved: dict[Sequence, Assign] = {}
        replaced: set[Sequence] = set()
        for one in plain:
            for entry in entries(one.right):
                if entry.base in replaced and self._lag(entry) == -1:
                    variable = self.system.variable(entry.base)
                    name = self._before(variable)
                    saved[entry.base] = Assign(name, element(variable.name, self.counter))
            replaced.add(one.target)
        self.saved = frozenset(saved)
        return tuple(saved.values())

    def _lag(self, entry: Indexed) -> int:
        known = [one for one in self.system.variables if one.sequence == entry.base]
        if not known or known[0].role in (INPUT, TEMPORARY):
            return 0
        return offset("", entry, self.system.step) - known[0].offset

    def _assign(self, one: Assignment) -> Assign:
        name = one.target.spelling.python
        known = [v for v in self.system.variables if v.sequence == one.target]
        right = rewrite(one.right, self._scalar_entry)
        value = self._placed(hoist(right, self.numbers, name))  # type: ignore[arg-type]
        if not known or known[0].role == TEMPORARY:
            return Assign(local(name), value, note=one.id)
        self.written.add(one.target)
        return _augmented(element(name, self.counter), value, one.id)

    def _placed(self, expr: Expr) -> Expr:
        """Entries ⇒ elements of arrays and locals."""

        def place(node: Basic) -> Basic | None:
            if not isinstance(node, Indexed) or not isinstance(node.base, Sequence):
                return None
            base = node.base
            if base in self.sums:
                return element(self.sums[base], self.counter - self.start)
            known = [one for one in self.system.variables if one.sequence == base]
            if not known or known[0].role == TEMPORARY:
                return local(base.spelling.python)
            variable = known[0]
            if variable.examples and len(node.indices) == 2:
                return element(variable.name, self.example, self.counter)
            if variable.examples:
                raise LoweringError(
                    f"{self.system.rule.name} reads the gradients of a batch one by one outside "
                    "of a sum over examples; sum them, or take one gradient"
                )
            if self._lag(node) == -1 and base in self.written:
                return self._before(variable)
            return element(variable.name, self.counter)

        return rewrite(expr, place)  # type: ignore[return-value]  # an expression


def _augmented(place: Indexed, value: Expr, note: str) -> Assign:
    """x = x + y ⇒ x += y, where x stands first and nowhere else."""
    (negative, first), *others = signed_terms(value)
    if negative or first != place or not others or any(term.has(place) for _, term in others[1:]):
        return Assign(place, value, note=note)
    if len(others) == 1:
        less, term = others[0]
        return Assign(place, term, augment="-" if less else "+", note=note)
    if any(term.has(place) for _, term in others):
        return Assign(place, value, note=note)
    terms = [Mul(S.NegativeOne, one, evaluate=False) if less else one for less, one in others]
    return Assign(place, Add(*terms, evaluate=False), augment="+", note=note)
