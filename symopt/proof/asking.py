"""What is known of a line of a chain: proved from what the lines before say, or why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

from sympy import Basic, Eq, Indexed, Ne, Symbol
from sympy.core.function import AppliedUndef

from symopt.calculus.adjoints import Definition
from symopt.derivation.steps import Line, Reason
from symopt.errors import SymoptError
from symopt.proof.assumptions import setting
from symopt.proof.chains import Chain, Equality
from symopt.proof.clock import OutOfTime, limit, now
from symopt.proof.equivalent import equivalent
from symopt.proof.means import Means
from symopt.proof.node_values import OPAQUE
from symopt.proof.outcomes import PROVED, REFUTED
from symopt.proof.proving import Attempt, Problem, prove
from symopt.proof.reading import readable
from symopt.proof.search import Difference
from symopt.proof.slopes import without_gradients
from symopt.proof.unfolding import Names, Said, Unclear, plain, said, unfolded
from symopt.proof.verdict import Verdict
from symopt.views import canonical

Assumed = tuple[Basic, ...]


@dataclass(frozen=True)
class Asked:
    """What is known of a line once letters are put in, and under which conditions that holds.

    Where gradients or means were ``replaced``, only a proof counts, and that with numbers beside.
    Of a line that is ``refuted`` there is a point, and what both sides are worth there.
    """

    status: str
    conditions: tuple[Reason, ...] = ()
    replaced: bool = False
    refuted: Difference | None = None


def asked(chain: Chain, k: int, equations: tuple[Definition, ...], seconds: float) -> Asked | None:
    """What is known of a line; nothing where it is about what no proof speaks of."""
    return _asked(chain.whole[: k + 1], chain.assumptions, equations, seconds)


def as_given(line: Equality, chain: Chain, seconds: float) -> Asked | None:
    """A proof that a line is one that is given, its right side written in another way."""
    left, right = canonical(line.left), canonical(line.right)
    for one in chain.given:
        if canonical(one.left) != left:
            continue
        if canonical(one.right) == right:
            return Asked(PROVED)
        try:
            verdict = equivalent(canonical(one.right), right, chain.assumptions, seconds=seconds)
        except Exception:  # what SymPy or we cannot read is not answered
            continue
        if verdict.status == PROVED:
            return Asked(PROVED, verdict.conditions)
    return None


@lru_cache(maxsize=256)  # chains that are changed somewhere have the lines before that in common
def _asked(
    lines: tuple[Equality, ...],
    assumptions: Assumed,
    equations: tuple[Definition, ...],
    seconds: float,
) -> Asked | None:
    try:
        return _answer(lines, assumptions, equations, now() + seconds)
    except (SymoptError, Unclear):  # what cannot be asked is not answered
        return None
    except Exception:  # SymPy gives up in many ways, and none of them is an answer
        return None


def _answer(
    lines: tuple[Equality, ...],
    assumptions: Assumed,
    equations: tuple[Definition, ...],
    until: float,
) -> Asked | None:
    names = count()
    *before, line = (Line(one.left, one.right, "") for one in lines)
    known = said(before)
    written = [plain(canonical(side), names) for side in (line.left, line.right)]
    means = Means(known, names)
    sides = [means.without_means(without_gradients(one, equations, names)) for one in written]
    known = known.beside(means.said())
    if any(side.has(*OPAQUE) for side in sides):
        return None
    if sides == written:
        return _plainly(sides, assumptions, known, names, until)
    for under in _proofs(sides, assumptions, known, names, until):
        if under is not None:
            return Asked(PROVED, (*under, *means.conditions), True)
        if now() > until:
            break
    return None


def _proofs(
    sides: list[Basic], assumptions: Assumed, known: Said, names: Names, until: float
) -> Iterator[tuple[Reason, ...] | None]:
    """The conditions of a proof, or nothing where none is found, in one way after another."""
    *some, everything = _amounts(known)
    yield from _by_relations(sides, assumptions, known, names, until)
    for put in some:
        yield _put_in(sides, assumptions, put, names, until)
    yield _put_in(sides, assumptions, everything, names, until)


def _put_in(
    sides: list[Basic], assumptions: Assumed, put: Said, names: Names, until: float
) -> tuple[Reason, ...] | None:
    """The conditions of a proof once so much is put in, whatever other letters are."""
    verdict = _verdict(sides, assumptions, put, names, until)
    return verdict.conditions if verdict.status == PROVED else None


def _plainly(
    sides: list[Basic], assumptions: Assumed, known: Said, names: Names, until: float
) -> Asked:
    """What is known of a line without gradients and means, which numbers may refute."""
    for under in _by_relations(sides, assumptions, known, names, until):
        if under is not None:
            return Asked(PROVED, under, True)
    verdict = _verdict(sides, assumptions, known, names, until)
    found = Difference(verdict.point, verdict.values) if verdict.status == REFUTED else None
    return Asked(verdict.status, verdict.conditions, refuted=found)


def _by_relations(
    sides: list[Basic], assumptions: Assumed, known: Said, names: Names, until: float
) -> Iterator[tuple[Reason, ...] | None]:
    """The conditions of proofs in which what is said of letters is made use of, not put in."""
    *some, _ = _amounts(known)
    for put in some:
        yield _related(sides, assumptions, known, put, names, until)


def _related(
    sides: list[Basic],
    assumptions: Assumed,
    known: Said,
    put: Said,
    names: Names,
    until: float,
) -> tuple[Reason, ...] | None:
    kept = [one for letter, one in known.values.items() if letter not in put.values]
    if any(not isinstance(one.lhs, Symbol) for one in kept) or known.recurrences or not kept:
        return None
    relations = (Eq(one.lhs, plain(one.rhs, names), evaluate=False) for one in kept)
    several = [unfolded(one, put, names) for one in (*sides, *relations)]
    within = setting(several[:2], (*assumptions, *several[2:]))
    left, right = (within.inward(one) for one in several[:2])
    try:
        with limit(until - now()):
            proof = prove(Problem(left, right, within.conditions), Attempt())
    except OutOfTime:
        return None
    if proof is None:
        return None
    below = dict.fromkeys((*proof.divisors, *proof.introduced))
    return tuple((Ne(readable(within.outward(one)), 0, evaluate=False),) for one in below)


def _verdict(
    sides: list[Basic], assumptions: Assumed, known: Said, names: Names, until: float
) -> Verdict:
    left, right = (unfolded(side, known, names) for side in sides)
    stated = (*assumptions, *known.assumptions((left, right), names))
    return equivalent(left, right, stated, seconds=max(until - now(), 0))


def _amounts(known: Said) -> Iterator[Said]:
    """How much may be put in: nothing, letters with an index or arguments, others one by one."""
    always = (Indexed, AppliedUndef)
    entries = [letter for letter, one in known.values.items() if isinstance(one.lhs, always)]
    single = [letter for letter in known.values if letter not in entries]
    yield known.only(())
    for many in range(len(single) + 1):
        yield known.only((*entries, *single[:many]))
