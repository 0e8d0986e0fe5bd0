"""Whether each line of a chain follows, the first that does not, and the slip that mends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sympy import Basic, Dummy, Indexed, Symbol

from symopt.calculus.adjoints import Definition
from symopt.derivation.steps import Derivation, Line
from symopt.nodes import Expectation, Gradient, Sigma, Variance
from symopt.notation import Label
from symopt.notation import Sequence as Letters
from symopt.proof.asking import Asked, as_given, asked
from symopt.proof.chains import AGREES, DEFINED, UNKNOWN, Chain, ChainVerdict, Equality, Step
from symopt.proof.clock import now
from symopt.proof.definitions import defining
from symopt.proof.holding import Ground, grounds, held
from symopt.proof.mending import mend
from symopt.proof.numbers import Number
from symopt.proof.outcomes import PROVED, REFUTED, SECONDS, UNDECIDED
from symopt.proof.search import spelt
from symopt.proof.worlds import Beside, World, worlds
from symopt.symbols import m
from symopt.views import canonical

# lines that a proof by normal forms can take are given this share of the time
_FOR_A_PROOF = 0.5


def check_chain(chain: Chain, *, seconds: float = SECONDS) -> ChainVerdict:
    """The first line of a chain that does not follow, or that all of them do.

    The first line with a letter alone on its left defines it. Gradients are those of the loss by
    the letters before, E of what does not depend on chance is taken as it stands.
    """
    found: list[Step] = []
    equations = forward(chain)
    for k, line in enumerate(chain.whole):
        if k < len(chain.given):
            continue
        beside = Beside(chain.drawn, varied=True)
        here = worlds(_until(chain, k), {}, equations, chain.assumptions, beside)
        refuted, agreed = _held(line, grounds(line.left, chain.given, here))
        if _defines(chain, k) and refuted is None:
            found.append(Step(line, DEFINED))
            continue
        answer = None if _defines(chain, k) else asked(chain, k, equations, seconds * _FOR_A_PROOF)
        if answer is not None and answer.refuted is not None:
            refuted = answer.refuted.point, answer.refuted.values
        if refuted is not None:
            slip, corrected = mend(chain, k, equations, here, now() + seconds)
            number = k + 1 - len(chain.given)
            return ChainVerdict(chain, REFUTED, tuple(found), number, *refuted, slip, corrected)
        if answer is None or answer.status != PROVED:
            answer = as_given(line, chain, seconds * _FOR_A_PROOF) or answer
        found.append(_step(line, answer, agreed))
    sure = all(one.status in (DEFINED, PROVED) for one in found)
    return ChainVerdict(chain, PROVED if sure else UNDECIDED, tuple(found))


def _step(line: Equality, answer: Asked | None, agreed: int) -> Step:
    """What became of a line that nothing refutes."""
    proved = answer is not None and answer.status == PROVED
    # what a gradient or a mean is, is told from numbers as well before it counts
    if answer is not None and proved and (agreed or not answer.replaced):
        return Step(line, PROVED, answer.conditions)
    return Step(line, AGREES if agreed else UNKNOWN)


Place = tuple[tuple[tuple[Basic, Basic], ...], tuple[Basic, ...]]


def _held(line: Equality, several: Sequence[Ground]) -> tuple[Place | None, int]:
    """Where a line fails in some worlds, and at how many places it holds before that."""
    agreed = 0
    for ground in several:
        for bound, same, sides in held(line, ground):
            if same is False:
                point = _shown(line, ground.world, bound)
                return (point, (spelt(sides[0]), spelt(sides[1]))), agreed
            agreed += same is True
    return None, agreed


def _until(chain: Chain, k: int) -> Derivation:
    """The chain up to its k-th line."""
    return Derivation(chain.name, chain.name, _lines(chain.whole[: k + 1]))


def _shown(
    line: Equality, world: World, bound: Mapping[Basic, Number]
) -> tuple[tuple[Basic, Basic], ...]:
    """The numbers of a world: indices, symbols, entries of what is given, means of it."""
    point = [(one, spelt(value)) for one, value in bound.items()]
    point += [
        (one, spelt(value))
        for one, value in world.point.symbols.items()
        if not isinstance(one, Label) and type(one) is not Symbol
    ]
    means, beside = _read(line)
    for (base, places), value in world.point.entries.items():
        named = isinstance(base, Letters) or str(base).startswith("dL/d")
        if named and base not in means - beside and 1 <= places[0] <= world.longest:
            point.append((base[places], spelt(value)))
    for one in sorted(means, key=str):
        if any((one, (1,)) in entries for _, entries in world.point.outcomes):
            value = world.value(Expectation(one[1]), {})
            point.append((Expectation(one[1]), spelt(value)))
    return tuple(point)


def _read(line: Equality) -> tuple[set[Basic], set[Basic]]:
    """The letters of which a line has means, and those that stand beside them."""
    nodes = [one for side in (line.left, line.right) for one in side.atoms(Expectation, Variance)]
    marks = {one: Dummy() for one in nodes}
    beside = [side.xreplace(marks) for side in (line.left, line.right)]
    return (
        {base for one in nodes for base in one.atoms(Letters)},
        {base for side in beside for base in side.atoms(Letters)},
    )


def _lines(several: Sequence[Equality]) -> tuple[Line, ...]:
    return tuple(Line(one.left, one.right, "") for one in several)


def _defines(chain: Chain, k: int) -> bool:
    return k in defining(_lines(chain.whole[: k + 1]))


def forward(chain: Chain) -> tuple[Definition, ...]:
    """The lines before the first gradient that define letters, as the equations of a layer."""
    if chain.forward:
        return chain.forward
    found: list[Definition] = []
    for k, line in enumerate(chain.whole):
        if line.left.has(Gradient) or line.right.has(Gradient):
            break
        left = canonical(line.left)
        if _defines(chain, k):
            index = left.indices[0] if isinstance(left, Indexed) else None
            sums = line.right.atoms(Sigma)
            size = next((one.bounds[1] for one in sums if one.bounds), m)
            found.append(Definition(f"line {k + 1}", left, canonical(line.right), index, size))
    return tuple(found) if any(line.left.has(Gradient) for line in chain.whole) else ()
