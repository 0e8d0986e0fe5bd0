"""How each kind of node gets its value from its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import mpmath
from sympy import (
    Abs,
    Add,
    And,
    Basic,
    Expr,
    Heaviside,
    Indexed,
    Integer,
    KroneckerDelta,
    Max,
    Min,
    Mul,
    Not,
    Or,
    Piecewise,
    Pow,
    Product,
    S,
    Sum,
    binomial,
    ceiling,
    conjugate,
    factorial,
    floor,
    im,
    oo,
    re,
    sign,
)
from sympy.core.relational import Relational

from symopt.nodes import Expectation, Gradient, Inside, Largest, Norm, Sigma, Variance
from symopt.printing.unicode import unicode
from symopt.proof.endless_values import endless
from symopt.proof.mean_values import mean, variance
from symopt.proof.numbers import (
    DOUBTFUL,
    Number,
    Undefined,
    Unknown,
    finite,
    floating,
    plus,
    power,
    real,
    sense,
    times,
    together,
    whole,
)

if TYPE_CHECKING:  # a point hands itself to these functions
    from symopt.proof.evaluation import Point

# a sum of more terms is not written out
_LONGEST = 400

OPAQUE = (Gradient, Expectation, Variance, Norm)


def parts(expr: Basic, point: Point, bound: Mapping[Basic, Number]) -> list[Number]:
    """The values of the arguments."""
    return [point.evaluate(part, bound) for part in expr.args]


def _add(expr: Expr, point: Point, bound: Mapping[Basic, Number]) -> Number:
    total: Number = Fraction(0)
    for one in parts(expr, point, bound):
        total = plus(total, one)
    return total


def _mul(expr: Expr, point: Point, bound: Mapping[Basic, Number]) -> Number:
    total: Number = Fraction(1)
    for one in parts(expr, point, bound):
        total = times(total, one)
    return total


def _pow(expr: Expr, point: Point, bound: Mapping[Basic, Number]) -> Number:
    return power(*parts(expr, point, bound))


def _sign(expr: Expr, point: Point, bound: Mapping[Basic, Number]) -> Number:
    value = point.evaluate(expr.args[0], bound)
    return value / abs(value) if isinstance(value, mpmath.mpc) else Fraction(sense(value))


def _step(expr: Expr, point: Point, bound: Mapping[Basic, Number]) -> Number:
    found = sense(point.evaluate(expr.args[0], bound))
    if found == 0:
        return point.evaluate(expr.args[1], bound)
    return Fraction(found > 0)


def _ordered(largest: bool) -> Callable[..., Number]:
    def choose(expr: Expr, point: Point, bound: Mapping[Basic, Number]) -> Number:
        best, *others = (real(one) for one in parts(expr, point, bound))
        for one in others:
            left, right = together(one, best)
            if (left > right) == largest:
                best = one
        return best

    return choose


def _terms(limits: Any, point: Point, bound: Mapping[Basic, Number]) -> Any:
    """The bounds of each term of a sum: an empty one ends one before its start."""
    if len(limits) != 3 and point.size is None:
        raise Unknown("a sum without bounds")
    index, low, high = limits if len(limits) == 3 else (*limits, S.One, Integer(point.size))
    if low.is_finite is False or high.is_finite is False:
        raise Unknown("a sum without an end")
    first, last = (whole(point.evaluate(one, bound)) for one in (low, high))
    if last < first - 1 or last - first > _LONGEST:
        raise Undefined
    return ({**bound, index: Fraction(k)} for k in range(first, last + 1))


def _over(combine: Callable[[Number, Number], Number], start: int) -> Callable[..., Number]:
    def run(expr: Expr, point: Point, bound: Mapping[Basic, Number]) -> Number:
        body, *limits = expr.args

        def inner(k: int, known: Mapping[Basic, Number]) -> Number:
            if k < 0:
                return point.evaluate(body, known)
            if limits[k][-1] is oo and start == 0:

                def term(place: int) -> Number:
                    return inner(k - 1, {**known, limits[k][0]: Fraction(place)})

                first = whole(point.evaluate(limits[k][1], known))
                return endless(body, limits[k][0], first, term)
            total: Number = Fraction(start)
            for one in _terms(limits[k], point, known):
                total = combine(total, inner(k - 1, one))
            return total

        return inner(len(limits) - 1, bound)

    return run


def _largest(expr: Largest, point: Point, bound: Mapping[Basic, Number]) -> Number:
    found = [real(point.evaluate(expr.body, one)) for one in _terms(expr.args[1], point, bound)]
    if not found:
        raise Undefined
    return max(found, key=floating)


def _entry(expr: Indexed, point: Point, bound: Mapping[Basic, Number]) -> Number:
    places = tuple(whole(point.evaluate(one, bound)) for one in expr.indices)
    return point.entry(expr.base, places, bound)


def _opaque(expr: Expr, point: Point, bound: Mapping[Basic, Number]) -> Number:
    if any(one in bound for one in expr.free_symbols):
        raise Unknown(f"{unicode(expr)} at each index")
    if expr not in point.symbols:
        raise Unknown(unicode(expr))
    return point.symbols[expr]


def _by_chance(how: Callable[..., Number]) -> Callable[..., Number]:
    def run(expr: Expr, point: Point, bound: Mapping[Basic, Number]) -> Number:
        if not point.outcomes:
            return _opaque(expr, point, bound)
        return how(point, expr.args[0], bound)

    return run


def _cases(expr: Piecewise, point: Point, bound: Mapping[Basic, Number]) -> Number:
    for branch, condition in expr.args:
        if holds(condition, point, bound):
            return point.evaluate(branch, bound)
    raise Undefined


def holds(condition: Basic, point: Point, bound: Mapping[Basic, Number] | None = None) -> bool:
    """Whether a condition holds at a point."""
    bound = bound or {}
    if condition.is_Boolean and not condition.args:
        return bool(condition)
    if isinstance(condition, And):
        return all(holds(one, point, bound) for one in condition.args)
    if isinstance(condition, Or):
        return any(holds(one, point, bound) for one in condition.args)
    if isinstance(condition, Not):
        return not holds(condition.args[0], point, bound)
    if not isinstance(condition, Relational):
        raise Unknown(f"the condition {condition}")
    left, right = (point.evaluate(one, bound) for one in condition.args)
    gap = plus(left, times(Fraction(-1), right))
    if condition.rel_op in ("==", "!=") and isinstance(gap, mpmath.mpc):
        if abs(gap) < DOUBTFUL:
            raise Undefined
        return bool(condition.rel_op == "!=")
    found = sense(gap)
    return found in {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (1, 0), "==": (0,)}.get(
        condition.rel_op, (-1, 1)
    )


def _floor(expr: Expr, point: Point, bound: Mapping[Basic, Number]) -> Number:
    value = real(point.evaluate(expr.args[0], bound))
    if not isinstance(value, Fraction):
        if abs(value - mpmath.nint(value)) < DOUBTFUL:
            raise Undefined
        return Fraction(int(mpmath.floor(value)) + isinstance(expr, ceiling))
    return Fraction(-(-value // 1) if isinstance(expr, ceiling) else value // 1)


def _delta(expr: Expr, point: Point, bound: Mapping[Basic, Number]) -> Number:
    left, right = (point.evaluate(one, bound) for one in expr.args[:2])
    return Fraction(sense(plus(left, times(Fraction(-1), right))) == 0)


def _inside(expr: Inside, point: Point, bound: Mapping[Basic, Number]) -> Number:
    place, low, high = (whole(one) for one in parts(expr, point, bound))
    return Fraction(low <= place <= high)


def _exact(one: Callable[[int], int], other: Callable[[Number], Number]) -> Callable[..., Number]:
    def run(expr: Expr, point: Point, bound: Mapping[Basic, Number]) -> Number:
        value = point.evaluate(expr.args[0], bound)
        if isinstance(value, Fraction) and value.denominator == 1:
            if value < 0:
                raise Undefined
            return Fraction(one(int(value)))
        return finite(other(floating(value)))

    return run


def _binomial(expr: Expr, point: Point, bound: Mapping[Basic, Number]) -> Number:
    above, below = (whole(one) for one in parts(expr, point, bound))
    if below < 0:
        return Fraction(0)
    total = Fraction(1)
    for k in range(below):
        total *= Fraction(above - k, k + 1)
    return total


def _absolute(expr: Expr, point: Point, bound: Mapping[Basic, Number]) -> Number:
    return abs(point.evaluate(expr.args[0], bound))


def _complex_part(how: Callable[[Number], Number]) -> Callable[..., Number]:
    def run(expr: Expr, point: Point, bound: Mapping[Basic, Number]) -> Number:
        value = point.evaluate(expr.args[0], bound)
        return how(value) if isinstance(value, mpmath.mpc) else (how is not mpmath.im) * value

    return run


WAYS: tuple[tuple[Any, Callable[..., Number]], ...] = (
    (Add, _add),
    (Mul, _mul),
    (Pow, _pow),
    (Indexed, _entry),
    (Sum, _over(plus, 0)),
    (Product, _over(times, 1)),
    (Sigma, _over(plus, 0)),
    (Largest, _largest),
    (Piecewise, _cases),
    (Abs, _absolute),
    (sign, _sign),
    (Heaviside, _step),
    (Max, _ordered(True)),
    (Min, _ordered(False)),
    ((floor, ceiling), _floor),
    (KroneckerDelta, _delta),
    (Inside, _inside),
    (factorial, _exact(lambda k: int(mpmath.factorial(k)), mpmath.factorial)),
    (binomial, _binomial),
    (conjugate, _complex_part(mpmath.conj)),
    (re, _complex_part(mpmath.re)),
    (im, _complex_part(mpmath.im)),
    (Expectation, _by_chance(mean)),
    (Variance, _by_chance(variance)),
    (OPAQUE, _opaque),
)
