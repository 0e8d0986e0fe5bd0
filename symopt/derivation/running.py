"""Running statistics corrected for what they started from, by the bias correction of sequences.

A statistic that an equation updates from its own past is a sequence in the steps: what stands on
the right is its value at the step before, and a statistic of the batch is given anew at each step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sympy import Add, Basic, Expr, S

from symopt.declaration import Debias, Equation, Layer, SideBySide, Statement
from symopt.derivation.bias import Correction, correct
from symopt.derivation.steps import Derivation
from symopt.errors import DerivationError
from symopt.notation import Sequence, Statistic, given, hat, sequence
from symopt.printing.unicode import unicode
from symopt.symbols import t
from symopt.views import canonical, rewrite


@dataclass(frozen=True)
class RunningCorrection:
    """The corrected value of a running statistic.

    ``letter`` is its letter under a hat and ``value`` what that is worth after step t, in terms
    of the running statistic, hyperparameters and the step ``symopt.symbols.t``, which counts
    from 1; ``shown`` is the two as written. The derivation tells the steps apart by an index.
    """

    statistic: Statistic
    letter: Statistic
    value: Expr
    shown: Equation
    derivation: Derivation


def corrections(layer: Layer) -> tuple[RunningCorrection, ...]:
    """The corrected form of each running statistic that a layer asks for, in its order.

    Raises
    ------
    DerivationError
        If a statistic has no initial value, or no linear recurrence with constant weights.
    """
    return tuple(
        _corrected(layer, layer.id_of(statement.key), one)
        for statement in layer.statements
        if isinstance(statement.content, Debias)
        for one in statement.content.sequences
        if isinstance(one, Statistic)
    )


def completed_layer(layer: Layer) -> tuple[Statement, ...]:
    """The layer's statements, each request replaced by the equations that follow."""
    found = {one.statistic: one.shown for one in corrections(layer)}
    return tuple(
        replace(one, content=SideBySide(tuple(found[letter] for letter in one.content.sequences)))
        if isinstance(one.content, Debias)
        else one
        for one in layer.statements
    )


def _corrected(layer: Layer, where: str, letter: Statistic) -> RunningCorrection:
    id, stated = _update(layer, where, letter)
    initial = dict(layer.initial_values)
    if letter not in initial:
        raise DerivationError(
            f"{id} reads the past of {unicode(letter)}, which has no initial value; write "
            f"initial={{{letter.spelling.python}: 0}} in the layer, or what else it starts from"
        )
    in_steps = _as_sequence(stated, letter)
    found = correct(id, in_steps, initial[letter], t)
    if len(found.computed) > 1:
        raise DerivationError(
            f"debias({unicode(letter)}) does not apply: {id} weights by the step, so that the "
            "correction is no formula of the step alone; use weights that do not change"
        )
    shown = Equation(hat(letter), _as_statistic(found, in_steps.left, letter))
    return RunningCorrection(letter, hat(letter), canonical(shown.right), shown, found.derivation)


def _update(layer: Layer, where: str, letter: Statistic) -> tuple[str, Equation]:
    """The equation that updates a statistic from its own past."""
    for id, one in layer.equations:
        if one.left == letter and canonical(one.right).has(letter):
            return id, one
    raise DerivationError(
        f"{where} corrects {unicode(letter)}, which no equation updates from its own past; "
        "write its running average"
    )


def _as_sequence(stated: Equation, letter: Statistic) -> Equation:
    """μ = αμ_B + (1 − α)μ ⇒ μ_t = αμ_{B,t} + (1 − α)μ_{t−1}."""

    def change(node: Basic) -> Basic | None:
        if node == letter:
            return _spelt(sequence, letter)[Add(t, S.NegativeOne, evaluate=False)]
        return _spelt(given, node)[t] if isinstance(node, Statistic) else None

    return Equation(_spelt(sequence, letter)[t], rewrite(stated.right, change))


def _spelt(make: Callable[..., Sequence], letter: Statistic) -> Sequence:
    spelling = letter.spelling
    names = {"latex": spelling.latex, "unicode": spelling.unicode, "python": spelling.python}
    return make(spelling.python, **names)


def _as_statistic(found: Correction, entry: Expr, letter: Statistic) -> Expr:
    return rewrite(found.shown.right, {entry: letter}.get)
