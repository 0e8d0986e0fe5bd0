"""The gradient of one step: reverse mode through the equations of an update rule.

A step takes the parameters, the states, the gradient and the hyperparameters to new parameters and
states. Handed dL/d(each new value) by what comes later, it gives dL/d(each old value, input and
hyperparameter). Each equation is differentiated once by each letter that it reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sympy import Add, Expr, Indexed, Mul, S

from symopt.derivation.branches import TABLE, derivative
from symopt.derivation.readable import Sums, readable, sums_in
from symopt.derivation.steps import Derivation, Line, Reason
from symopt.derivation.system import INPUT, PARAMETER, STATE, Assignment, System
from symopt.derivation.times import at, entries
from symopt.nodes import Gradient, Sigma
from symopt.notation import Index, Sequence, index, sequence
from symopt.printing.unicode import unicode
from symopt.symbols import L
from symopt.views import canonical, occurrences, split_sign


@dataclass(frozen=True)
class Share:
    """What one equation adds to an adjoint: dL/d(what it defines) times a derivative.

    For the gradient of one example ``outer`` is what all examples have in common, and ``value``
    is that times ``inner``. ``gathered`` shares are summed over all elements.
    """

    id: str
    value: Expr
    gathered: bool = False
    outer: Expr = S.Zero
    inner: Expr = S.One


@dataclass(frozen=True)
class Adjoint:
    """dL/d``of``: what later steps hand in, and what each equation of this step adds."""

    of: Expr
    handed: Expr | None
    shares: tuple[Share, ...]

    @property
    def id(self) -> str:
        """The ids of the equations that it comes through."""
        return ", ".join(dict.fromkeys(one.id for one in self.shares))

    def shown(self, over: Index) -> Expr:
        """The whole adjoint, shares that are gathered under a sum over the elements."""
        terms = [self.handed] if self.handed is not None else []
        apart = [one.value for one in self.shares if not one.gathered]
        negative, whole = split_sign(_added([one.value for one in self.shares if one.gathered]))
        gathered = [Sigma(whole, over)] if whole != 0 else []
        if negative:
            gathered = [Mul(S.NegativeOne, *gathered, evaluate=False)]
        return _added([*terms, *apart, *gathered])

    def reason(self) -> str:
        """Where it comes from, in words."""
        handed = ["handed in"] if self.handed is not None else []
        return ", ".join([*handed, *([f"through {self.id}"] if self.shares else [])]) or "not read"


@dataclass(frozen=True)
class UpdateGradient:
    """The adjoints of a step: of what the equations define, and of what they read.

    ``made`` stand in an order in which each reads only what is known; ``sources`` are the values
    from before the step, the inputs and the hyperparameters, each as the equations read them.
    """

    assignments: tuple[Assignment, ...]
    made: tuple[Adjoint, ...]
    sources: tuple[Adjoint, ...]
    derivation: Derivation


def dL(letter: Expr) -> Gradient:
    """dL/d(letter), L being all that comes after the step."""
    return Gradient(L, letter)


def handed_in(letter: Sequence) -> Sequence:
    """δv: what later steps add to the adjoint of a new value."""
    spelling = letter.spelling
    return sequence(
        "d",
        python=f"d{spelling.python}",
        latex=rf"\delta {spelling.latex}",
        unicode=f"δ{spelling.unicode}",
    )


def update_gradient(system: System) -> UpdateGradient:
    """The adjoints of one step of a rule."""
    moved = [one.sequence for one in system.of_role(PARAMETER, STATE)]
    sources = [
        *(at(one.sequence, system.step, one.offset - 1) for one in system.of_role(PARAMETER)),
        *(at(one.sequence, system.step, one.offset - 1) for one in system.of_role(STATE)),
        *(_input(system, one.sequence) for one in system.of_role(INPUT)),
        *(one for one in system.hyperparameters if _read(system.assignments, one)),
    ]
    title = (f"gradient of one step of {system.declared.name}",)
    return _reverse(system, system.assignments, moved, sources, title)


def point_gradient(system: System) -> UpdateGradient | None:
    """The adjoints of the point at which the gradient is taken, if not at the parameters."""
    if system.gradient_point is None:
        return None
    id, expr = system.gradient_point
    letter = sequence("point")
    stated = (Assignment(id, letter[system.step], expr),)
    read = {canonical(one): None for one in entries(expr)}
    order = [one.sequence for one in system.of_role(PARAMETER, STATE)]
    sources = [
        *sorted(read, key=lambda one: order.index(one.base)),
        *(one for one in system.hyperparameters if expr.has(one)),
    ]
    title = ("gradient of the point at which ", _gradient_entry(system), " is taken")
    return _reverse(system, stated, [letter], sources, title)


def _input(system: System, letter: Sequence) -> Expr:
    """An input as the equations read it, in a batch at its example."""
    here = at(letter, system.step)
    found = (one for each in system.assignments for one in entries(each.right))
    return next((canonical(one) for one in found if one.base == letter), here)


def _gradient_entry(system: System) -> Expr:
    return next((at(one.sequence, system.step) for one in system.of_role(INPUT)), S.Zero)


def _read(assignments: Iterable[Assignment], letter: Expr) -> bool:
    return any(one.right.has(letter) for one in assignments)


def _reverse(
    system: System,
    assignments: tuple[Assignment, ...],
    moved: list[Sequence],
    sources: list[Expr],
    title: Reason,
) -> UpdateGradient:
    tape = _Tape(system, assignments)
    made: list[Adjoint] = []
    for one in reversed(assignments):
        letter = canonical(one.left)
        handed = handed_in(letter.base)[letter.indices] if letter.base in moved else None
        made.append(tape.adjoint(letter, handed))
    found = tuple(tape.adjoint(canonical(one), None) for one in sources)
    over = index("j", "component")
    lines = tuple(Line(dL(one.of), one.shown(over), one.reason()) for one in (*made, *found))
    assumed = (*_assumed(system, tuple(made), assignments), *_elements(found, over))
    shown = Derivation(f"{system.declared.name}.step_vjp", title, lines, assumed)
    return UpdateGradient(assignments, tuple(made), found, shown)


def _assumed(
    system: System, made: tuple[Adjoint, ...], assignments: tuple[Assignment, ...]
) -> tuple[Reason, ...]:
    """What is handed in, what is held fixed, and what is chosen at kinks."""
    first = next(one for one in made if one.handed is not None)
    assert first.handed is not None
    found: list[Reason] = [(first.handed, " is ", dL(first.of), " by what comes after the step")]
    read = {one.base for each in assignments for one in entries(each.right)}
    inputs = [one.sequence for one in system.of_role(INPUT) if one.sequence in read]
    old = at(system.parameter.sequence, system.step, system.parameter.offset - 1)
    found += [(at(one, system.step), " is held apart from ", old) for one in inputs]
    kinks = {type(x) for one in assignments for x in one.right.atoms(*TABLE)} - {Sigma}
    if kinks:
        names = sorted(one.__name__ for one in kinks)
        found.append(f"{', '.join(names)} by the branch that is taken")
    return tuple(found)


def _elements(found: tuple[Adjoint, ...], over: Index) -> tuple[Reason, ...]:
    summed = any(one.shown(over).has(over) for one in found)
    return ((f"{unicode(over)} runs over all elements"),) if summed else ()


@dataclass
class _Tape:
    """The equations of a step, differentiated by what they read; zero adjoints go no further."""

    system: System
    assignments: tuple[Assignment, ...]

    def __post_init__(self) -> None:
        self.sums: Sums = sums_in(one.right for one in self.assignments)
        self.rights = {one: canonical(one.right) for one in self.assignments}
        self.vanishing: set[Expr] = set()

    def adjoint(self, letter: Expr, handed: Expr | None) -> Adjoint:
        """The adjoint of a letter, once those of all that is computed from it are known."""
        shares = [
            share
            for one, right in self.rights.items()
            if right.has(letter) and canonical(one.left) != letter
            for share in self._shares(one, right, letter)
        ]
        if handed is None and not shares:
            self.vanishing.add(letter)
        return Adjoint(letter, handed, tuple(shares))

    def _shares(self, one: Assignment, right: Expr, letter: Expr) -> list[Share]:
        above = canonical(one.left)
        if above in self.vanishing:
            return []
        if isinstance(letter, Indexed) and len(letter.indices) > 1:
            return self._of_examples(one, right, letter)
        local = derivative(right, letter)
        gathered = self._number(letter) and not self._number(above)
        value = _times(local, self.sums, dL(above))
        return [Share(one.id, value, gathered)] if local != 0 else []

    def _of_examples(self, one: Assignment, right: Expr, letter: Expr) -> list[Share]:
        found = []
        for total in dict.fromkeys(occurrences(right, Sigma)):
            each = derivative(total.body, letter.xreplace({letter.indices[1]: total.index}))
            each = each.xreplace({total.index: letter.indices[1]})
            outside = derivative(right, total)
            if each != 0 and outside != 0:
                outer = _times(outside, self.sums, dL(canonical(one.left)))
                whole = _times(outside * each, self.sums, dL(canonical(one.left)))
                inner = readable(each, self.sums)
                found.append(Share(one.id, whole, False, outer, inner))
        return found

    def _number(self, letter: Expr) -> bool:
        """Whether a letter is one number for all elements."""
        if not isinstance(letter, Indexed):
            return True
        known = [one for one in self.system.variables if one.sequence == letter.base]
        return any(one.scalar for one in known)


def _times(local: Expr, sums: Sums, adjoint: Expr) -> Expr:
    return readable(local, sums, last=adjoint)


def _added(terms: list[Expr]) -> Expr:
    if len(terms) < 2:
        return terms[0] if terms else S.Zero
    return Add(*terms, evaluate=False)
