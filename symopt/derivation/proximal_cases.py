"""The minima of ½(z − u)² + κ r(z) over z, case by case from the left, for r convex in pieces."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from sympy import (
    Abs,
    Add,
    Expr,
    Ge,
    Gt,
    Le,
    Lt,
    Max,
    Mul,
    Piecewise,
    Poly,
    Pow,
    S,
    Symbol,
    oo,
    sign,
    simplify,
)

from symopt.derivation.pieces import Pieces
from symopt.derivation.readable import readable
from symopt.derivation.signs import nonnegative
from symopt.errors import DerivationError
from symopt.printing.unicode import unicode
from symopt.symbols import kappa


@dataclass(frozen=True)
class Case:
    """The ``value`` at which the minimum is for u from ``low`` to ``high``.

    ``derivative`` of what is made small is 0 ``between`` two kinks by this ``part`` of r, or jumps
    past 0 at one, from its first value to its second.
    """

    value: Expr
    low: Expr
    high: Expr
    derivative: tuple[Expr, ...]
    between: tuple[Expr, Expr]
    part: Expr | None = None


def within(letter: Expr, low: Expr, high: Expr, closed: bool = False) -> tuple[Expr, ...]:
    """``letter > low`` and ``letter < high``, of which the ends at infinity say nothing."""
    above, below = (Ge, Le) if closed else (Gt, Lt)
    found = [] if low == -oo else [above(letter, readable(low, {}), evaluate=False)]
    found += [] if high == oo else [below(letter, readable(high, {}), evaluate=False)]
    return tuple(found)


def check_convex(taken: Pieces, z: Symbol) -> None:
    """Nothing, where each part is of the second degree at most and slopes never fall.

    Raises
    ------
    DerivationError
        Names the part or the kink where that is not so, or not known.
    """
    for low, part, high in taken.intervals:
        where = " and ".join(map(unicode, within(z, low, high)))
        where = where and f" where {where}"
        if Poly(part, z).degree() > 2:
            raise DerivationError(
                f"it is {unicode(readable(part, {}))}{where}, which is of a higher degree than the "
                "second; no closed form is looked for there"
            )
        bend = simplify(part.diff(z, 2))
        if not nonnegative(bend):
            raise DerivationError(
                f"its second derivative is {unicode(readable(bend, {}))}{where}, of which it does "
                "not follow that it is never below 0; let it be convex, so that there is one "
                "minimum"
            )
    for kink, (left, right) in zip(taken.kinks, slopes(taken, z), strict=True):
        if not nonnegative(right - left):
            raise DerivationError(
                f"its slope goes from {unicode(left)} to {unicode(right)} at {unicode(kink)}, of "
                "which it does not follow that it never falls; let it be convex, so that there is "
                "one minimum"
            )


def slopes(taken: Pieces, z: Symbol) -> list[tuple[Expr, Expr]]:
    """The slopes on both sides of each kink."""
    return [
        (_slope(left, z, kink), _slope(right, z, kink))
        for kink, (left, right) in zip(taken.kinks, pairwise(taken.parts), strict=True)
    ]


def _slope(part: Expr, z: Symbol, place: Expr) -> Expr:
    return simplify(part.diff(z).subs(z, place))


def minima(taken: Pieces, u: Symbol, z: Symbol) -> tuple[Case, ...]:
    """The cases from left to right, each from where the one before it ends."""
    found: list[Case] = []
    jumps = iter(zip(taken.kinks, slopes(taken, z), strict=True))
    for low, part, high in taken.intervals:
        first = low if low == -oo else low + kappa * _slope(part, z, low)
        last = high if high == oo else high + kappa * _slope(part, z, high)
        derivative = (_derivative(z, u, part.diff(z)),)
        found.append(Case(_root(part, u, z), first, last, derivative, (low, high), part))
        for kink, (left, right) in jumps:
            if simplify(right - left) != 0:
                ends = (kink + kappa * left, kink + kappa * right)
                jump = (_derivative(kink, u, left), _derivative(kink, u, right))
                found.append(Case(kink, *ends, jump, (kink, kink)))
            break
    return tuple(found)


def _root(part: Expr, at: Expr, z: Symbol) -> Expr:
    """Where the derivative is 0: (u − κb)/(1 + 2κa) for r = a z² + b z + c."""
    shift = kappa * simplify(part.diff(z).subs(z, 0))
    less = shift.could_extract_minus_sign()
    moved = readable(-shift if less else shift, {})
    terms = (moved if less else Mul(S.NegativeOne, moved, evaluate=False),) if shift != 0 else ()
    above = Add(at, *terms, evaluate=False) if terms else at
    return _divided([above], part, z)


def _divided(above: list[Expr], part: Expr, z: Symbol) -> Expr:
    """The product over 1 + 2κa, which is left out where it is 1."""
    divisor = readable(_divisor(part, z), {})
    below = [] if divisor == 1 else [Pow(divisor, S.NegativeOne, evaluate=False)]
    whole = [*above, *below]
    return whole[0] if len(whole) == 1 else Mul(*whole, evaluate=False)


def _divisor(part: Expr, z: Symbol) -> Expr:
    return 1 + kappa * simplify(part.diff(z, 2))


def _derivative(place: Expr, u: Symbol, slope: Expr) -> Expr:
    """z − u + κ·r'(z), as written."""
    terms = [readable(one, {}) for one in Add.make_args((kappa * slope).expand()) if one != 0]
    less = Mul(S.NegativeOne, u, evaluate=False)
    shown = [*([] if place == 0 else [place]), less, *terms]
    return Add(*shown, evaluate=False) if len(shown) > 1 else less


def together(cases: tuple[Case, ...], u: Symbol) -> Expr:
    """The cases in one formula."""
    return _distinguished([(one.value, one.high) for one in cases], u)


def _distinguished(cases: list[tuple[Expr, Expr]], letter: Expr) -> Expr:
    """Values, each with the end up to which it holds ⇒ a distinction of cases."""
    *others, (last, _) = cases
    if not others:
        return last
    pairs = [(value, Le(letter, readable(end, {}), evaluate=False)) for value, end in others]
    return Piecewise(*pairs, (last, True), evaluate=False)


def is_even(taken: Pieces, z: Symbol) -> bool:
    """Whether r(−z) = r(z)."""
    kinks = zip(taken.kinks, (-one for one in reversed(taken.kinks)), strict=True)
    parts = zip(taken.parts, (one.subs(z, -z) for one in reversed(taken.parts)), strict=True)
    return all(simplify(one - other) == 0 for one, other in (*kinks, *parts))


def by_size(cases: tuple[Case, ...], u: Symbol, z: Symbol) -> Expr:
    """sign(u) times what the minimum is for |u|, from the case in the middle on; r is even.

    A value that is 0 up to s and grows from there is written with a maximum: max(|u| − s, 0).
    """
    size = Abs(u)
    middle, *others = cases[len(cases) // 2 :]
    if len(others) == 1 and middle.part is None:
        (outer,) = others
        assert outer.part is not None
        beyond = Max(readable(size - middle.high, {}), S.Zero, evaluate=False)
        return _divided([sign(u), beyond], outer.part, z)
    values = [
        (one.value if one.part is None else _root(one.part, size, z), one.high)
        for one in (middle, *others)
    ]
    return Mul(sign(u), _distinguished(values, size), evaluate=False)
