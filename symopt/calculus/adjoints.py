"""Reverse mode through equations with indexed letters: one adjoint a letter, each found once."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Ordered
from dataclasses import dataclass

from sympy import Add, Expr, Indexed, S

from symopt.calculus.rules import simplified
from symopt.errors import DerivationError
from symopt.nodes import Sigma
from symopt.notation import Index
from symopt.printing.unicode import unicode


@dataclass(frozen=True)
class Definition:
    """``letter = value``: a letter for each value of ``index`` up to ``size``, or a single one.

    ``value`` is canonical; ``written`` keeps the order of the author, where there is one.
    """

    id: str
    letter: Expr
    value: Expr
    index: Index | None = None
    size: Expr | None = None
    written: Expr = S.Zero


@dataclass(frozen=True)
class Path:
    """What one definition contributes to an adjoint."""

    through: Definition
    share: Expr


def paths(
    target: Expr, definitions: Ordered[Definition], adjoint: Mapping[Expr, Expr]
) -> tuple[Path, ...]:
    """The ways in which a loss depends on a letter, one for each definition that reads it.

    An indexed target is given at an index of its own; ``adjoint`` holds dL/d(letter) for each
    later letter, for an indexed one at its definition's index.
    """
    found = []
    for one in definitions:
        if not _reads(one.value, target):
            continue
        local = _derivative(one.value, target)
        share = adjoint[one.letter] * local
        if one.index is not None:
            share = Sigma(share, (one.index, S.One, one.size))
        share = simplified(share)
        if share != 0:
            found.append(Path(one, share))
    return tuple(found)


def total(several: tuple[Path, ...]) -> Expr:
    """The adjoint: all ways added up."""
    return Add(*(one.share for one in several))


def _reads(value: Expr, target: Expr) -> bool:
    if isinstance(target, Indexed):
        return any(one.base == target.base for one in value.atoms(Indexed))
    return value.has(target)


def _derivative(value: Expr, target: Expr) -> Expr:
    """∂value/∂target, deltas where components may coincide."""
    try:
        return simplified(value.diff(target).doit())
    except ValueError as error:
        raise DerivationError(
            f"{unicode(target)} is no letter that a derivative can be taken by; {error}"
        ) from error
