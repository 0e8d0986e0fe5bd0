"""Two update rules: the same steps for every sequence of gradients, or the first that differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Basic, Expr, Ge, Ne, S

from symopt.declaration import UpdateRule
from symopt.derivation.steps import Line, Reason
from symopt.notation import Hyperparameter, Sequence
from symopt.printing.unicode import unicode
from symopt.proof.assumptions import Setting, setting
from symopt.proof.clock import OutOfTime, now
from symopt.proof.facts import Facts
from symopt.proof.normal import normal_form
from symopt.proof.outcomes import PROVED, REFUTED, UNDECIDED
from symopt.proof.polynomial import TooHard
from symopt.proof.proposals import STEPS
from symopt.proof.proving import SIGNS, Attempt, Problem, Proof, known, prove
from symopt.proof.reading import readable
from symopt.proof.readings import choices
from symopt.proof.relations import (
    change_of_letters,
    found_relation,
    given_relation,
    hyperparameters_given,
    needed,
)
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
        other = stepping(self.right, beside=self.one)
        called, self.between = hyperparameters_given(self.relation, self.one, other)
        if called:
            other = stepping(self.right, beside=self.one, called=called)
        ours, theirs = self.one.hyperparameters, other.hyperparameters
        left = [one for one in ours if one not in theirs]
        right = [one for one in theirs if one not in ours]
        self.choices = [{**called, **more} for more in choices(left, right)]
        self.alone = (*left, *right) if left and right else ()
        self._choose(self.choices[0])

    def _choose(self, called: Mapping[Hyperparameter, Expr]) -> None:
        self.called = called
        self.other = stepping(self.right, beside=self.one, called=called)
        self.known = (*self.assumptions, *(one for one in self.other.ranges if one is not S.true))
        self.given = (
            None if self.between is None else given_relation(self.between, self.one, self.other)
        )

    def decided(self, until: float) -> Verdict:
        """The verdict, of rules with unlike letters on the first choice that agrees."""
        nearest: Verdict | None = None
        for called in self.choices:
            self._choose(called)
            found = self._refuted(until)
            if found is None:
                return self._proved(until)
            what = (*_words(found.what), *self._joined())
            found = replace(found, what=what, otherwise=self._in_other_letters(until))
            if found.otherwise is not None:
                return found
            if nearest is None or found.agreed > nearest.agreed:
                nearest = found
        assert nearest is not None  # there is a choice at least
        return nearest

    def _joined(self) -> tuple[str, ...]:
        """How letters with unlike names were taken in what was refuted."""
        pairs = [f"{unicode(one)} = {unicode(image)}" for one, image in self.called.items()]
        if pairs:
            return (f", with {' and '.join(pairs)}",)
        names = " and ".join(map(unicode, self.alone))
        return (f", where only one of the two knows {names}",) if names else ()

    def _proved(self, until: float) -> Verdict:
        """A proof by a relation that is given or found."""
        relation, missing = self.given or {}, tuple[Sequence, ...]()
        if self.given is None:
            relation, missing = found_relation(self.one, self.other)
        if missing:
            names = " and ".join(unicode(one) for one in missing)
            carried = " and ".join(unicode(one) for one in self.one.old.values())
            self.attempt.tried[
                f"{names} in {self.other.name} as sums of multiples of {carried} of "
                f"{self.one.name}, none of which holds for {STEPS} steps; give a relation"
            ] = None
            return self.undecided()
        proved = self._by_relation(relation, until)
        return self.undecided() if proved is None else proved

    def _in_other_letters(self, until: float) -> Verdict | None:
        """That the rules are one after a change of variables, where one is found and proved."""
        if self.given is not None:
            return None
        relation = change_of_letters(self.one, self.other)
        if relation is None:
            return None
        try:
            return self._by_relation(relation, until)
        except (Exception, OutOfTime):  # what was refuted stays so
            return None

    def _refuted(self, until: float) -> Verdict | None:
        """The shortest run with the smallest numbers after which the rules differ."""
        same_step = {self.other.step: self.one.step}
        others = (one.xreplace(same_step) for one in self.other.definitions)
        definitions = (*self.one.definitions, *others)
        for what, left, right in self._asked():
            within = setting((left, right), (*self.known, *definitions))
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
        within = setting(sides, (*self.known, *self._never_negative()))
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
        called: list[Reason] = [(one, " = ", image) for one, image in self.called.items()]
        return Verdict(
            *(self.left, self.right, PROVED),
            derivation=replace(
                shown,
                id=f"{self.left.name}.{self.right.name}",
                title=(f"{self.left.name} = {self.right.name}, by induction on ", self.one.step),
                lines=(*self._related(letters), *lines),
            ),
            conditions=(*called, *conditions, *self.one.assumed, *self.other.assumed),
            agreed=self.count.agreed,
            how=self.count.how,
        )

    def _related(self, relation: Mapping[Sequence, Expr]) -> list[Line]:
        how = "found" if self.given is None else "given"
        reason = f"a letter of {self.other.name}"
        called = [Line(one, image, reason) for one, image in self.called.items()]
        return called + [
            Line(self.other.old[letter], value, f"relation before each step, {how}")
            for letter, value in relation.items()
        ]

    def _never_negative(self) -> tuple[Basic, ...]:
        """States of the first rule that start at 0 or more and stay so, as far as signs show it."""
        rule = self.one
        several = [one for one in rule.old if one != rule.parameter]
        while several:
            assumed = [Ge(rule.old[one], 0, evaluate=False) for one in several]
            within = setting(rule.new.values(), (*self.known, *assumed))
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


def _words(what: Reason) -> tuple[str | Expr, ...]:
    return (what,) if isinstance(what, str) else what


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
