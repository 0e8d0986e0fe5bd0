"""Answers to questions held against the equations of what is asked about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Basic, Eq, Expr, Indexed, S, Symbol

from symopt.declaration import BestInputs, DecayInLoss, MiniBatch, Question, Shrinkage
from symopt.declaration.questions import AboutLayer, AboutRule
from symopt.declaration.statements import Ask
from symopt.derivation.answers import answers
from symopt.derivation.drawn import Draws, draws
from symopt.derivation.forward import forward
from symopt.derivation.penalty import derive_penalty
from symopt.derivation.rule import derive_rule
from symopt.derivation.steps import Derivation, Line, Reason
from symopt.derivation.system import INPUT, STATE
from symopt.derivation.times import at
from symopt.nodes import Expectation
from symopt.notation import Index
from symopt.proof.assumed_means import with_means
from symopt.proof.comparing import Checked, check, kept
from symopt.proof.definitions import of_functions
from symopt.proof.drawn_batches import with_batches
from symopt.proof.premises import Premises, premises
from symopt.proof.worlds import Beside, World, worlds
from symopt.symbols import lambda_
from symopt.views import canonical


@dataclass(frozen=True)
class Subject:
    """What is asked about, in numbers: its equations, starts, random letters and gradients."""

    said: tuple[Eq, ...] = ()
    starts: Any = field(default_factory=dict)
    run: Any = ()
    drawn: Draws = field(default_factory=dict)
    inputs: tuple[Expr, ...] = ()
    change: Callable[[World, Derivation], World] = lambda world, _: world


_WORDS = "what it takes for granted stands in words"


def check_answers(question: Question, several: Iterable[Derivation]) -> Iterator[Checked]:
    """Some answers to a question, each line held against numbers."""
    asked = {(one.id, one.title): (ask, found) for ask, found in answers(question) for one in found}
    for derivation in several:
        ask, found = asked.get((derivation.id, derivation.title), (None, ()))
        subject = _subject(ask)
        if subject is None or _contradicts(derivation):
            yield Checked(derivation, (), tuple((line, _WORDS) for line in derivation.lines))
        else:
            yield _checked(derivation, subject, [line for one in found for line in one.lines])


def _contradicts(derivation: Derivation) -> bool:
    """Whether a letter has two values, one after the other, so that it can have none."""
    found = [line.left for line in derivation.lines if line.right.is_number]
    single = [one for one in found if isinstance(one, Symbol)]
    return len(set(single)) < len(single)


def _checked(derivation: Derivation, subject: Subject, lines: list[Line]) -> Checked:
    own = {one.lhs.func for one in of_functions(derivation.lines)}
    elsewhere = tuple(one for one in of_functions(lines) if one.lhs.func not in own)
    said = (*subject.said, *_granted(derivation), *elsewhere)

    means = [line for line in derivation.lines if _of_what_is_given(line, subject)]

    def here(granted: Premises) -> tuple[World, ...]:
        beside = Beside(subject.drawn, said, granted.values)
        found = worlds(derivation, subject.starts, subject.run, granted.conditions, beside)
        return tuple(subject.change(with_means(one, means), derivation) for one in found)

    def granted(line: Line) -> Premises:
        found = premises(line, derivation.title)
        always = {
            entry: letter
            for entry in subject.inputs
            for letter in _constants(line, derivation.title)
            if letter.name == entry.base.spelling.python
        }
        return replace(found, values={**found.values, **always})

    return check(derivation, kept(here), granted, rounded=True)


def _of_what_is_given(line: Line, subject: Subject) -> bool:
    """Whether a line says what the mean of something given is, which is an assumption."""
    entries = line.left.atoms(Indexed)
    bases = {one.base for one in subject.inputs}
    return isinstance(line.left, Expectation) and {one.base for one in entries} <= bases


def _granted(derivation: Derivation) -> Iterator[Eq]:
    """What reasons say of letters: κ = λ_max/λ_min."""
    for line in derivation.lines:
        for letter, value in premises(line).values.items():
            if isinstance(letter, Symbol) and not value.is_number:
                yield Eq(letter, value, evaluate=False)


def _constants(line: Line, title: Reason) -> list[Symbol]:
    """Letters without an index in a line, and in what is said of it."""
    sides: list[Basic] = [canonical(line.left), canonical(line.right)]
    sides += [one for reason in (line.reason, title) for one in reason if isinstance(one, Symbol)]
    found = {one for side in sides for one in side.free_symbols}
    return sorted(
        (one for one in found if isinstance(one, Symbol) and not isinstance(one, Index)), key=str
    )


def _subject(ask: Ask | None) -> Subject | None:
    for kind, what in _SUBJECTS:
        if isinstance(ask, kind):
            return what(ask)
    return None


def _of_layer(ask: AboutLayer) -> Subject:
    layer = ask.layer
    return Subject((), layer.initial_values, forward(layer), draws(layer))


def _of_rule(ask: AboutRule) -> Subject:
    system = derive_rule(ask.rule)
    said = tuple(
        Eq(canonical(one.left), canonical(one.right), evaluate=False) for one in system.assignments
    )
    starts = tuple(
        Eq(one.sequence[one.offset], canonical(one.initial or S.Zero), evaluate=False)
        for one in system.of_role(STATE)
    )
    inputs = tuple(at(one.sequence, system.step) for one in system.of_role(INPUT))
    return Subject((*starts, *said), inputs=inputs)


def _of_penalized_rule(ask: DecayInLoss) -> Subject:
    """The rule, its gradients those of the loss with the penalty, weighed by its letter."""
    plain, (gradient,) = _of_rule(ask), _of_rule(ask).inputs
    penalty = derive_penalty(ask.penalty)
    system = derive_rule(ask.rule)
    here = at(system.parameter.sequence, system.step)
    slope = lambda_ * canonical(penalty.gradient).xreplace({penalty.entry: here})
    said = (Eq(one.lhs, one.rhs.xreplace({gradient: gradient + slope})) for one in plain.said)
    return Subject(tuple(said), inputs=plain.inputs)


def _of_penalty(ask: Shrinkage) -> Subject:
    return Subject(
        tuple(
            Eq(canonical(one.left), canonical(one.right), evaluate=False)
            for _, one in ask.penalty.equations
        )
    )


def _of_batches(_ask: MiniBatch) -> Subject:
    return Subject(change=with_batches)


def _in_words(_ask: Ask) -> None:
    """Nothing: where an input is best is said in words alone."""


_SUBJECTS: tuple[tuple[type[Ask], Callable[[Any], Subject | None]], ...] = (
    (BestInputs, _in_words),
    (MiniBatch, _of_batches),
    (DecayInLoss, _of_penalized_rule),
    (AboutLayer, _of_layer),
    (AboutRule, _of_rule),
    (Shrinkage, _of_penalty),
)
