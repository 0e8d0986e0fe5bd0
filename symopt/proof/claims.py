"""Equations between what two declarations compute, and what is known of their letters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Basic, Eq, Expr, Heaviside, Indexed, Integer, Le, Rational, S

from symopt.derivation.drawn import Draws
from symopt.derivation.steps import Line, Reason
from symopt.nodes import Bernoulli
from symopt.notation import Label
from symopt.printing.unicode import unicode
from symopt.proof.assumptions import Setting, setting
from symopt.proof.expressions import ExpressionSearch
from symopt.proof.outcomes import PROVED, REFUTED
from symopt.proof.outputs import POSITION, Unfolded
from symopt.proof.proving import Attempt
from symopt.proof.search import BRIEF, Count, Effort, differ
from symopt.proof.verdict import Verdict

_HALF = Rational(1, 2)


@dataclass(frozen=True)
class Claim:
    """``left = right``, ``what`` the two are; ``role`` says what it is for in a longer proof."""

    what: Reason
    left: Expr
    right: Expr
    role: str = ""


def places(several: Iterable[Unfolded]) -> tuple[Basic, ...]:
    """That an element and the one that a label names lie within their group."""
    found: dict[Basic, None] = {}
    for one in several:
        if one.size is None:
            continue
        for expr in one.exprs:
            within = sorted((expr.atoms(Label) | {POSITION}) & expr.free_symbols, key=str)
            found.update(dict.fromkeys(Le(place, one.size, evaluate=False) for place in within))
    return tuple(found)


@dataclass
class Asked:
    """What is known of the letters by declaration, what a user adds, and how claims are decided."""

    known: tuple[Basic, ...]
    stated: tuple[Basic, ...]
    draws: Draws
    attempt: Attempt
    count: Count = field(default_factory=Count)

    @property
    def values(self) -> dict[Basic, Basic]:
        """Letters that are known to be a number."""
        return {
            one.lhs: one.rhs
            for one in self.stated
            if isinstance(one, Eq) and one.lhs.is_Symbol and one.rhs.is_number
        }

    def decided(self, claim: Claim, until: float) -> Verdict:
        """The verdict on a claim; what is drawn at random takes the values that it may have."""
        sides, certain = (claim.left, claim.right), self._certain
        left, right = (_as_drawn(side, certain) for side in sides)
        found = self._searched(left, right, until)
        if found.status != REFUTED and (left, right) != sides:
            free = self._searched(*sides, until)
            found = free if free.status == PROVED else found
        if found.derivation is not None:
            lines = tuple(_for(claim.role, one) for one in found.derivation.lines)
            found = replace(found, derivation=replace(found.derivation, lines=lines))
        return replace(found, point=_drawn(found.point, certain))

    def unlike(self, claim: Claim, until: float, effort: Effort = BRIEF) -> Verdict | None:
        """The smallest point at which a claim does not hold, if one is found."""
        left, right = (_as_drawn(side, self._certain) for side in (claim.left, claim.right))
        left, right, within = self._setting(left, right)
        found, self.count = differ(within.inward(left), within.inward(right), within, until, effort)
        if found is None:
            return None
        return Verdict(
            *(claim.left, claim.right, REFUTED),
            point=_drawn(found.point, self._certain),
            values=found.values,
            agreed=self.count.agreed,
            how=self.count.how,
        )

    @property
    def _certain(self) -> set[Basic]:
        """The letters that are either 0 or 1."""
        return {base for base, law in self.draws.items() if isinstance(law, Bernoulli)}

    def _setting(self, left: Expr, right: Expr) -> tuple[Expr, Expr, Setting]:
        """Both sides with the numbers put in that are known, and what is known besides."""
        values = self.values
        sides = left.xreplace(values), right.xreplace(values)
        known = (one.xreplace(values) for one in (*self.known, *self.stated))
        return *sides, setting(sides, [one for one in known if one is not S.true])

    def _searched(self, left: Expr, right: Expr, until: float) -> Verdict:
        left, right, within = self._setting(left, right)
        search = ExpressionSearch(left, right, within, self.attempt)
        found = search.decided(until)
        self.count = search.count
        # what every reader of the declarations knows is not said again
        own = {unicode(one.xreplace(self.values)) for one in self.known}
        said = tuple(f"{unicode(one)} = {unicode(value)}" for one, value in self.values.items())
        kept = tuple(one for one in found.conditions if one not in own)
        point = (*self.values.items(), *found.point) if found.point else ()
        return replace(found, conditions=(*kept, *said), point=point)


def _for(role: str, line: Line) -> Line:
    words: Any = (line.reason,) if isinstance(line.reason, str) else line.reason
    return replace(line, reason=(*words, f", {role}")) if role else line


def _as_drawn(expr: Expr, certain: set[Basic]) -> Expr:
    """Entries that are 0 or 1 as steps of real numbers."""
    entries = {one for one in expr.atoms(Indexed) if one.base in certain}
    return expr.xreplace({one: Heaviside(one - _HALF, Integer(1)) for one in entries})


def _drawn(
    several: tuple[tuple[Basic, Basic], ...], certain: set[Basic]
) -> tuple[tuple[Basic, Basic], ...]:
    """A point, each drawn letter at 0 or 1."""
    return tuple(
        (one, Integer(1 if value >= _HALF else 0))
        if isinstance(one, Indexed) and one.base in certain
        else (one, value)
        for one, value in several
    )
