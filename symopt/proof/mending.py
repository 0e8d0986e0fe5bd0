"""The slip of the pen by which one edit of a line makes it follow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sympy import Basic, Expr, Indexed, IndexedBase, Mul, Symbol

from symopt.calculus.adjoints import Definition, paths
from symopt.errors import SymoptError
from symopt.nodes import Gradient
from symopt.notation import Index
from symopt.proof.chains import Chain, Equality
from symopt.proof.clock import OutOfTime, limit, now
from symopt.proof.holding import Ground, grounds, held
from symopt.proof.slips import Around, mended, written
from symopt.proof.worlds import World
from symopt.views import canonical


def mend(
    chain: Chain,
    k: int,
    forward: Sequence[Definition],
    several: Sequence[World],
    until: float,
) -> tuple[str, Equality | None]:
    """The first slip in the table by which an edit of the k-th line makes it follow."""
    try:
        with limit(until - now()):
            own = grounds(chain.whole[k].left, chain.given, several)
            for name, candidate in _candidates(chain, k, forward):
                same = candidate.left == chain.whole[k].left
                if _follows(
                    candidate, own if same else grounds(candidate.left, chain.given, several)
                ):
                    return name, candidate
    except OutOfTime:
        pass
    return "", None


def _follows(candidate: Equality, several: Sequence[Ground]) -> bool:
    """Whether a mended line holds wherever it is compared, and is not x = x."""
    if canonical(candidate.left) == canonical(candidate.right):
        return False
    answers = []
    for ground in several:
        for _, same, _ in held(candidate, ground):
            if same is not True:
                return False
            answers.append(same)
    return bool(answers)


def _candidates(
    chain: Chain, k: int, forward: Sequence[Definition]
) -> Iterator[tuple[str, Equality]]:
    line = chain.whole[k]
    yield from (
        ("a derivative that forgot a way", replace(line, right=right))
        for right in _with_ways(line, forward)
    )
    # what a line says of a letter is not said by the letter itself
    letters = tuple(one for one in letters_of(chain, k) if one != canonical(line.left))
    lines = chain.whole[: k + 1]
    factors, terms = written([*(one.right for one in lines), *(one.left for one in lines)])
    around = Around(letters, (*_slopes(line, forward), *factors), terms)
    for name, right in mended(line.right, around):
        if not _from_ahead(canonical(line.left), right):
            yield name, replace(line, right=right)
    if not isinstance(line.left, Symbol | Indexed | Gradient):
        for name, left in mended(line.left, around):
            yield name, replace(line, left=left)


def _from_ahead(left: Basic, right: Basic) -> bool:
    """Whether an entry is to follow from one at its own place or later, which nobody means."""
    if not isinstance(left, Indexed):
        return False
    own = [one for one in right.atoms(Indexed) if one.base == left.base]
    return any((one.indices[0] - left.indices[0]).is_nonnegative for one in own)


def _with_ways(line: Equality, definitions: Sequence[Definition]) -> Iterator[Expr]:
    """The right side with one more way in which the loss depends on the letter."""
    for share in _shares(line, definitions):
        yield line.right + share


def _slopes(line: Equality, definitions: Sequence[Definition]) -> Iterator[Expr]:
    """The factors of what each way gives."""
    for share in _shares(line, definitions):
        yield from share.args if isinstance(share, Mul) else ()


def _shares(line: Equality, definitions: Sequence[Definition]) -> Iterator[Expr]:
    """What each way in which the loss depends on a letter gives to the gradient by it."""
    left = canonical(line.left)
    if not isinstance(left, Gradient):
        return
    adjoint = {one.letter: Gradient(left.loss.func, one.letter) for one in definitions}
    own = left.variable
    if isinstance(own, Indexed) and len(own.indices) > 1:
        return
    place = own.base[_other(own)] if isinstance(own, Indexed) else own
    try:
        ways = paths(place, definitions, adjoint)
    except SymoptError:  # through the largest of a group there is no single way
        return
    for way in ways:
        share = way.share
        if isinstance(own, Indexed):
            names = {place.indices[0]: own.indices[0], own.indices[0]: place.indices[0]}
            share = share.xreplace(names)
        yield share


def _other(own: Indexed) -> Index:
    (index,) = own.indices
    return Index(index.spelling.primed, index.facts, **index._assumptions_orig)


def letters_of(chain: Chain, k: int) -> tuple[Basic, ...]:
    """All letters of a chain up to its k-th line, in the order of their appearance."""
    found: dict[Basic, None] = {}
    for line in chain.whole[: k + 1]:
        for side in (line.left, line.right):
            labels = {one.args[0] for one in side.atoms(IndexedBase)}
            for one in sorted(side.atoms(Symbol, Indexed) - labels, key=str):
                if not (isinstance(one, Indexed) and one.indices[0].is_number):
                    found[one] = None
    return tuple(found)
