"""One step of an update rule as a map: what each letter that is carried along becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Basic, Eq, Expr, Indexed, Symbol

from symopt.declaration import UpdateRule
from symopt.derivation.rule import derive_rule
from symopt.derivation.system import INPUT, PARAMETER, STATE, System
from symopt.errors import UsageError
from symopt.notation import Hyperparameter, Index, Sequence, primed
from symopt.printing.unicode import unicode
from symopt.proof.assumptions import domains
from symopt.proof.lags import with_lags
from symopt.views import canonical


@dataclass(frozen=True)
class Stepping:
    """A rule from before step t to after it.

    ``old`` are the entries before the step by letter, ``new`` what stands one step later in terms
    of them, of t and of the gradient; ``start`` the values before the first step. ``point`` is
    where the gradient is taken. ``ranges`` are those of hyperparameters that another rule has under
    the same name. ``definitions`` say the same entry by entry.
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
    ranges: tuple[Basic, ...] = ()
    assumed: tuple[str, ...] = ()

    @property
    def hyperparameters(self) -> tuple[Hyperparameter, ...]:
        """The hyperparameters that a step reads, by name."""
        exprs = (*self.new.values(), *self.start.values(), self.point)
        found = {one for expr in exprs for one in expr.atoms(Hyperparameter)}
        return tuple(sorted(found, key=str))

    @property
    def later(self) -> dict[Basic, Basic]:
        """Each entry before the step with what it is after it."""
        return {self.old[letter]: self.new[letter] for letter in self.old}


def stepping(
    rule: UpdateRule,
    beside: Stepping | None = None,
    called: Mapping[Hyperparameter, Expr] | None = None,
) -> Stepping:
    """The step of a rule; ``beside`` another one with primed letters, the same θ and gradients.

    Hyperparameters of one name are one then, whatever range each rule gives them; ``called`` says
    what others are in letters of the other rule.

    Raises
    ------
    UsageError
        If a step reads more than the step before.
    """
    lagged = with_lags(rule)
    system = derive_rule(lagged)
    t = system.step
    names: dict[Basic, Basic] = {
        one.sequence: primed(one.sequence) if beside else one.sequence
        for one in system.variables
        if one.role != INPUT
    }

    inputs = tuple(one.sequence for one in system.of_role(INPUT))
    if beside and len(inputs) == len(beside.inputs):
        names |= dict(zip(inputs, beside.inputs, strict=True))
    shared = _called(system, beside, called or {}) if beside else {}
    names |= shared

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
        # a state that starts from the parameters' first value starts where they do
        start[letter] = begin if first is None or first.is_Indexed else own(first)
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
    ranges = tuple(one.xreplace(shared) for one in domains(shared))
    rest = (f"{rule.name} starts at rest",) if lagged is not rule else ()
    return Stepping(rule.name, t, parameter, old, new, start, point, taken, said, ranges, rest)


def _called(
    system: System, beside: Stepping, called: Mapping[Hyperparameter, Expr]
) -> dict[Basic, Basic]:
    """Hyperparameters that are something else beside another rule, by their names."""
    known: dict[str, Expr] = {one.spelling.python: one for one in beside.hyperparameters}
    known |= {one.spelling.python: image for one, image in called.items()}
    own = (letter for one in system.assignments for letter in one.right.atoms(Hyperparameter))
    pairs = {letter: known.get(letter.spelling.python, letter) for letter in own}
    return {letter: found for letter, found in pairs.items() if found != letter}


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
