"""How fast a rule converges on one curvature: the roots of its characteristic polynomial.

Two roots are real or a conjugate pair; between the two lies the value of the other letter at which
they are one double root, where the larger of the two is smallest.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise

import mpmath
from sympy import (
    Abs,
    Add,
    Expr,
    Interval,
    Mul,
    Poly,
    Pow,
    Rational,
    S,
    Symbol,
    cancel,
    factor,
    oo,
    solve,
)

from symopt.derivation.in_order import in_order
from symopt.derivation.quadratic import LinearStep, curvature, z
from symopt.derivation.stability import assumed, in_scaled, radius, scaled
from symopt.derivation.steps import Derivation, Line, Reason
from symopt.notation import hyperparameter
from symopt.views import substitute

_POINTS = 30
_PARTS = 12
_NEAR = mpmath.mpf(10) ** -15
_first, _second = hyperparameter("z_1"), hyperparameter("z_2")
# √(α·λ), in which a double root is rational
root = Symbol("s", positive=True)


@dataclass(frozen=True)
class Double:
    """The value of the other letter at which both roots are ``value``; s is below ``limit``."""

    other: Expr
    value: Expr
    limit: Expr


def root_lines(one: LinearStep) -> Derivation | None:
    """The roots as functions of the letters, and where they are a double one; None without it."""
    whole = Poly(one.characteristic, z)
    title: Reason = f"how fast {one.rule.title} converges where the curvature is "
    if one.degree == 1:
        value = -whole.coeff_monomial(1)
        line = Line(z, in_order(value), "p(z) = 0: each step multiplies what is left by z")
        return Derivation(one.rule.name, (title, curvature), (line,), assumed(one))
    double = double_root(one)
    if double is None or one.rate is None or one.other is None:
        return None
    trace, last = -whole.coeff_monomial(z), whole.coeff_monomial(1)
    size = {root: Pow(one.rate * curvature, S.Half, evaluate=False)}
    apart = Add(_first, -_second, evaluate=False)
    square = Pow(in_order(trace), 2, evaluate=False)
    four = Mul(S.NegativeOne, Mul(4, in_order(last), evaluate=False), evaluate=False)
    lines = (
        Line(_first + _second, in_order(trace), "p(z) = (z − z₁)·(z − z₂)"),
        Line(_first * _second, in_order(last), "likewise"),
        Line(
            Pow(apart, 2, evaluate=False),
            Add(square, four, evaluate=False),
            "(z₁ + z₂)² − 4·z₁·z₂",
        ),
        Line(one.other, substitute(in_order(double.other), size), "where this is 0: critical"),
        Line(
            _first,
            substitute(in_order(double.value), size),
            (_second, " = ", _first, " there, and any other ", one.other, " is slower"),
            _check_smallest(one, double),
        ),
        Line(
            Abs(_first),
            Pow(in_order(last), S.Half, evaluate=False),
            ("z₂ is its conjugate, where ", one.other, " is larger"),
            _check_pair(one, double, last),
        ),
    )
    below = (one.rate * curvature, f" < {double.limit**2}") if double.limit != oo else ()
    return Derivation(
        one.rule.name, (title, curvature), lines, (*assumed(one), *((below,) if below else ()))
    )


def double_root(one: LinearStep) -> Double | None:
    """Where the two roots are one, as functions of s = √(α·λ), within the other letter's range."""
    if one.degree != 2 or one.other is None or one.rate is None:
        return None
    whole = Poly(in_scaled(one.characteristic, one).subs(scaled, root**2), z)
    trace, last = -whole.coeff_monomial(z), whole.coeff_monomial(1)
    for found in solve(factor(trace**2 - 4 * last), one.other):
        limit = _limit(found, one.other.domain)
        if limit != 0:
            return Double(factor(found), factor(cancel(trace.subs(one.other, found) / 2)), limit)
    return None


def _limit(found: Expr, domain: Interval) -> Expr:
    """How far s may grow from 0 on so that a value stays in its range."""
    ends = {
        edge
        for end in (domain.inf, domain.sup)
        if end.is_finite
        for edge in solve(found - end, root)
    }
    places = [S.Zero, *sorted(one for one in ends if one.is_positive), oo]
    for low, high in pairwise(places):
        middle = low + 1 if high == oo else (low + high) / 2
        if domain.contains(found.subs(root, middle)) != S.true:
            return low
    return oo


def _places(double: Double) -> list[tuple[Rational, Rational]]:
    """Values of s and of the other letter, each within its range."""
    source = random.Random(20260105)
    most = min(double.limit, S(4))
    return [
        (most * Rational(source.randint(1, 99), 100), Rational(source.randint(0, 119), 120))
        for _ in range(_POINTS)
    ]


def _check_smallest(one: LinearStep, double: Double) -> str:
    for size, _ in _places(double)[:_PARTS]:
        best = abs(double.value.subs(root, size))
        numbers = {scaled: size**2}
        there = radius(one, {**numbers, one.other: double.other.subs(root, size)})
        assert abs(there - best.p / mpmath.mpf(best.q)) < _NEAR, f"{one.rule.name} at {size}"
        for k in range(_PARTS):
            beside = radius(one, {**numbers, one.other: Rational(k, _PARTS)})
            assert beside > there - _NEAR, f"{one.rule.name} is faster at {size}, {k}/{_PARTS}"
    return f"checked against {_PARTS} others at {_PARTS} points, roots by iteration"


def _check_pair(one: LinearStep, double: Double, last: Expr) -> str:
    seen = 0
    for size, other in _places(double):
        if other <= double.other.subs(root, size):
            continue
        seen += 1
        numbers = {scaled: size**2, one.other: other}
        square = in_scaled(last, one).subs(numbers)
        found = radius(one, numbers)
        assert abs(found**2 - square.p / mpmath.mpf(square.q)) < _NEAR, f"{one.rule.name}"
    assert seen, "no point was past the critical one"
    return f"checked at {seen} points, roots by iteration"
