"""Reverse mode through equations with indexed letters: one adjoint a letter, each found once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Ordered
from dataclasses import dataclass

from sympy import (
    Add,
    Derivative,
    DiracDelta,
    Dummy,
    Expr,
    Heaviside,
    Indexed,
    KroneckerDelta,
    Mul,
    S,
    ceiling,
    floor,
    sign,
)

from symopt.calculus.rules import simplified
from symopt.errors import DerivationError
from symopt.nodes import Largest, Sigma
from symopt.notation import Index
from symopt.printing.unicode import unicode


@dataclass(frozen=True)
class Definition:
    """``letter = value``: a letter for each value of ``index`` up to ``size``, or a single one.

    ``value`` is canonical; ``written`` keeps the order of the author, where there is one.
    ``others`` are further indices, where a letter has several.
    """

    id: str
    letter: Expr
    value: Expr
    index: Index | None = None
    size: Expr | None = None
    written: Expr = S.Zero
    others: tuple[tuple[Index, Expr], ...] = ()


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
        for index, size in reversed(one.others):
            share = Sigma(share, (index, S.One, size))
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
    """∂value/∂target, deltas where components may coincide.

    Entries of the target and sums over them are what the chain rule goes through, so a delta
    stands beside the branches of a case distinction and not in them.
    """
    if not isinstance(target, Indexed):
        return simplified(_almost_everywhere(value.diff(target).doit()))
    inner = dict.fromkeys(_outermost(value, target.base))
    marks = {one: Dummy(real=True) for one in inner}
    marked = value.xreplace(marks)
    back = {mark: one for one, mark in marks.items()}
    shares = []
    for one, mark in marks.items():
        slope = _almost_everywhere(marked.diff(mark).doit()).xreplace(back)
        if isinstance(one, Largest):
            raise DerivationError(
                f"the gradient by {unicode(target)} goes through {unicode(one)}, which has none "
                "where two are largest; let nothing depend on which is the largest, as a shift by "
                "it that cancels"
            )
        if isinstance(one, Sigma):
            own: Expr = Sigma(_derivative(one.body, target), one.args[1])
        else:
            own = _same_place(one, target)
        shares.append(slope * own)
    return simplified(Add(*shares))


def _almost_everywhere(slope: Expr) -> Expr:
    """Derivatives of what jumps or has steps as they are beside the jump: numbers, not deltas.

    sign and ⌊x⌋ have the derivative 0, max(a, b) half of each where they are equal.
    """
    slope = slope.replace(DiracDelta, lambda *_: S.Zero)
    slope = slope.replace(Heaviside, lambda of, *_: (1 + sign(of)) / 2)
    flat = {one: S.Zero for one in slope.atoms(Derivative) if one.expr.func in (floor, ceiling)}
    return slope.xreplace(flat).doit()


def _outermost(value: Expr, base: Expr) -> Iterator[Expr]:
    """Entries of a letter, and sums that hold some, none inside of another."""
    if isinstance(value, Indexed):
        if value.base == base:
            yield value
    elif isinstance(value, Sigma | Largest):
        if any(one.base == base for one in value.atoms(Indexed)):
            yield value
    else:
        for part in value.args:
            yield from _outermost(part, base)


def _same_place(entry: Indexed, target: Indexed) -> Expr:
    """1 where the two are the same element, else 0.

    Raises
    ------
    DerivationError
        If the letter is written with unlike numbers of indices.
    """
    if len(entry.indices) != len(target.indices):
        raise DerivationError(
            f"{unicode(target)} is also written as {unicode(entry)}; give it indices of one kind"
        )
    pairs = zip(entry.indices, target.indices, strict=True)
    return Mul(*(KroneckerDelta(one, other) for one, other in pairs))
