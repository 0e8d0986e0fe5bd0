"""A penalty as part of what a rule makes small: it reads the gradient of L + λR in place of L's."""

from __future__ import annotations

from collections.abc import Sequence as Several
from dataclasses import replace
from typing import Any

from sympy import Add, Basic, Expr, Indexed, Mul, S

from symopt.declaration import Declaration, Equation, Regularizer, Statement, UpdateRule
from symopt.declaration.checks import check
from symopt.declaration.statements import expressions
from symopt.derivation.letters import unused
from symopt.derivation.penalty import Penalty, by_component, derive_penalty
from symopt.derivation.readable import readable
from symopt.derivation.readings import Reading, Source, readings, source_of
from symopt.derivation.rule import derive_rule
from symopt.derivation.steps import Derivation, Line
from symopt.errors import DerivationError, UsageError
from symopt.nodes import Gradient, Sigma
from symopt.notation import Count, Hyperparameter, Index, Sequence, tilde
from symopt.printing.unicode import unicode
from symopt.symbols import lambda_
from symopt.views import rewrite, substitute

WEIGHT = 1e-4

Read = Several[tuple[Statement, tuple[Reading, ...]]]


def penalized(rule: UpdateRule, regularizer: Regularizer) -> UpdateRule:
    """The rule that makes the loss and λ times the penalty small, a declaration like any other.

    Wherever the rule reads the gradient it reads g̃, an equation of its own: the gradient plus
    λ·dR/dθ, both at the point where the gradient is taken. To a mean over examples the penalty is
    added once; where single gradients enter a mean in another way (by their signs, their squares),
    each has the penalty's with it. What is shown for comparison stays as it is, and a misprint
    gives way to what is meant. λ is a hyperparameter, by default 1e-4.

    >>> from symopt.catalog.lecture.l2 import l2
    >>> from symopt.catalog.lecture.nesterov import nesterov
    >>> print(penalized(nesterov, l2))
    nesterov_l2
      g̃ₜ := dL(θ − γ·vₜ₋₁)/dθ + 2·λ·(θₜ − γ·vₜ₋₁)
      vₜ = γ·vₜ₋₁ + α·g̃ₜ
      θₜ₊₁ = θₜ − vₜ

    Raises
    ------
    UsageError
        For what is no update rule, or no regularizer.
    DerivationError
        If the rule reads no gradient, or more than one; if the penalty does not separate into
        components, or has no slope; or if a letter would stand for two things.
    """
    _check_kinds(rule, regularizer)
    penalty = derive_penalty(regularizer)
    _, slope = by_component(penalty)
    if slope == 0:
        raise DerivationError(
            f"{penalty.id} has the derivative 0 wherever it has one, so that it would move no "
            "parameter; let it grow with them"
        )
    source = source_of(rule, derive_rule(rule))
    _check_letters(rule, regularizer, tilde(source.letter))
    weighed = Mul(lambda_, slope).expand()
    here = {penalty.entry: source.point}
    added = tuple(substitute(readable(term, {}), here) for term in Add.make_args(weighed))
    title = f"{rule.title} with {regularizer.title}"
    declared = replace(
        rule,
        name=f"{rule.name}_{regularizer.name}",
        statements=_statements(rule, source, added),
        family="",
        title=title,
        doc=f"{title}: the gradient is that of the loss and of λ times the penalty.",
        source="; ".join(one for one in (rule.source, regularizer.source) if one),
        defaults=(*rule.defaults, *regularizer.default_values.items(), (lambda_, WEIGHT)),
        file="",
    )
    check(declared)
    return declared


def derive_penalized(rule: UpdateRule, regularizer: Regularizer) -> tuple[Derivation, ...]:
    """The penalty's gradient, how the rule comes to read it, and what follows from the rule then.

    Raises
    ------
    SymoptError
        As :func:`penalized` does.
    """
    made = penalized(rule, regularizer)
    penalty = derive_penalty(regularizer)
    source = source_of(rule, derive_rule(rule))
    shown = [
        _shown(id, one, source, penalty)
        for id, one in made.equations
        if one.left.base == tilde(source.letter)
    ]
    return (penalty.derivation, *shown, *derive_rule(made).derivations)


def _shown(id: str, defined: Equation, source: Source, penalty: Penalty) -> Derivation:
    """The penalized gradient, first with that of the penalty as a derivative."""
    total = penalty.regularizer.equations[0][1].left
    components = defined.left.indices[1:]
    point = _placed(source.point, components)
    variable = _placed(source.parameter, components) if components else source.parameter.base
    node = Gradient(total.func(point), variable)
    gradient, *_ = defined.right.args
    both = Add(gradient, Mul(lambda_, node, evaluate=False), evaluate=False)
    lines = (
        Line(defined.left, both, ("the gradient of the loss and ", lambda_ * total)),
        Line(defined.left, defined.right, (node, f" from {penalty.id}")),
    )
    return Derivation(id, (defined.left, f" from {id}"), lines)


def _check_kinds(rule: Any, regularizer: Any) -> None:
    for one, kind in ((rule, UpdateRule), (regularizer, Regularizer)):
        if not isinstance(one, kind):
            shown = f"{one.name}, {one.a_kind}" if isinstance(one, Declaration) else repr(one)
            raise UsageError(
                f"penalized was given {shown}; give it an update rule and a regularizer, such as "
                "penalized(adam, l2)"
            )


