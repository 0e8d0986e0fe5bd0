"""Two update rules: the same steps for every sequence of gradients, or the first that differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Basic, Expr, Ge, Ne

from symopt.declaration import UpdateRule
from symopt.derivation.steps import Line, Reason
from symopt.notation import Sequence
from symopt.printing.unicode import unicode
from symopt.proof.assumptions import Setting, setting
from symopt.proof.clock import now
from symopt.proof.facts import Facts
from symopt.proof.normal import normal_form
from symopt.proof.outcomes import PROVED, REFUTED, UNDECIDED
from symopt.proof.polynomial import TooHard
from symopt.proof.proving import SIGNS, Attempt, Problem, Proof, known, prove
from symopt.proof.reading import readable
from symopt.proof.relations import found_relation, given_relation, needed
from symopt.proof.search import Count, Effort, differ
from symopt.proof.stepping import stepping
from symopt.proof.telling import told
from symopt.proof.verdict import Verdict
from symopt.proof.work import Split, Vanishes, Work

_EFFORT = Effort(shapes=4, few=60, drawn=16, many=800)


@dataclass
class RuleSearch:
    """The question about two rules on its way to an answer."""

    left: UpdateRule
    right: UpdateRule
    assumptions: tuple[Basic, ...]
    relation: Mapping[Any, Any] | None
    attempt: Attempt = field(default_factory=Attempt)
    count: Count = field(default_factory=Count)

    def prepare(self) -> None:
        """What may be wrong with the question is said before anything is tried."""
        self.one = stepping(self.left)
        self.other = stepping(self.right, beside=self.one)
        self.given = (
            None if self.relation is None else given_relation(self.relation, self.one, self.other)
        )

    def decided(self, until: float) -> Verdict:
        """The verdict."""
        refuted = self._refuted(until)
        if refuted is not None:
            return refuted
        relation, missing = self.given or {}, tuple[Sequence, ...]()
        if self.given is None:
            relation, missing = found_relation(self.one, self.other)
        if missing:
            names = " and ".join(unicode(one) for one in missing)
            self.attempt.tried[
                f"no state of {self.one.name} was found of which {names} in {self.other.name} is a "
                "multiple; give a relation"
            ] = None
            return self.undecided()
        proved = self._by_relation(relation, until)
        return self.undecided() if proved is None else proved

    def _refuted(self, until: float) -> Verdict | None:
        """The shortest run with the smallest numbers after which the rules differ."""
        same_step = {self.other.step: self.one.step}
        others = (one.xreplace(same_step) for one in self.other.definitions)
        definitions = (*self.one.definitions, *others)
        for what, left, right in self._asked():
            within = setting((left, right), (*self.assumptions, *definitions))
            end = now() + 0.3 * (until - now())
            sides = within.inward(left), within.inward(right)
            found, count = differ(*sides, within, end, _EFFORT)
            if found is not None:
                return Verdict(
                    *(self.left, self.right, REFUTED),
                    point=found.point,
                    values=found.values,
                    agreed=count.agreed,
                    how=count.how,
                    what=what,
                )
            self.attempt.tried.update(count.unknown)
            self.count = self.count if self.count.agreed else count
        return None

    def _asked(self) -> Iterator[tuple[Reason, Expr, Expr]]:
        """What is followed step by step: θ, or all that a given relation speaks of; points."""
        one, other, t = self.one, self.other, self.one.step
        same_step = {other.step: t}
        if self.given is None:
            yield (one.parameter, " after step ", t), one.parameter[t + 1], other.parameter[t + 1]
        for letter, value in (self.given or {}).items():
            yield (letter, " before step ", t), value, other.old[letter].xreplace(same_step)
        point = other.point.xreplace(same_step)
        yield ("points of the gradient of step ", t), one.point, point

    def _claims(self, relation: Mapping[Sequence, Expr]) -> list[tuple[str, Expr, Expr]]:
        """What an induction asks for: a start, a step for each letter, gradients at one point."""
        t = self.one.step
        start = {self.one.old[letter]: value for letter, value in self.one.start.items()}
        before = {self.other.old[letter]: value for letter, value in relation.items()}
        before[self.other.step] = t
        later = {**self.one.later, t: t + 1}
        claims = []
        for letter, value in relation.items():
            first = value.xreplace(start).subs(t, 1)
            claims.append((f"at {t} = 1", self.other.start[letter], first))
        for letter, value in relation.items():
            moved = value.xreplace(later)
            claims.append((f"in step {t}", _put_in(self.other.new[letter], before), moved))
        claims.append(
            (f"for the gradient of step {t}", _put_in(self.other.point, before), self.one.point)
        )
        return claims

    def _by_relation(self, relation: Mapping[Sequence, Expr], until: float) -> Verdict | None:
        letters = {one: relation[one] for one in needed(self.other) if one in relation}
        claims = self._claims(letters)
        sides = [side for _, *pair in claims for side in pair]
        within = setting(sides, (*self.assumptions, *self._never_negative()))
        lines: list[Line] = []
        conditions: dict[Reason, None] = {}
        for role, left, right in claims:
            inner = within.inward(left), within.inward(right)
            problem = Problem(*inner, within.conditions, role=role)
            proof = prove(problem, self.attempt)
            if proof is None:
                self.attempt.tried[f"induction, of which {role} was not proved"] = None
                return None
            shown = told(proof, inner, within, until)
            lines += shown.lines
            conditions.update(dict.fromkeys(_nonzero(proof, within)))
        return Verdict(
            *(self.left, self.right, PROVED),
            derivation=replace(
                shown,
                id=f"{self.left.name}.{self.right.name}",
                title=(f"{self.left.name} = {self.right.name}, by induction on ", self.one.step),
                lines=(*self._related(letters), *lines),
            ),
            conditions=tuple(conditions),
            agreed=self.count.agreed,
            how=self.count.how,
        )

    def _related(self, relation: Mapping[Sequence, Expr]) -> list[Line]:
        how = "found" if self.given is None else "given"
        return [
            Line(self.other.old[letter], value, f"relation before each step, {how}")
            for letter, value in relation.items()
        ]

    def _never_negative(self) -> tuple[Basic, ...]:
        """States of the first rule that start at 0 or more and stay so, as far as signs show it."""
        rule = self.one
        several = [one for one in rule.old if one != rule.parameter]
        while several:
            assumed = [Ge(rule.old[one], 0, evaluate=False) for one in several]
            within = setting(rule.new.values(), (*self.assumptions, *assumed))
            facts = known(within.conditions)
            kept = [
                one
                for one in several
                if rule.start[one].is_nonnegative
                and _signs(within.inward(rule.new[one]), facts) <= SIGNS[">="]
            ]
            if kept == several:
                return tuple(assumed)
            several = kept
        return ()

    def undecided(self) -> Verdict:
        """What was tried, where no answer was found."""
        return Verdict(
            *(self.left, self.right, UNDECIDED),
            agreed=self.count.agreed,
            how=self.count.how,
            tried=tuple(self.attempt.tried) or ("following both for some steps",),
        )


def _put_in(expr: Expr, values: Mapping[Basic, Basic]) -> Expr:
    return expr.xreplace(dict(values))


def _signs(expr: Expr, facts: Facts) -> frozenset[int]:
    try:
        found = facts.signs(Work(facts, normal_form).normal(expr))
    except (Split, Vanishes, TooHard):
        found = None
    return frozenset((-1, 0, 1)) if found is None else found


def _nonzero(proof: Proof, within: Setting) -> list[Reason]:
    several = dict.fromkeys((*proof.divisors, *proof.introduced))
    return [(Ne(readable(within.outward(one)), 0, evaluate=False),) for one in several]
