"""The best letters of a rule for curvatures from λ_min to λ_max, and the rate that they give.

At its best a rule is as fast on both ends: all roots for λ_min are r > 0, and −r is one for λ_max.
These are as many equations as there are letters and r; they are solved one after the other.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from sympy import (
    Expr,
    Interval,
    Mul,
    Poly,
    Rational,
    S,
    Symbol,
    cancel,
    factor,
    numer,
    oo,
    simplify,
    solve,
    sqrt,
    together,
)

from symopt.derivation.in_order import in_order
from symopt.derivation.quadratic import LinearStep, z
from symopt.derivation.readable import readable
from symopt.derivation.stability import coefficients, in_scaled, scaled
from symopt.derivation.steps import Derivation, Line, Reason
from symopt.notation import hyperparameter
from symopt.symbols import kappa

_positive = Interval.open(0, oo)
least = hyperparameter("lambda_min", _positive, latex=r"\lambda_{\min}", unicode="λ_min")
most = hyperparameter("lambda_max", _positive, latex=r"\lambda_{\max}", unicode="λ_max")
rate = hyperparameter("r", Interval.open(0, 1))
# 1 − r, in which the last equation is simplest, and the root of κ
_gap, _root = Symbol("u", positive=True), Symbol("k", positive=True)
_PAIRS = 100
_KAPPAS = 3
_BETWEEN = 8


@dataclass(frozen=True)
class Best:
    """q = α·λ_min and the other letter as functions of r, the equation for r, and its solution."""

    scaled: Expr
    other: Expr | None
    equation: Expr
    rate: Expr


def best(one: LinearStep) -> Best | None:
    """The letters with which both ends converge alike; None where this has no solution in range."""
    if one.rate is None or (one.degree == 2 and one.other is None) or one.degree > 2:
        return None
    flat = in_scaled(one.characteristic, one)
    steep = flat.subs(scaled, kappa * scaled)
    double = [flat.subs(z, rate)] if one.degree == 1 else Poly(flat - (z - rate) ** 2, z).coeffs()
    letters = [scaled] if one.other is None else [scaled, one.other]
    for found in solve(double, letters, dict=True):
        if set(found) != set(letters):
            continue
        last = numer(together(steep.subs(z, -rate).subs(found)))
        last = factor(last.subs(rate, 1 - _gap))
        for gap in solve(last, _gap):
            shorter = _shortest(gap)
            if _in_range(1 - shorter):
                value = together(1 - shorter)
                other = None if one.other is None else factor(found[one.other])
                kept = Mul(*(one for one in Mul.make_args(last) if one.has(kappa)))
                return Best(factor(found[scaled]), other, kept.subs(_gap, 1 - rate), value)
    return None


def _shortest(gap: Expr) -> Expr:
    """A solution without roots of κ in its denominator twice, by way of √κ."""
    plain = factor(cancel(simplify(gap.subs(kappa, _root**2))))
    return min((gap, plain.subs(_root, sqrt(kappa))), key=lambda one: one.count_ops())


def _in_range(value: Expr) -> bool:
    return all(0 < float(value.subs(kappa, number)) < 1 for number in (2, 9, 100))


def best_lines(one: LinearStep) -> Derivation | None:
    """From what is asked of the ends to the best letters and their rate; None where not found."""
    found = best(one)
    if found is None or one.rate is None:
        return None
    check = _check_best(one, found)
    flat = in_scaled(one.characteristic, one)
    far = flat.subs(scaled, one.rate * most).subs(z, -rate)
    shape = f"(z − r){'²' if one.degree == 2 else ''}"
    why = f"so that p(z) = {shape} where the curvature is λ_min"
    lines = [Line(one.rate * least, in_order(found.scaled), why)]
    if found.other is not None:
        lines.append(Line(one.other, in_order(found.other), why))
    lines += [
        Line(in_order(far), S.Zero, "−r is a root where it is λ_max"),
        Line(readable(found.equation, {}), S.Zero, ("put in, ", kappa, " = ", most / least)),
        Line(rate, readable(found.rate, {}), "solved: what is left shrinks by r a step", check),
    ]
    ends = _by_ends(found.scaled.subs(rate, found.rate) / least)
    lines.append(Line(one.rate, in_order(ends), "put in"))
    if found.other is not None:
        value = _shortest(factor(found.other.subs(rate, found.rate)))
        lines.append(Line(one.other, readable(_factored(value), {}), "put in"))
    title: Reason = (
        f"{one.rule.title} is fastest on curvatures from ",
        least,
        " to ",
        most,
        " at the letters where both ends converge alike",
    )
    return Derivation(one.rule.name, title, tuple(lines))


def _by_ends(expr: Expr) -> Expr:
    """An expression in κ and λ_min in terms of both ends."""
    a, b = Symbol("a", positive=True), Symbol("b", positive=True)
    whole = simplify(expr.subs(kappa, (b / a) ** 2).subs(least, a**2))
    return factor(cancel(whole)).subs({a: sqrt(least), b: sqrt(most)})


def _factored(expr: Expr) -> Expr:
    return factor(together(expr.subs(kappa, _root**2))).subs(_root, sqrt(kappa))


def within(one: LinearStep, numbers: Mapping[Expr, Expr], bound: Expr) -> bool:
    """Whether no root is larger than a bound in absolute value, by Jury's conditions."""
    *falling, last = (each.subs(numbers) for each in coefficients(one))
    sign = (-1) ** one.degree
    at, against = (
        sum((each * side**k for k, each in enumerate(reversed(falling), start=1)), last)
        for side in (bound, -bound)
    )
    tests = [at, sign * against]
    if one.degree == 2:
        tests += [bound**2 - last]
    return all(each >= 0 for each in tests)


def _check_best(one: LinearStep, found: Best) -> str:
    """At small κ with a rational rate: attained between the ends too, and nothing is faster."""
    source = random.Random(20260106)
    seen: list[str] = []
    for number in range(2, 100):
        reached = found.rate.subs(kappa, number)
        if not reached.is_Rational or len(seen) == _KAPPAS:
            continue
        seen.append(str(number))
        start = found.scaled.subs(rate, reached)
        held = {} if found.other is None else {one.other: found.other.subs(rate, reached)}
        for k in range(_BETWEEN + 1):
            there = start * (1 + Rational(number - 1) * k / _BETWEEN)
            assert within(one, {**held, scaled: there}, reached), f"{one.rule.name} at κ = {number}"
        for _ in range(_PAIRS):
            other = {} if one.other is None else {one.other: _near(held[one.other], source)}
            first = start * Rational(source.randint(1, 300), 150)
            ends = [{**other, scaled: end} for end in (first, number * first)]
            faster = all(within(one, end, reached * Rational(499, 500)) for end in ends)
            assert not faster, f"{one.rule.name} is faster at κ = {number}, {ends[0]}"
    assert seen, f"no rate of {one.rule.name} is rational"
    return (
        f"checked at κ = {', '.join(seen)} against {_PAIRS} other choices and {_BETWEEN + 1} "
        "curvatures, exact"
    )


def _near(value: Expr, source: random.Random) -> Rational:
    """A fraction of [0, 1), half of the time close to the value."""
    if source.random() < 0.5:
        return Rational(source.randint(0, 199), 200)
    return min(max(value + Rational(source.randint(-40, 40), 800), S.Zero), Rational(199, 200))
