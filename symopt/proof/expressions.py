"""Two expressions: a proof that they are equal, the smallest point where they differ, or none."""

from __future__ import annotations

from dataclasses import dataclass, field

from sympy import Expr, Ne

from symopt.derivation.steps import Derivation, Reason
from symopt.proof.assumptions import Setting
from symopt.proof.clock import now
from symopt.proof.continuity import needed
from symopt.proof.induction import by_induction
from symopt.proof.outcomes import PROVED, REFUTED, UNDECIDED
from symopt.proof.proving import Attempt, Problem, Proof, prove
from symopt.proof.reading import readable
from symopt.proof.search import Count, Difference, differ
from symopt.proof.telling import told
from symopt.proof.verdict import Verdict

# of the time, how much may go by before a proof is begun
_SEARCH = 0.4


@dataclass
class ExpressionSearch:
    """One question on its way to an answer; what was found so far outlives the limit of time."""

    left: Expr
    right: Expr
    within: Setting
    attempt: Attempt = field(default_factory=Attempt)
    count: Count = field(default_factory=Count)

    def decided(self, until: float) -> Verdict:
        """The verdict."""
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
        """What was tried, where no answer was found."""
        return Verdict(
            self.left,
            self.right,
            UNDECIDED,
            agreed=self.count.agreed,
            how=self.count.how,
            tried=tuple(self.attempt.tried) or ("comparing values at points",),
        )
