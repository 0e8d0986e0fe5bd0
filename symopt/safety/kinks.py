"""Where a formula is not smooth: kinks, jumps, poles, roots with an infinite slope."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import combinations

from sympy import Abs, Basic, Expr, Max, Min, Piecewise, Pow, ceiling, floor, sign
from sympy.core.relational import Relational

from symopt.nodes import Largest
from symopt.safety.finding import JUMP, KINK, POLE, STEEP, Finding
from symopt.safety.numbers import Numbers, value
from symopt.safety.signs import Signs, least
from symopt.safety.stated import Stated, functions, powers


def kinks(equations: Collection[Stated], known: Signs, numbers: Numbers) -> Iterator[Finding]:
    """Each kink and each jump, with the numbers at which it lies; each pole that can be met."""
    for one in equations:
        for part in functions(one.right, Abs, sign, Max, Min, Piecewise, floor, ceiling, Largest):
            yield from _at(one.id, part)
        yield from _zeros(one, known, numbers)


def _at(id: str, part: Expr) -> Iterator[Finding]:
    match part:
        case Abs():
            yield Finding(KINK, id, part, (part.args[0], " = 0"))
        case sign():
            yield Finding(JUMP, id, part, (part.args[0], " = 0"))
        case Max() | Min():
            for left, right in combinations(part.args, 2):
                yield Finding(KINK, id, part, (left, " = ", right))
        case Piecewise():
            for condition in dict.fromkeys(x for pair in part.args for x in _relations(pair.cond)):
                # whether both sides meet there is for the values to say; the slope may jump
                yield Finding(KINK, id, part, (condition.lhs, " = ", condition.rhs))
        case floor() | ceiling():
            yield Finding(JUMP, id, part, (part.args[0], " is a whole number"))
        case Largest():
            yield Finding(KINK, id, part, ("two elements are largest",))


def _relations(condition: Basic) -> tuple[Relational, ...]:
    return tuple(sorted(condition.atoms(Relational), key=str))


def _zeros(one: Stated, known: Signs, numbers: Numbers) -> Iterator[Finding]:
    """Bases that can be zero below a line or under a root; each once, below a line if it is."""
    opened = (_opened(base, exponent) for base, exponent in powers(one.right))
    several = sorted((x for x in opened if x[1].is_Rational), key=lambda x: bool(x[1] > 0))
    seen: set[Expr] = set()
    for base, exponent in several:
        if base in seen or base.is_positive or not (exponent < 1):
            continue
        seen.add(base)
        guard = least(base, known)
        kept = guard != 0 and value(guard, numbers) > 0
        if kept and guard.is_positive:
            continue
        where = (base, " = 0", *((", which takes ", guard, " = 0") if kept else ()))
        kind = POLE if exponent.is_negative else STEEP
        yield Finding(kind, one.id, base**exponent, where)


def _opened(base: Expr, exponent: Expr) -> tuple[Expr, Expr]:
    """1/√x is x to the power of −1/2."""
    while isinstance(base, Pow) and base.exp.is_Rational:
        base, exponent = base.base, exponent * base.exp
    return base, exponent
