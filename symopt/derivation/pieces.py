"""Functions of one number that are polynomials between kinks: |z|, max(z, 0), Huber's function.

A kink is a number or depends on hyperparameters; of two it must follow from their ranges which is
the larger. Signs of polynomials up to the second degree say where |…|, max and cases change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cmp_to_key, reduce
from itertools import pairwise

from sympy import (
    Abs,
    Add,
    And,
    Basic,
    Expr,
    Max,
    Min,
    Mul,
    Not,
    Or,
    Piecewise,
    Poly,
    Pow,
    S,
    Symbol,
    oo,
    sign,
    simplify,
    sqrt,
)
from sympy.core.relational import Relational

from symopt.derivation.signs import nonnegative, positive
from symopt.errors import DerivationError
from symopt.printing.unicode import unicode


@dataclass(frozen=True)
class Pieces:
    """The ``parts``, polynomials, of the intervals that the ``kinks`` part, from left to right."""

    kinks: tuple[Expr, ...]
    parts: tuple[Expr, ...]

    @property
    def intervals(self) -> tuple[tuple[Expr, Expr, Expr], ...]:
        """Each part between its two ends."""
        edges = (-oo, *self.kinks, oo)
        return tuple(
            (low, part, high) for (low, high), part in zip(pairwise(edges), self.parts, strict=True)
        )

    def right_of(self, place: Expr) -> Expr:
        """The part that begins at a place or goes on there."""
        passed = 0 if place == -oo else sum(compare(one, place) <= 0 for one in self.kinks)
        return self.parts[passed]


def compare(one: Expr, other: Expr) -> int:
    """-1, 0 or 1, as the first is less than the second, equal or more.

    Raises
    ------
    DerivationError
        If it does not follow from the ranges of the letters.
    """
    gap = simplify(one - other)
    if gap == 0:
        return 0
    if positive(gap) or positive(-gap):
        return 1 if positive(gap) else -1
    first, second = sorted((unicode(one), unicode(other)))
    raise DerivationError(
        f"it is not known which of {first} and {second} is the larger; give their letters ranges "
        "from which it follows"
    )


def pieces(expr: Expr, z: Symbol) -> Pieces:
    """The function of z taken apart; at each kink it must be what it is on both sides.

    >>> z = Symbol("z", real=True)
    >>> pieces(Abs(z) + z**2, z).parts
    (z**2 - z, z**2 + z)

    Raises
    ------
    DerivationError
        If it is no polynomial between kinks, if it jumps, or if it is not known where kinks are.
    """
    found = _pieces(expr, z)
    for (_, left, place), (_, right, _) in pairwise(found.intervals):
        value = expr.subs(z, place)
        if any(simplify(one.subs(z, place) - value) != 0 for one in (left, right)):
            raise DerivationError(
                f"it jumps at {unicode(place)}; let it be continuous, or no point need be the best"
            )
    return _joined(found)


def _joined(found: Pieces) -> Pieces:
    """Without the kinks at which nothing changes."""
    kinks: list[Expr] = []
    parts = [found.parts[0]]
    for kink, part in zip(found.kinks, found.parts[1:], strict=True):
        if simplify(part - parts[-1]) != 0:
            kinks.append(kink)
            parts.append(part)
    return Pieces(tuple(kinks), tuple(parts))


def _pieces(expr: Expr, z: Symbol) -> Pieces:
    if not expr.has(z) or expr == z:
        return Pieces((), (expr,))
    for kind, rule in TABLE.items():
        if isinstance(expr, kind):
            return rule(expr, z)
    raise DerivationError(
        f"it holds {unicode(expr)}, which is no polynomial between kinks; let it be made of sums, "
        "products, whole powers, Abs, Max, Min and Piecewise"
    )


def _combined(several: Iterable[Pieces], combine: Callable[..., Expr]) -> Pieces:
    """What functions come to together, on the intervals that the kinks of all part."""
    given = tuple(several)
    kinks: list[Expr] = []
    for one in sorted((k for each in given for k in each.kinks), key=cmp_to_key(compare)):
        if not kinks or compare(kinks[-1], one) != 0:
            kinks.append(one)
    parts = (combine(*(one.right_of(low) for one in given)) for low in (-oo, *kinks))
    return Pieces(tuple(kinks), tuple(part.expand() for part in parts))


def _arithmetic(expr: Expr, z: Symbol) -> Pieces:
    return _combined((_pieces(one, z) for one in expr.args), expr.func)


def _power(expr: Expr, z: Symbol) -> Pieces:
    if not (expr.exp.is_Integer and expr.exp > 0):
        raise DerivationError(
            f"it holds {unicode(expr)}, which is no polynomial between kinks; let powers be whole"
        )
    return _combined([_pieces(expr.base, z)], lambda base: base**expr.exp)


def _absolute(expr: Expr, z: Symbol) -> Pieces:
    inner = _pieces(expr.args[0], z)
    return _combined([inner, _signs(inner, z)], Mul)


def _sign(expr: Expr, z: Symbol) -> Pieces:
    return _signs(_pieces(expr.args[0], z), z, strict=True)


def _extreme(direction: int) -> Callable[[Expr, Symbol], Pieces]:
    """The largest of several for 1, the smallest for -1: that whose lead over the others counts."""

    def pair(z: Symbol, one: Pieces, other: Pieces) -> Pieces:
        lead = _signs(_combined([one, other], lambda a, b: direction * (a - b)), z)
        return _combined([lead, one, other], lambda sign, a, b: a if sign > 0 else b)

    def rule(expr: Expr, z: Symbol) -> Pieces:
        return reduce(lambda one, other: pair(z, one, other), (_pieces(x, z) for x in expr.args))

    return rule


def _cases(expr: Basic, z: Symbol) -> Pieces:
    """The value of the first case whose condition, 1 or 0, is 1."""
    flat = [_pieces(value, z) for value, _ in expr.args]
    truths = [_truth(condition, z) for _, condition in expr.args]

    def first(*mixed: Expr) -> Expr:
        values, holds = mixed[: len(flat)], mixed[len(flat) :]
        for value, one in zip(values, holds, strict=True):
            if one == 1:
                return value
        raise DerivationError(
            f"it holds {unicode(expr)}, which has no last case for everything else; end it with "
            "(value, True)"
        )

    return _combined([*flat, *truths], first)


def _truth(condition: Basic, z: Symbol) -> Pieces:
    """A condition as 1 where it holds and 0 where it does not, between kinks."""
    if condition in (S.true, S.false):
        return Pieces((), (S.One if condition == S.true else S.Zero,))
    if isinstance(condition, Relational):
        gap = _signs(_pieces(condition.lhs - condition.rhs, z), z, strict=True)
        holds = condition.func
        return _combined([gap], lambda sign: S.One if holds(sign, 0) == S.true else S.Zero)
    inner = [_truth(one, z) for one in condition.args]
    for kind, combine in ((And, Min), (Or, Max), (Not, lambda one: 1 - one)):
        if isinstance(condition, kind):
            return _combined(inner, combine)
    raise DerivationError(f"a case depends on {condition}, which is no comparison")


TABLE: dict[type, Callable[[Expr, Symbol], Pieces]] = {
    Add: _arithmetic,
    Mul: _arithmetic,
    Pow: _power,
    Abs: _absolute,
    sign: _sign,
    Max: _extreme(1),
    Min: _extreme(-1),
    Piecewise: _cases,
}


# where polynomials change their signs


def _signs(given: Pieces, z: Symbol, strict: bool = False) -> Pieces:
    """1 and -1 where the function is at least and at most 0, and for ``strict`` 0 where it is 0."""
    kinks: list[Expr] = []
    parts: list[Expr] = []
    for low, part, high in given.intervals:
        inside = [one for one in _roots(part, z) if _between(low, one, high)]
        edges = (low, *inside, high)
        kinks += [*inside, high]
        parts += [_sign_at(part.subs(z, _middle(*ends)), strict) for ends in pairwise(edges)]
    return Pieces(tuple(kinks[:-1]), tuple(parts))


def _between(low: Expr, one: Expr, high: Expr) -> bool:
    return (low == -oo or compare(low, one) < 0) and (high == oo or compare(one, high) < 0)


def _middle(low: Expr, high: Expr) -> Expr:
    """A place between two ends."""
    if low == -oo:
        return S.Zero if high == oo else high - 1
    return low + 1 if high == oo else (low + high) / 2


def _sign_at(value: Expr, strict: bool) -> Expr:
    value = simplify(value)
    known = positive if strict else nonnegative
    if value == 0:
        return S.Zero if strict else S.One
    if known(value) or known(-value):
        return S.One if known(value) else S.NegativeOne
    raise DerivationError(
        f"it is not known whether {unicode(value)} is above or below 0; give its letters ranges "
        "from which it follows"
    )


def _roots(part: Expr, z: Symbol) -> tuple[Expr, ...]:
    """Where a polynomial crosses 0, from left to right."""
    coefficients = Poly(part, z).all_coeffs()
    if len(coefficients) == 1:
        return ()
    leading, *others = coefficients
    if len(coefficients) == 2 and others == [0]:
        return (S.Zero,)
    if len(coefficients) > 3 or not (positive(leading) or positive(-leading)):
        raise DerivationError(
            f"it is not known where {unicode(part)} is 0; let it be of the second degree at most, "
            "its leading coefficient not 0"
        )
    if len(coefficients) == 2:
        return (simplify(-others[0] / leading),)
    middle, last = others
    discriminant = simplify(middle**2 - 4 * leading * last)
    if nonnegative(-discriminant):
        return ()
    if not positive(discriminant):
        raise DerivationError(
            f"it is not known whether {unicode(part)} is 0 anywhere; give its letters ranges from "
            "which it follows"
        )
    half = sqrt(discriminant) / (2 * leading)
    far = half if positive(leading) else -half
    return tuple(simplify(-middle / (2 * leading) + one) for one in (-far, far))
