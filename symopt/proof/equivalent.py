"""The question and its three answers: are two expressions equal wherever both have a value?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sympy import Expr, Ne, sympify

from symopt.declaration import Declaration, UpdateRule
from symopt.derivation.steps import Derivation, Reason
from symopt.errors import UsageError
from symopt.proof.assumptions import Setting, flat, setting
from symopt.proof.clock import OutOfTime, limit, now
from symopt.proof.continuity import needed
from symopt.proof.induction import by_induction
from symopt.proof.outcomes import PROVED, REFUTED, SECONDS, UNDECIDED
from symopt.proof.proving import Attempt, Problem, Proof, prove
from symopt.proof.reading import readable
from symopt.proof.rules import RuleSearch
from symopt.proof.search import Count, Difference, differ
from symopt.proof.telling import Refuted, told
from symopt.proof.verdict import Verdict

# of the time, how much may go by before a proof is begun
_SEARCH = 0.4


def equivalent(
    left: Any,
    right: Any,
    assumptions: Any = (),
    *,
    relation: Mapping[Any, Any] | None = None,
    seconds: float = SECONDS,
) -> Verdict:
    """Whether two expressions are equal wherever both have a value, or two rules step by step.

    Letters are real unless SymPy was told otherwise; letters in bounds of sums and places of
    entries are whole numbers, and no sum ends earlier than one before its start. Powers and
    logarithms have their principal values, so that √(x²) is |x| and √x·√y need not be √(x·y).
    ``assumptions`` are relations (``x > 0``, ``Ne(x, 0)``), predicates (``Q.positive(x)``) and
    definitions of entries (``Eq(v[t], beta*v[t - 1] + g[t])`` for t > 0, ``Eq(v[0], 0)``).
    After ``seconds`` the answer is undecided.

    Two update rules are the same if from the same θ each sequence of gradients leads them through
    the same parameters, the gradients being taken at the same points. That is proved by induction
    over a ``relation`` between what they carry along: letters of the second rule as expressions in
    entries of the first before step t, such as ``{v: v[t - 1] / alpha}``. Where none is given one
    of multiples is looked for. A relation for θ itself is a change of variables.

    >>> from sympy import sqrt
    >>> from sympy.abc import x, y
    >>> print(equivalent(sqrt(x**2), x))
    refuted: √(x²) = x
      at x = −1
      left is 1, right is −1
    >>> equivalent(sqrt(x) * sqrt(y), sqrt(x * y), [x > 0, y > 0]).status
    'proved'

    Raises
    ------
    UsageError
        For what is no expression, no assumption, or assumptions that no number satisfies.
    """
    search = _search(left, right, assumptions, relation)
    try:
        with limit(seconds):
            return _answer(search, now() + seconds)
    except OutOfTime:
        search.attempt.tried[f"all of this for {seconds:g} s, the limit of time"] = None
        return search.undecided()


def _search(
    left: Any, right: Any, assumptions: Any, relation: Mapping[Any, Any] | None
) -> _Search | RuleSearch:
    if isinstance(left, UpdateRule) and isinstance(right, UpdateRule):
        found = RuleSearch(left, right, tuple(flat(assumptions)), relation)
        found.prepare()
        return found
    if relation is not None:
        raise UsageError("a relation is between two update rules; leave it out for expressions")
    sides = _read(left), _read(right)
    return _Search(*sides, setting(sides, assumptions))


def _answer(search: _Search | RuleSearch, until: float) -> Verdict:
    try:
        return search.decided(until)
    except Refuted as mistake:
        search.attempt.tried[f"a proof whose check failed: {mistake}"] = None
    except Exception as error:  # SymPy gives up in many ways, and none of them is an answer
        search.attempt.tried[f"what ended in {type(error).__name__}: {error}"] = None
    return search.undecided()


def _read(side: Any) -> Expr:
    if isinstance(side, Declaration):
        raise UsageError(
            f"{side.name} is {side.a_kind}; two update rules are compared, or two expressions"
        )
    try:
        found = sympify(side, strict=True)
    except Exception:
        found = None
    if not isinstance(found, Expr) or getattr(found, "is_Matrix", False):
        raise UsageError(f"{side!r} is no expression; give one of SymPy's, such as x**2 + 1")
    return found


@dataclass
class _Search:
    """One question on its way to an answer; what was found so far outlives the limit of time."""

    left: Expr
    right: Expr
    within: Setting
    attempt: Attempt = field(default_factory=Attempt)
    count: Count = field(default_factory=Count)

    def decided(self, until: float) -> Verdict:
        sides = self.within.inward(self.left), self.within.inward(self.right)
        problem = Problem(sides[0], sides[1], self.within.conditions)
        start = now()
        found, self.count = differ(*sides, self.within, start + _SEARCH * (until - start))
        if found is not None:
            return self._refuted(found)
        self.attempt.tried.update(self.count.unknown)
        proof = self._proof(problem)
        if proof is None:
            return self.undecided()
        if not self.count.agreed:
            self.attempt.tried["a proof, but no point has a value on both sides"] = None
            return self.undecided()
        return self._proved(problem, proof, until)

    def _proof(self, problem: Problem) -> Proof | None:
        found = None
        if not self.within.definitions:
            found = prove(problem, self.attempt)
        return found or by_induction(problem, self.within.definitions, self.attempt)

    def _refuted(self, found: Difference) -> Verdict:
        return Verdict(
            self.left,
            self.right,
            REFUTED,
            point=found.point,
            values=found.values,
            agreed=self.count.agreed,
            how=self.count.how,
        )

    def _proved(self, problem: Problem, proof: Proof, until: float) -> Verdict:
        kept = [*proof.divisors, *(one for one in proof.introduced if needed(one, problem))]
        conditions: tuple[Reason, ...] = tuple(
            (Ne(readable(self.within.outward(one)), 0, evaluate=False),)
            for one in dict.fromkeys(kept)
        )
        shown: Derivation = told(proof, (problem.left, problem.right), self.within, until)
        return Verdict(
            self.left,
            self.right,
            PROVED,
            derivation=shown,
            conditions=(*conditions, *self.within.said),
            agreed=self.count.agreed,
            how=self.count.how,
        )

    def undecided(self) -> Verdict:
        return Verdict(
            self.left,
            self.right,
            UNDECIDED,
            agreed=self.count.agreed,
            how=self.count.how,
            tried=tuple(self.attempt.tried) or ("comparing values at points",),
        )
