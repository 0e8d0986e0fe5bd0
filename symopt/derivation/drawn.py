"""The random letters of a layer, what each is drawn from, and where its values stand."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Basic, Float, Indexed, Rational

from symopt.declaration import Drawn, Layer
from symopt.nodes import Distribution
from symopt.notation import Sequence
from symopt.views import rewrite

Draws = Mapping[Sequence, Distribution]


def draws(layer: Layer) -> Draws:
    """What each random letter of a layer is drawn from, in the order of the declaration.

    Decimal fractions are taken as such, so that what follows is exact.
    """
    stated = (one.content for one in layer.statements)
    return {
        one.letter.base: rewrite(one.distribution, _exact)
        for one in stated
        if isinstance(one, Drawn)
    }


def _exact(node: Basic) -> Rational | None:
    return Rational(str(node)) if isinstance(node, Float) else None


def entries_drawn(expr: Basic, drawn: Draws) -> tuple[Indexed, ...]:
    """The values of random letters that an expression reads."""
    found = (one for one in expr.atoms(Indexed) if one.base in drawn)
    return tuple(sorted(found, key=str))
