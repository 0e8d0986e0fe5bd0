"""One step of an update rule as a map: what each letter that is carried along becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Basic, Eq, Expr, Indexed, Symbol

from symopt.declaration import UpdateRule
from symopt.derivation.rule import derive_rule
from symopt.derivation.system import INPUT, PARAMETER, STATE, System
from symopt.errors import UsageError
from symopt.notation import Index, Sequence, primed
from symopt.printing.unicode import unicode
from symopt.views import canonical


@dataclass(frozen=True)
class Stepping:
    """A rule from before step t to after it.

    ``old`` are the entries before the step by letter, ``new`` what stands one step later in terms
    of them, of t and of the gradient; ``start`` the values before the first step. ``point`` is
    where the gradient is taken. ``definitions`` say the same entry by entry.
    """

    name: str
    step: Index
    parameter: Sequence
    old: Mapping[Sequence, Indexed]
    new: Mapping[Sequence, Expr]
    start: Mapping[Sequence, Expr]
    point: Expr
    inputs: tuple[Sequence, ...]
    definitions: tuple[Eq, ...]

    @property
    def later(self) -> dict[Basic, Basic]:
        """Each entry before the step with what it is after it."""
        return {self.old[letter]: self.new[letter] for letter in self.old}


def stepping(rule: UpdateRule, beside: Stepping | None = None) -> Stepping:
    """The step of a rule; ``beside`` another one with primed letters, the same θ and gradients.

    Raises
    ------
    UsageError
        If a step reads more than the step before.
    """
    system = derive_rule(rule)
    t = system.step
    names = {
        one.sequence: primed(one.sequence) if beside else one.sequence
        for one in system.variables
        if one.role != INPUT
    }

    inputs = tuple(one.sequence for one in system.of_role(INPUT))
    if beside and len(inputs) == len(beside.inputs):
        names |= dict(zip(inputs, beside.inputs, strict=True))

    def own(expr: Basic) -> Basic:
        return canonical(expr).xreplace(names)

    values: dict[Basic, Basic] = {}
    for each in system.assignments:
        values[own(each.left)] = own(each.right).xreplace(values)
    carried = system.of_role(PARAMETER, STATE)
    # θ is the same letter in both at the start, whatever it is called
    begin = beside.start[beside.parameter] if beside else _start(system)
    old, new, start = {}, {}, {}
    for one in carried:
        letter = names[one.sequence]
        old[letter] = letter[t + one.offset - 1]
        new[letter] = values[letter[t + one.offset]]
        first = begin if one.role == PARAMETER else one.initial
        start[letter] = own(first)
    parameter = names[system.parameter.sequence]
    point = own(system.gradient_point[1]) if system.gradient_point else old[parameter]
    _check(rule.name, old, new, {names.get(one, one) for one in inputs})
    definitions = [Eq(own(one.left), own(one.right), evaluate=False) for one in system.assignments]
    begun = [
        Eq(letter[int(entry.indices[0] - t) + 1], start[letter], evaluate=False)
        for letter, entry in old.items()
    ]
    taken = tuple(names.get(one, one) for one in inputs)
    said = (*begun, *definitions)
    return Stepping(rule.name, t, parameter, old, new, start, point, taken, said)


def _start(system: System) -> Symbol:
    return Symbol(f"{unicode(system.parameter.sequence)}₁", real=True)


def _check(
    name: str,
    old: Mapping[Sequence, Indexed],
    new: Mapping[Sequence, Expr],
    inputs: set[Sequence],
) -> None:
    for expr in new.values():
        for entry in sorted(expr.atoms(Indexed), key=str):
            if entry.base not in inputs and entry not in old.values():
                raise UsageError(
                    f"{name} reads {unicode(entry)}, more than one step back, so that it cannot "
                    "be compared; give what it needs of the past a letter of its own"
                )
