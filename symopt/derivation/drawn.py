"""The random letters of a layer, what each is drawn from, and where its values stand."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Basic, Indexed

from symopt.declaration import Drawn, Layer
from symopt.nodes import Distribution
from symopt.notation import Sequence

Draws = Mapping[Sequence, Distribution]


def draws(layer: Layer) -> Draws:
    """What each random letter of a layer is drawn from, in the order of the declaration."""
    stated = (one.content for one in layer.statements)
    return {one.letter.base: one.distribution for one in stated if isinstance(one, Drawn)}


def entries_drawn(expr: Basic, drawn: Draws) -> tuple[Indexed, ...]:
    """The values of random letters that an expression reads."""
    found = (one for one in expr.atoms(Indexed) if one.base in drawn)
    return tuple(sorted(found, key=str))
