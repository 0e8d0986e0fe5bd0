"""When the powers of a rule's step vanish: all roots of its characteristic polynomial within 1.

For one or two roots Jury's conditions say so: p(1) > 0, p(−1) > 0 up to the sign of its highest
power, and for two roots that their product p(0) is below 1.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import mpmath
from sympy import Abs, Expr, Float, Integer, Interval, Poly, Rational, S, expand, oo

from symopt.derivation.in_order import in_order
from symopt.derivation.quadratic import (
    LinearStep,
    curvature,
    deviations,
    exact_numbers,
    polynomial,
    z,
)
from symopt.derivation.signs import nonnegative, positive
from symopt.derivation.steps import Derivation, Line, Reason
from symopt.errors import DerivationError
from symopt.notation import hyperparameter, tilde

# α·λ, in whose terms all conditions are stated
scaled = hyperparameter("q", Interval.open(0, oo))
_POINTS = 100
_DIGITS = 50
_MOST = 2
# runs that show what a learning rate does
_STEPS = 100
_BENT = 10


@dataclass(frozen=True)
class Condition:
    """``value`` > 0, stated by a line whose left side is ``left``."""

    left: Expr
    value: Expr


@dataclass(frozen=True)
class Region:
    """Where a rule converges on a quadratic: 0 < rate·λ < ``limit``, whatever the other letter."""

    conditions: tuple[Condition, ...]
    limit: Expr


def conditions(one: LinearStep) -> tuple[Condition, ...]:
    """Jury's conditions for a step of one or two sequences.

    Raises
    ------
    DerivationError
        For a step that carries more of them along.
    """
    if one.degree > _MOST:
        raise DerivationError(
            f"{one.rule.name} carries {one.degree} sequences along, but when a step converges is "
            f"derived for one or {_MOST}; ask about a rule with a single state"
        )
    whole = one.characteristic
    sign = (-1) ** one.degree
    found = [
        Condition(polynomial(S.One), whole.subs(z, 1)),
        Condition(sign * polynomial(S.NegativeOne), sign * whole.subs(z, -1)),
    ]
    if one.degree == _MOST:
        found.append(Condition(1 - polynomial(S.Zero), 1 - whole.subs(z, 0)))
    return tuple(Condition(each.left, expand(each.value)) for each in found)


def region(one: LinearStep) -> Region:
    """Where all conditions hold, as bounds of the learning rate.

    >>> from symopt.catalog.lecture.gd import gd
    >>> from symopt.derivation.quadratic import linear_step
    >>> region(linear_step(gd)).limit
    2

    Raises
    ------
    DerivationError
        If no letter enters by its product with λ, or the conditions are no bounds of it.
    """
    if one.rate is None:
        raise DerivationError(
            f"{one.rule.name} has no learning rate: no letter enters its step on a quadratic by "
            "its product with λ alone; ask about a rule that multiplies the gradient by one letter"
        )
    stated = conditions(one)
    limits = []
    for each in stated:
        value = in_scaled(each.value, one)
        constant, slope = value.subs(scaled, 0), value.diff(scaled)
        if positive(value):
            continue
        if slope.has(scaled) or not positive(-slope) or not nonnegative(constant):
            raise DerivationError(
                f"where {one.rule.name} converges is not derived: {each.left} > 0 is no upper "
                "bound of its learning rate"
            )
        limits.append(-constant / slope)
    if len(limits) != 1:
        raise DerivationError(f"where {one.rule.name} converges is not one bound of its rate")
    return Region(stated, limits[0].factor())


def in_scaled(expr: Expr, one: LinearStep) -> Expr:
    """The expression in terms of q = rate·λ."""
    return expand(expr.subs(one.rate, scaled / curvature))


def region_lines(one: LinearStep) -> Derivation:
    """That the rule converges from every start if and only if its learning rate is in a range."""
    found = region(one)
    assert one.rate is not None  # else there is no region
    title: Reason = (
        f"{one.rule.title} converges from every start if and only if 0 < ",
        one.rate * curvature,
        " < ",
        in_order(found.limit),
    )
    lines = [
        Line(each.left, in_order(each.value), _meaning(each, one, found))
        for each in found.conditions
    ]
    bound = Line(
        one.rate,
        in_order(found.limit / curvature),
        "from this learning rate on it does not converge, below it does",
        _check_region(one, found),
    )
    return Derivation(one.rule.name, title, (*lines, bound), assumed(one))


def assumed(one: LinearStep) -> tuple[Reason, ...]:
    """The ranges of the letters of a step."""
    letters = [letter for letter in (one.rate, curvature, one.other) if letter is not None]
    return tuple((letter, f" in {_interval(letter.domain)}") for letter in letters)


def _interval(domain: Any) -> str:
    low, high = (str(one).replace("oo", "∞") for one in (domain.inf, domain.sup))
    first, last = "(" if domain.left_open else "[", ")" if domain.right_open else "]"
    return f"{first}{low}, {high}{last}"


def _meaning(each: Condition, one: LinearStep, found: Region) -> Reason:
    """Why a condition holds always, or what it says of the learning rate."""
    if positive(in_scaled(each.value, one)):
        return "above 0 for all values of the letters"
    assert one.rate is not None  # else there is no region
    return ("above 0 if and only if ", one.rate * curvature, " < ", in_order(found.limit))


def points(one: LinearStep, source: random.Random) -> dict[Expr, Rational]:
    """Fractions for q and the other letter, on either side of most bounds."""
    found = {scaled: Rational(source.randint(1, 600), 120)}
    if one.other is not None:
        found[one.other] = Rational(source.randint(0, 119), 120)
    return found


@lru_cache
def coefficients(one: LinearStep) -> tuple[Expr, ...]:
    """The coefficients of the characteristic polynomial in terms of q, of falling powers of z."""
    return tuple(Poly(in_scaled(one.characteristic, one), z).all_coeffs())


def radius(one: LinearStep, numbers: Mapping[Expr, Expr]) -> Any:
    """The largest absolute value of a root, by Durand's and Kerner's iteration."""
    with mpmath.workdps(_DIGITS):
        values = (each.subs(numbers) for each in coefficients(one))
        weights = [mpmath.mpf(each.p) / each.q for each in values]
        return max(abs(root) for root in mpmath.polyroots(weights, maxsteps=500, extraprec=200))


def _check_region(one: LinearStep, found: Region) -> str:
    source = random.Random(20260104)
    for _ in range(_POINTS):
        numbers = points(one, source)
        limit = found.limit.subs(numbers)
        if numbers[scaled] != limit:
            inside = bool(numbers[scaled] < limit)
            assert (radius(one, numbers) < 1) == inside, f"{one.rule.name} at {numbers}"
        edge = radius(one, {**numbers, scaled: limit})
        assert abs(edge - 1) < mpmath.mpf(10) ** (-_DIGITS // 3), f"{one.rule.name} at its limit"
    return f"checked against roots by iteration at {_POINTS} points"


def runs(one: LinearStep) -> Derivation | None:
    """What learning rates do that are too high or too low; None without a default for a letter."""
    found = region(one)
    assert one.rate is not None  # else there is no region
    values = one.rule.default_values
    if one.other is not None and one.other not in values:
        return None
    defaults = {letter: Rational(repr(number)) for letter, number in values.items()}
    limit = found.limit.subs(defaults) / _BENT
    letter = tilde(one.step.system.parameter.sequence)[_STEPS + 1]
    cases = (
        (Rational(21, 20), "5 % above the limit, too high"),
        (Rational(19, 20), "5 % below the limit"),
        (Rational(1, 4), "a quarter of the limit"),
        (Rational(1, 1000), "a thousandth of the limit, too low"),
    )
    lines = []
    for share, words in cases:
        for bend in (S.One, Integer(_BENT)):
            value = _rounded(limit * share)
            numbers = {**exact_numbers(one), **defaults, one.rate: Rational(str(value))}
            numbers[curvature] = bend
            last = deviations(one, numbers, _STEPS)[-1][0]
            at = (one.rate, " = ", value, ", ", curvature, f" = {bend}: {words}")
            lines.append(Line(Abs(letter), _rounded(abs(last)), at))
    others = [] if one.other is None else [one.other]
    held = [part for each in others for part in (", ", each, f" = {values[each]}")]
    title: Reason = (
        f"{_STEPS} steps of {one.rule.title} from ",
        tilde(one.step.system.parameter.sequence)[1],
        " = 1 where curvatures are 1 and ",
        f"{_BENT}, run in fractions and rounded to three digits",
        *held,
    )
    return Derivation(one.rule.name, title, tuple(lines))


def _rounded(number: Expr) -> Float:
    return Float(f"{float(number):.3g}")
