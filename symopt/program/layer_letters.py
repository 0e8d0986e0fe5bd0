"""The letters of a layer, and what they are called in Python."""

from __future__ import annotations

from sympy import Expr, Indexed, Symbol

from symopt.declaration import Layer
from symopt.derivation.unbiased import answered
from symopt.notation import Count, Hyperparameter, Label, Parameter, Sequence, Statistic
from symopt.program.randomness import sources
from symopt.views import occurrences


def letter_names(layer: Layer) -> set[str]:
    """The Python names of all letters in a layer's equations."""
    found = {base.spelling.python for base in _bases(layer)}
    found |= {one.spelling.python for source in sources(layer) for one in source.read}
    for _, one in answered(layer).equations:
        found |= {symbol.spelling.python for symbol in _symbols(one.left, one.right)}
    return found


def _bases(layer: Layer) -> set[Sequence]:
    return {
        entry.base
        for _, one in answered(layer).equations
        for side in (one.left, one.right)
        for entry in occurrences(side, Indexed)
    }


def _symbols(*exprs: Expr) -> set[Symbol]:
    kinds = (Count, Hyperparameter, Label, Parameter, Statistic)
    return {one for expr in exprs for one in expr.atoms(*kinds)}


def name_of(letter: Expr) -> str:
    """The Python name of a letter, with or without an index."""
    base = letter.base if isinstance(letter, Indexed) else letter
    name: str = base.spelling.python
    return name
