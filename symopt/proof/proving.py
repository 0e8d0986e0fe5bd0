"""A proof that two expressions are equal: by normal forms, by cases, by induction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from sympy import Abs, Basic, Eq, Expr, Ge, Gt, Le, Lt, Symbol
from sympy.core.relational import Relational

from symopt.proof.facts import Facts, Signs
from symopt.proof.normal import normal_form
from symopt.proof.polynomial import (
    ENTRY,
    SYMBOL,
    Polynomial,
    TooHard,
    minus,
    scaled,
    single,
)
from symopt.proof.work import Split, Step, Vanishes, Work
from symopt.proof.zero import vanishes

_DEEPEST = 7
SIGNS: dict[str, Signs] = {
    ">": frozenset((1,)),
    ">=": frozenset((0, 1)),
    "<": frozenset((-1,)),
    "<=": frozenset((-1, 0)),
    "==": frozenset((0,)),
    "!=": frozenset((-1, 1)),
}


@dataclass(frozen=True)
class Case:
    """A part of a proof: what is assumed in it, and how both sides came to one form.

    ``left`` and ``right`` are what stood there, ``forms`` what they became; ``role`` says what the
    part is for where it is not all.
    """

    assumed: tuple[Relational, ...]
    left: Expr
    right: Expr
    forms: tuple[Expr, Expr] | None
    steps: tuple[Step, ...] = ()
    role: str = ""
    hypothesis: tuple[Expr, Expr] | None = None


@dataclass(frozen=True)
class Proof:
    """All cases, and what must not be 0: in the statement itself, and for rules alone."""

    cases: tuple[Case, ...]
    divisors: tuple[Expr, ...] = ()
    introduced: tuple[Expr, ...] = ()
    by: str = "normal forms"


@dataclass(frozen=True)
class Problem:
    """``left = right`` under conditions, in a case of the proof."""

    left: Expr
    right: Expr
    conditions: tuple[Basic, ...]
    assumed: tuple[Relational, ...] = ()
    depth: int = 0
    role: str = ""
    hypothesis: tuple[Expr, Expr] | None = None


@dataclass
class Attempt:
    """What was tried so far, for an honest answer where no proof is found."""

    tried: dict[str, None] = field(default_factory=dict)


def prove(problem: Problem, attempt: Attempt) -> Proof | None:
    """A proof by normal forms, case by case where signs are open; nothing if none is found."""
    try:
        facts = known(problem.conditions)
        return _in_case(problem, facts, attempt)
    except TooHard as hard:
        attempt.tried[f"normal forms: {hard}"] = None
        return None


def _in_case(problem: Problem, facts: Facts, attempt: Attempt) -> Proof | None:
    work = Work(facts, normal_form)
    try:
        forms = work.normal(problem.left), work.normal(problem.right)
        relations = facts.relations
        if problem.hypothesis is not None:
            relations = (*relations, minus(*map(work.normal, problem.hypothesis)))
    except Split as split:
        return _by_sign(split.of, problem, facts, attempt)
    except Vanishes:
        return Proof((_case(problem, None, work),))
    if not vanishes(minus(*forms), relations):
        where = f" where {_listed(problem.assumed)}" if problem.assumed else ""
        attempt.tried[f"normal forms, which differ{where}"] = None
        return None
    shown = forms[0].expr, forms[1].expr
    return Proof(
        (_case(problem, shown, work),),
        tuple(one.expr for one in work.divisors),
        tuple(one.expr for one in work.introduced if one not in work.divisors),
    )


def _case(problem: Problem, forms: tuple[Expr, Expr] | None, work: Work) -> Case:
    return Case(
        problem.assumed,
        problem.left,
        problem.right,
        forms,
        tuple(work.steps),
        problem.role,
        problem.hypothesis,
    )


def _listed(relations: Sequence[Relational]) -> str:
    return " and ".join(map(str, relations))


def _by_sign(of: Polynomial, problem: Problem, facts: Facts, attempt: Attempt) -> Proof | None:
    """One proof for each sign that a polynomial may have."""
    if problem.depth >= _DEEPEST:
        raise TooHard(f"more than {_DEEPEST} cases within each other")
    signs = facts.signs(of)
    if signs is None:
        raise TooHard(f"the sign of {of.expr}, which may be no real number")
    found = []
    for sign, relation in ((1, Gt), (0, Eq), (-1, Lt)):
        if sign not in signs:
            continue
        inner = _narrowed(problem, of, sign, relation)
        proof = _in_case(inner, known(inner.conditions), attempt)
        if proof is None:
            return None
        found.append(proof)
    return Proof(
        tuple(case for one in found for case in one.cases),
        tuple(dict.fromkeys(each for one in found for each in one.divisors)),
        tuple(dict.fromkeys(each for one in found for each in one.introduced)),
        "cases",
    )


def _narrowed(problem: Problem, of: Polynomial, sign: int, relation: type[Relational]) -> Problem:
    condition = relation(of.expr, 0, evaluate=False)
    inner = replace(problem, assumed=(*problem.assumed, condition), depth=problem.depth + 1)
    value = _solved(of) if sign == 0 else None
    if value is None:
        return replace(inner, conditions=(*problem.conditions, condition))
    symbol, worth = value
    # what was known of the letter is known of its value
    kept = [(symbol.is_positive, Gt(worth, 0, evaluate=False))]
    kept += [(symbol.is_nonnegative, worth >= 0), (symbol.is_negative, worth < 0)]
    names = {symbol: worth}
    known_still = tuple(one for holds, one in kept if holds and isinstance(one, Relational))
    hypothesis = problem.hypothesis
    return replace(
        inner,
        left=problem.left.xreplace(names),
        right=problem.right.xreplace(names),
        conditions=(*(one.xreplace(names) for one in problem.conditions), *known_still),
        hypothesis=hypothesis and (hypothesis[0].xreplace(names), hypothesis[1].xreplace(names)),
    )


def _solved(of: Polynomial) -> tuple[Symbol, Expr] | None:
    """A letter and its value, where a polynomial that is 0 says it without a division."""
    for letter in of.letters():
        key = ((letter, Fraction(1)),)
        if letter.kind not in (SYMBOL, ENTRY) or key not in of.terms or letter.expr.is_integer:
            continue
        rest = minus(of, scaled(single(letter), of.terms[key]))
        if not any(letter.expr in one.expr.free_symbols or one == letter for one in rest.letters()):
            return letter.expr, scaled(rest, -1 / of.terms[key]).expr
    return None


def known(conditions: Sequence[Basic]) -> Facts:
    """Facts that conditions state, those left out of which no normal form is found."""
    facts = Facts()
    for one in (part for each in conditions for part in _without_bars(each)):
        if not isinstance(one, Relational):
            continue
        work = Work(facts, normal_form)
        try:
            gap = minus(work.normal(one.lhs), work.normal(one.rhs))
        except (Split, Vanishes, TooHard):
            continue
        if gap.number is None:
            facts = facts.and_also(gap, SIGNS[one.rel_op])
    return facts


def _without_bars(condition: Basic) -> tuple[Basic, ...]:
    """|u| < c ⇒ u < c and −u < c."""
    for size, other, kind in (
        (
            (condition.args[0], condition.args[1], _BELOW.get(type(condition))),
            (condition.args[1], condition.args[0], _ABOVE.get(type(condition))),
        )
        if isinstance(condition, Relational)
        else ()
    ):
        if kind is not None and isinstance(size, Abs) and size.args[0].is_real:
            return tuple(kind(k * size.args[0], other, evaluate=False) for k in (1, -1))
    return (condition,)


_BELOW = {Lt: Lt, Le: Le}
_ABOVE = {Gt: Lt, Ge: Le}