def _check_letters(rule: UpdateRule, regularizer: Regularizer, letter: Sequence) -> None:
    """Each letter of the rule, of the penalty and of their sum stands for one thing."""
    of_rule = _letters(rule)
    own = {name: x for name, x in _letters(regularizer).items() if isinstance(x, Hyperparameter)}
    for name, one in own.items():
        if name in of_rule:
            raise DerivationError(
                f"{rule.name} and {regularizer.name} both have the letter {unicode(one)}, which "
                "would stand for two things; give one of them another, in Python too"
            )
    for new, meant in ((lambda_, "the weight of the penalty"), (letter, "the penalized gradient")):
        for owner, known in ((rule, of_rule), (regularizer, own)):
            if new.spelling.python in known:
                raise DerivationError(
                    f"{owner.name} has a letter {unicode(new)} of its own, which is to be {meant}; "
                    "give its own another name, in Python too"
                )


def _letters(declared: Declaration) -> dict[str, Basic]:
    """The letters of a declaration by their Python names."""
    exprs = [one for s in declared.statements for one in expressions(s.meant.content)]
    exprs += [one for pair in declared.initial for one in pair]
    kinds = (Hyperparameter, Count, Index, Sequence)
    found = {one for expr in exprs for one in (*expr.atoms(*kinds), expr)}
    return {one.spelling.python: one for one in found if isinstance(one, kinds)}


# the rule's equations, with another gradient in the place of its own


def _statements(rule: UpdateRule, source: Source, added: tuple[Expr, ...]) -> tuple[Statement, ...]:
    """The rule's statements, with that of the penalized gradient among them.

    It stands behind the one that gives the gradient its letter, or before the first that reads it.
    """
    read = [(one, _readings(rule, source, one)) for one in (s.meant for s in rule.statements)]
    _check_one_gradient(rule, read)
    found = [_reading_other(source, one, seen, added) for one, seen in read]
    defined = [
        (place, _definition(source, statement.content, reading, added))
        for place, (statement, seen) in enumerate(read)
        for reading in seen
        if isinstance(statement.content, Equation) and not reading.singly
    ]
    names = [place for place, (one, _) in enumerate(read) if _names(source, one)]
    for place, definition in defined[:1]:
        key = unused("penalized_gradient", frozenset(one.key for one in found))
        found.insert(names[0] + 1 if names else place, Statement(key, definition))
    return tuple(found)


def _readings(rule: UpdateRule, source: Source, statement: Statement) -> tuple[Reading, ...]:
    """How a statement reads the gradient; not if it names the gradient, or computes nothing."""
    if not isinstance(statement.content, Equation) or _names(source, statement):
        return ()
    letter = source.letter if source.read else None
    return tuple(readings(rule.id_of(statement.key), statement.content.right, letter))


def _names(source: Source, statement: Statement) -> bool:
    """Whether a statement gives the gradient its letter."""
    content = statement.content
    return isinstance(content, Equation) and content.left == source.defined


def _check_one_gradient(rule: UpdateRule, read: Read) -> None:
    """One loss has one gradient, and a penalty beside a sum of many is divided by no number."""
    kinds = {one.kind: one.gradient for _, seen in read for one in seen}
    if len(kinds) > 1:
        shown = " and as ".join(unicode(one) for one in kinds.values())
        raise DerivationError(
            f"{rule.name} reads the gradient as {shown}, so that it does not follow to which a "
            "penalty is added; read it in one way"
        )
    summed = any(isinstance(one, Sigma) for one in kinds)
    for statement, seen in read:
        if isinstance(statement.content, Equation) and summed:
            parts = {one.part: _rest(one) for one in seen}
            for count in sorted(substitute(statement.content.right, parts).atoms(Count), key=str):
                raise DerivationError(
                    f"{rule.id_of(statement.key)} holds the number {unicode(count)} apart from the "
                    "sum of gradients, so that it does not follow how much a penalty counts "
                    f"beside it; write the mean as a product, 1/{unicode(count)}*Sigma(…)"
                )


def _rest(one: Reading) -> Expr:
    return one.multiple(S.One)


def _definition(
    source: Source, stated: Equation, reading: Reading, added: tuple[Expr, ...]
) -> Equation:
    """The penalized gradient, with the components of the gradient's letter or of its reader."""
    entry = source.defined or (reading.part if source.read else stated.left)
    place = (source.step, *entry.indices[1:])
    gradient = source.letter[place] if source.read else reading.gradient
    right = _sum(gradient, added, place[1:])
    return Equation(tilde(source.letter)[place], right, definition=True)


def _reading_other(
    source: Source, statement: Statement, seen: tuple[Reading, ...], added: tuple[Expr, ...]
) -> Statement:
    """The statement with the penalized gradient wherever it read the gradient."""
    stated = statement.content
    if not seen or not isinstance(stated, Equation):
        return statement
    other, place = tilde(source.letter), (source.step, *stated.left.indices[1:])

    def single(node: Basic) -> Basic | None:
        return _sum(node, added, place[1:]) if isinstance(node, Gradient) else None

    values = {
        one.part: rewrite(one.part, single)
        if one.singly
        else one.multiple(other[one.part.indices if one.part.is_Indexed else place])
        for one in seen
    }
    right = substitute(stated.right, values)
    return replace(statement, content=replace(stated, right=right))


def _sum(gradient: Expr, added: tuple[Expr, ...], components: tuple[Expr, ...]) -> Expr:
    """The gradient and the penalty's, for these components."""
    return Add(gradient, *(_placed(one, components) for one in added), evaluate=False)


def _placed(expr: Expr, components: tuple[Expr, ...]) -> Expr:
    """Entries that stand for all components ⇒ entries of these."""

    def change(node: Basic) -> Basic | None:
        return node.base[(*node.indices, *components)] if isinstance(node, Indexed) else None

    return rewrite(expr, change)
