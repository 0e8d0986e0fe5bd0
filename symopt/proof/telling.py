"""A proof as a derivation: each line with its reason, and what it was checked by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sympy import Expr

from symopt.derivation.steps import Derivation, Line, Reason
from symopt.proof.assumptions import Setting
from symopt.proof.proving import Case, Proof
from symopt.proof.reading import readable
from symopt.proof.search import BRIEF, differ


class Refuted(Exception):
    """A line of a proof that its check does not confirm: a mistake of ours, and no proof."""


def told(proof: Proof, sides: tuple[Expr, Expr], setting: Setting, until: float) -> Derivation:
    """The lines of a proof, every one of them checked at points by values alone.

    Raises
    ------
    Refuted
        If a check finds a point at which a line does not hold.
    """
    lines = tuple(
        line for case in proof.cases for line in _worth_saying(tuple(_lines(case, setting, until)))
    )
    left, right = (readable(setting.outward(one)) for one in sides)
    if all(line.left == line.right for line in lines) and len(proof.cases) == 1:
        role = f", {proof.cases[0].role}" if proof.cases[0].role else ""
        lines = (Line(left, right, f"the same once it is evaluated{role}"),)
    return Derivation("equivalence", (left, " = ", right, f", by {proof.by}"), lines)


def _worth_saying(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines without those that say x = x, but one of these in a case that has no others."""
    kept = tuple(line for line in dict.fromkeys(lines) if line.left != line.right)
    return kept or lines[-1:]


def _lines(case: Case, setting: Setting, until: float) -> Iterator[Line]:
    known = replace(setting, conditions=(*setting.conditions, *case.assumed))
    where: tuple[Reason, ...] = tuple((readable(setting.outward(one)),) for one in case.assumed)
    role = f", {case.role}" if case.role else ""

    def line(left: Expr, right: Expr, reason: str, detail: bool = False) -> Line:
        found, count = differ(left, right, known, until, BRIEF)
        if found is not None:
            raise Refuted(f"{left} = {right} fails at {found.point}")
        check = f"checked at {count.agreed} points, {count.how}" if count.agreed else ""
        shown = [readable(setting.outward(one)) for one in (left, right)]
        return Line(shown[0], shown[1], reason + role, check, where=where, detail=detail)

    for step in case.steps:
        yield line(step.before, step.after, step.rule, detail=True)
    if case.forms is None:
        sides = [readable(setting.outward(one)) for one in (case.left, case.right)]
        yield Line(sides[0], sides[1], f"no value{role}", where=where)
        return
    left, right = case.forms
    alike = left == right
    yield line(case.left, left, "normal form", detail=not alike)
    yield line(case.right, right, "normal form", detail=not alike)
    if not alike and case.hypothesis is None:
        yield line(case.left, case.right, "their difference is 0 over a common denominator")
    elif not alike and case.hypothesis is not None:
        before = [readable(setting.outward(one)) for one in case.hypothesis]
        given: Reason = ("their difference is 0 by ", before[0], " = ", before[1], role)
        yield replace(line(case.left, case.right, ""), reason=given)
