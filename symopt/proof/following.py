"""Whether each line of a chain follows, the first that does not, and the slip that mends it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sympy import Basic, Eq, Expr, Indexed, Symbol

from symopt.calculus.adjoints import Definition, paths
from symopt.derivation.steps import Derivation, Line
from symopt.errors import SymoptError
from symopt.nodes import Gradient, Sigma
from symopt.notation import Index, Label
from symopt.notation import Sequence as Letters
from symopt.proof.chains import AGREES, DEFINED, Chain, ChainVerdict, Equality, Step
from symopt.proof.checking import check, compared
from symopt.proof.clock import OutOfTime, limit, now
from symopt.proof.equivalent import SECONDS, equivalent
from symopt.proof.node_values import OPAQUE
from symopt.proof.numbers import Number
from symopt.proof.search import spelt
from symopt.proof.slips import mended
from symopt.proof.verdict import PROVED, REFUTED, UNDECIDED
from symopt.proof.worlds import World, defining, worlds
from symopt.symbols import m
from symopt.views import canonical

# lines that a proof by normal forms can take are given this share of the time
_FOR_A_PROOF = 0.25


def check_chain(chain: Chain, *, seconds: float = SECONDS) -> ChainVerdict:
    """The first line of a chain that does not follow, or that all of them do.

    The first line with a letter alone on its left defines it. Gradients are those of the loss by
    the letters before, E of what does not depend on chance is taken as it stands.
    """
    found: list[Step] = []
    for k, line in enumerate(chain.lines):
        refuted = _fails(chain, k, line)
        if refuted is not None:
            slip, corrected = _mended(chain, k, now() + seconds)
            point, values = _smallest(chain, k, seconds * _FOR_A_PROOF) or refuted
            return ChainVerdict(chain, REFUTED, tuple(found), k + 1, point, values, slip, corrected)
        found.append(Step(line, _status(chain, k, seconds * _FOR_A_PROOF)))
    sure = all(one.status in (DEFINED, PROVED) for one in found)
    return ChainVerdict(chain, PROVED if sure else UNDECIDED, tuple(found))


Point = tuple[tuple[tuple[Basic, Basic], ...], tuple[Basic, ...]]


def _fails(chain: Chain, k: int, line: Equality) -> Point | None:
    """Where a line in the k-th place fails, in worlds that the lines before it make."""
    derivation = _ending(chain, k, line)
    last = derivation.lines[-1]
    for world in worlds(derivation, {}, forward(chain)):
        for bound, same, sides in compared(last, world):
            if same is False:
                return _shown(world, bound), (spelt(sides[0]), spelt(sides[1]))
    return None


def _ending(chain: Chain, k: int, line: Equality) -> Derivation:
    """The chain up to a line that stands in the k-th place."""
    return Derivation(chain.name, chain.name, _lines((*chain.lines[:k], line)))


def _shown(world: World, bound: Mapping[Basic, Number]) -> tuple[tuple[Basic, Basic], ...]:
    """The numbers of a world: indices, symbols, entries of what is given."""
    point = [(one, spelt(value)) for one, value in bound.items()]
    point += [
        (one, spelt(value))
        for one, value in world.point.symbols.items()
        if not isinstance(one, Label) and type(one) is not Symbol
    ]
    for (base, places), value in world.point.entries.items():
        named = isinstance(base, Letters) or str(base).startswith("dL/d")
        if named and 1 <= places[0] <= world.longest:
            point.append((base[places], spelt(value)))
    return tuple(point)


def _asked(chain: Chain, k: int) -> tuple[list[Expr], tuple[Basic, ...]]:
    """Both sides of a line with definitions put in, and what is assumed, recurrences too."""
    definitions = _definitions(chain, k)
    line = chain.lines[k]
    sides = [_unfolded(canonical(one), definitions) for one in (line.left, line.right)]
    recurrences = (one for one in definitions.values() if one[2])
    return sides, (*chain.assumptions, *map(_equation, recurrences))


def _smallest(chain: Chain, k: int, seconds: float) -> Point | None:
    """A counterexample in small numbers, for lines without gradients and expectations."""
    sides, assumed = _asked(chain, k)
    if any(side.has(*OPAQUE) for side in sides):
        return None
    try:
        found = equivalent(sides[0], sides[1], assumed, seconds=seconds)
    except SymoptError:
        return None
    return (found.point, found.values) if found.status == REFUTED else None


def _status(chain: Chain, k: int, seconds: float) -> str:
    if _defines(chain, k):
        return DEFINED
    sides, assumed = _asked(chain, k)
    try:
        proved = equivalent(sides[0], sides[1], assumed, seconds=seconds).status == PROVED
    except SymoptError:  # what cannot be asked is not proved
        proved = False
    return PROVED if proved else AGREES


def _equation(definition: tuple[Expr, Expr, bool]) -> Basic:
    return Eq(definition[0], definition[1], evaluate=False)


def _bare(letter: Basic) -> Basic:
    return letter.base if isinstance(letter, Indexed) else letter


def _lines(several: Sequence[Equality]) -> tuple[Line, ...]:
    return tuple(Line(one.left, one.right, "") for one in several)


def _defines(chain: Chain, k: int) -> bool:
    return k in defining(_lines(chain.lines[: k + 1]))


def _definitions(chain: Chain, k: int) -> dict[Basic, tuple[Expr, Expr, bool]]:
    """Left, right and whether it is a recurrence, for each letter that lines before define."""
    found: dict[Basic, tuple[Expr, Expr, bool]] = {}
    for one in defining(_lines(chain.lines[:k])).values():
        start = isinstance(one.lhs, Indexed) and one.lhs.indices[0].is_Integer
        again = isinstance(one.lhs, Indexed) and one.rhs.has(one.lhs.base)
        found[one.lhs if start else _bare(one.lhs)] = (one.lhs, one.rhs, again or start)
    return found


def _unfolded(expr: Expr, definitions: Mapping[Basic, tuple[Expr, Expr, bool]]) -> Expr:
    for _ in range(len(definitions) + 1):
        values: dict[Basic, Basic] = {}
        for one in expr.atoms(Symbol, Indexed):
            known = definitions.get(_bare(one))
            if known is None or known[2]:
                continue
            left, right, _ = known
            if isinstance(left, Indexed) and isinstance(one, Indexed):
                right = right.xreplace(dict(zip(left.indices, one.indices, strict=True)))
            values[one] = right
        if not values:
            break
        expr = expr.xreplace(values)
    return expr


def forward(chain: Chain) -> tuple[Definition, ...]:
    """The lines before the first gradient that define letters, as the equations of a layer."""
    found: list[Definition] = []
    for k, line in enumerate(chain.lines):
        if line.left.has(Gradient) or line.right.has(Gradient):
            break
        left = canonical(line.left)
        if _defines(chain, k):
            index = left.indices[0] if isinstance(left, Indexed) else None
            sums = line.right.atoms(Sigma)
            size = next((one.bounds[1] for one in sums if one.bounds), m)
            found.append(Definition(f"line {k + 1}", left, canonical(line.right), index, size))
    return tuple(found) if any(line.left.has(Gradient) for line in chain.lines) else ()


def _mended(chain: Chain, k: int, until: float) -> tuple[str, Equality | None]:
    """The first slip in the table by which an edit of the line makes it follow."""
    line = chain.lines[k]
    try:
        with limit(until - now()):
            for name, candidate in _candidates(chain, line):
                if _fails(chain, k, candidate) is None and _says_something(chain, k, candidate):
                    return name, candidate
    except OutOfTime:
        pass
    return "", None


def _says_something(chain: Chain, k: int, candidate: Equality) -> bool:
    """Whether a mended line was compared at all, and is not x = x."""
    if canonical(candidate.left) == canonical(candidate.right):
        return False
    derivation = _ending(chain, k, candidate)
    found = check(derivation, worlds(derivation, {}, forward(chain)))
    return bool(found.derivation.lines[-1].check)


def _candidates(chain: Chain, line: Equality) -> Iterator[tuple[str, Equality]]:
    yield from (
        ("a derivative that forgot a way", replace(line, right=right))
        for right in _with_ways(chain, line)
    )
    letters = _letters(chain)
    for name, right in mended(line.right, letters):
        yield name, replace(line, right=right)
    if not isinstance(line.left, Symbol | Indexed | Gradient):
        for name, left in mended(line.left, letters):
            yield name, replace(line, left=left)


def _with_ways(chain: Chain, line: Equality) -> Iterator[Expr]:
    """The right side with one more way in which the loss depends on the letter."""
    left = canonical(line.left)
    if not isinstance(left, Gradient):
        return
    definitions = forward(chain)
    adjoint = {one.letter: Gradient(left.loss.func, one.letter) for one in definitions}
    own = left.variable
    place = own.base[_other(own)] if isinstance(own, Indexed) else own
    for way in paths(place, definitions, adjoint):
        share = way.share
        if isinstance(own, Indexed):
            names = {place.indices[0]: own.indices[0], own.indices[0]: place.indices[0]}
            share = share.xreplace(names)
        yield line.right + share


def _other(own: Indexed) -> Index:
    (index,) = own.indices
    return Index(index.spelling.primed, index.facts, **index._assumptions_orig)


def _letters(chain: Chain) -> tuple[Basic, ...]:
    """All letters of a chain, in the order of their appearance."""
    found: dict[Basic, None] = {}
    for line in chain.lines:
        for side in (line.left, line.right):
            for one in sorted(side.atoms(Symbol, Indexed), key=str):
                if type(one).__name__ != "_Label":
                    found[one] = None
    return tuple(found)
