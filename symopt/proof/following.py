"""Whether each line of a chain follows, the first that does not, and the slip that mends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sympy import Basic, Eq, Expr, Indexed, Symbol

from symopt.calculus.adjoints import Definition
from symopt.derivation.steps import Derivation, Line
from symopt.errors import SymoptError, UsageError
from symopt.nodes import Gradient, Sigma
from symopt.notation import Label
from symopt.notation import Sequence as Letters
from symopt.proof.chains import AGREES, DEFINED, Chain, ChainVerdict, Equality, Step
from symopt.proof.clock import now
from symopt.proof.definitions import bare, defining
from symopt.proof.equivalent import equivalent
from symopt.proof.holding import Ground, grounds, held
from symopt.proof.mending import mend
from symopt.proof.node_values import OPAQUE
from symopt.proof.numbers import Number
from symopt.proof.outcomes import PROVED, REFUTED, SECONDS, UNDECIDED
from symopt.proof.search import spelt
from symopt.proof.verdict import Verdict
from symopt.proof.worlds import World, worlds
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
    for k, line in enumerate(chain.whole):
        if k < len(chain.given):
            continue
        if _defines(chain, k):
            found.append(Step(line, DEFINED))
            continue
        here = worlds(_until(chain, k), {}, forward(chain), chain.assumptions)
        verdict = _asked(chain, k, seconds * _FOR_A_PROOF)
        refuted = _fails(line, grounds(line.left, chain.given, here))
        if verdict is not None and verdict.status == REFUTED:
            refuted = verdict.point, verdict.values
        if refuted is not None:
            slip, corrected = mend(chain, k, forward(chain), here, now() + seconds)
            return ChainVerdict(chain, REFUTED, tuple(found), k + 1, *refuted, slip, corrected)
        sure = verdict is not None and verdict.status == PROVED
        found.append(Step(line, PROVED if sure else AGREES))
    sure = all(one.status in (DEFINED, PROVED) for one in found)
    return ChainVerdict(chain, PROVED if sure else UNDECIDED, tuple(found))


Place = tuple[tuple[tuple[Basic, Basic], ...], tuple[Basic, ...]]


def _fails(line: Equality, several: Sequence[Ground]) -> Place | None:
    """Where a line fails in some worlds."""
    for ground in several:
        for bound, same, sides in held(line, ground):
            if same is False:
                return _shown(ground.world, bound), (spelt(sides[0]), spelt(sides[1]))
    return None


def _until(chain: Chain, k: int) -> Derivation:
    """The chain up to its k-th line."""
    return Derivation(chain.name, chain.name, _lines(chain.whole[: k + 1]))


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


def _asked(chain: Chain, k: int, seconds: float) -> Verdict | None:
    """What is known of a line with definitions put in; nothing for gradients and expectations."""
    definitions = _definitions(chain, k)
    line = chain.whole[k]
    try:
        left, right = (_unfolded(canonical(one), definitions) for one in (line.left, line.right))
    except UsageError:  # an entry without its component, say, is not put in
        return None
    sums = left.atoms(Sigma) | right.atoms(Sigma)
    if left.has(*OPAQUE) or right.has(*OPAQUE) or any(one.bounds is None for one in sums):
        return None
    recurrences = (_equation(one) for one in definitions.values() if one[2])
    try:
        return equivalent(left, right, (*chain.assumptions, *recurrences), seconds=seconds)
    except SymoptError:  # what cannot be asked is not answered
        return None


def _equation(definition: tuple[Expr, Expr, bool]) -> Basic:
    return Eq(definition[0], definition[1], evaluate=False)


def _lines(several: Sequence[Equality]) -> tuple[Line, ...]:
    return tuple(Line(one.left, one.right, "") for one in several)


def _defines(chain: Chain, k: int) -> bool:
    return k in defining(_lines(chain.whole[: k + 1]))


def _definitions(chain: Chain, k: int) -> dict[Basic, tuple[Expr, Expr, bool]]:
    """Left, right and whether it is a recurrence, for each letter that lines before define."""
    found: dict[Basic, tuple[Expr, Expr, bool]] = {}
    for one in defining(_lines(chain.whole[:k])).values():
        start = isinstance(one.lhs, Indexed) and one.lhs.indices[0].is_Integer
        again = isinstance(one.lhs, Indexed) and one.rhs.has(one.lhs.base)
        found[one.lhs if start else bare(one.lhs)] = (one.lhs, one.rhs, again or start)
    return found


def _unfolded(expr: Expr, definitions: Mapping[Basic, tuple[Expr, Expr, bool]]) -> Expr:
    for _ in range(len(definitions) + 1):
        values: dict[Basic, Basic] = {}
        for one in expr.atoms(Symbol, Indexed):
            known = definitions.get(bare(one))
            if known is None or known[2]:
                continue
            left, right, _ = known
            if isinstance(left, Indexed) and isinstance(one, Indexed):
                if len(left.indices) != len(one.indices):
                    raise UsageError(f"{one} has another number of indices than {left}")
                right = right.xreplace(dict(zip(left.indices, one.indices, strict=True)))
            values[one] = right
        if not values:
            break
        expr = expr.xreplace(values)
    return expr


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
