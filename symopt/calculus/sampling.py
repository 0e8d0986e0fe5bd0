"""A second opinion on identities: both sides in exact arithmetic modulo a prime, at small sizes.

It shares nothing with the normal form: sums are written out and letters are random residues. Two
sides that differ agree at a random point with a probability of about degree/prime.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sympy import (
    Abs,
    Add,
    And,
    Basic,
    Expr,
    Function,
    Heaviside,
    Indexed,
    KroneckerDelta,
    Max,
    Min,
    Mul,
    Not,
    Or,
    Piecewise,
    Pow,
    Rational,
    sign,
)
from sympy.core.relational import Relational

from symopt.errors import DerivationError
from symopt.nodes import Inside, Largest, Sigma
from symopt.printing.unicode import unicode

PRIME = 2**61 - 1


@dataclass(frozen=True)
class Point:
    """Residues for letters: single ones by expression, indexed ones by base and number.

    Those with several indices go by base and all numbers; the ``padded`` ones are 0 elsewhere.
    """

    letters: Mapping[Expr, int]
    elements: Mapping[tuple[Expr, Any], int]
    padded: frozenset[Expr] = frozenset()

    def element(self, base: Expr, places: tuple[int, ...]) -> int:
        """The residue of one entry."""
        key = (base, places[0] if len(places) == 1 else places)
        return self.elements.get(key, 0) if base in self.padded else self.elements[key]


class Undefined(Exception):
    """No value at this point: the root of a residue that is no square, or a division by zero."""


def value(expr: Expr, point: Point, numbers: Mapping[Expr, int] | None = None) -> int:
    """The expression's residue, its sums written out; ``numbers`` are values of free indices.

    Raises
    ------
    DerivationError
        For a node that no residue is known of.
    Undefined
        Where a root or a quotient has no residue; another point may do, but for powers that are
        no roots of roots.
    """
    bound = dict(numbers or {})
    if expr in bound:
        return bound[expr]
    if expr.is_Rational:
        return expr.p * pow(expr.q, -1, PRIME) % PRIME
    if isinstance(expr, Add):
        return sum(value(part, point, bound) for part in expr.args) % PRIME
    if isinstance(expr, Mul):
        result = 1
        for part in (one for one in expr.args if isinstance(one, Inside)):
            if not value(part, point, bound):
                return 0  # whatever stands beside it, or has no value
        for part in expr.args:
            result = result * value(part, point, bound) % PRIME
        return result
    if isinstance(expr, Pow):
        return _power(expr, point, bound)
    if isinstance(expr, Sigma) and expr.bounds is not None:
        last = value(expr.bounds[1], point, bound)
        terms = (value(expr.body, point, {**bound, expr.index: k}) for k in range(1, last + 1))
        return sum(terms) % PRIME
    if isinstance(expr, Largest):
        last = value(expr.bounds[1], point, bound)
        places = ({**bound, expr.index: k} for k in range(1, last + 1))
        # residues have no order: one that all of them have a say in will do
        return _opaque(expr, tuple(sorted(value(expr.body, point, one) for one in places)))
    if isinstance(expr, Indexed):
        return point.element(expr.base, tuple(value(one, point, bound) for one in expr.indices))
    if isinstance(expr, Inside):
        # a negative number is a large residue, and so outside as well
        place, low, high = (value(one, point, bound) for one in expr.args)
        return int(low <= place <= high)
    if isinstance(expr, KroneckerDelta):
        left, right = (value(one, point, bound) for one in expr.args)
        return int(left == right)
    if isinstance(expr, Max | Min | Heaviside):
        return value(_by_signs(expr), point, bound)
    if isinstance(expr, Piecewise):
        return _cases(expr, point, bound)
    if expr.is_NumberSymbol:
        return pow(residue(random.Random(str(expr))), 2, PRIME)  # positive, so a square
    if isinstance(expr, Abs | sign):
        return _signed(expr, value(expr.args[0], point, bound))
    if isinstance(expr, Function):
        return _opaque(expr, tuple(value(part, point, bound) for part in expr.args))
    return _letter(expr, point)


def _signed(expr: Expr, argument: int) -> int:
    """|x| and the sign of x, squares in the place of positive numbers: |x| = sign(x)·x, |xy| too.

    The prime is 3 modulo 4, so that of x and −x one is a square.
    """
    sense = pow(argument, (PRIME - 1) // 2, PRIME)
    return sense if isinstance(expr, sign) else sense * argument % PRIME


def _by_signs(expr: Expr) -> Expr:
    """max(a, b) = (a + b + |a − b|)/2, min(a, b) = a + b − max(a, b), a step = (1 + sign)/2."""
    if isinstance(expr, Heaviside):
        return (1 + sign(expr.args[0])) / 2
    first, *others = expr.args
    other = others[0] if len(others) == 1 else expr.func(*others)
    half = Rational(1, 2) if isinstance(expr, Max) else -Rational(1, 2)
    return (first + other) / 2 + half * Abs(first - other)


def _cases(expr: Piecewise, point: Point, bound: Mapping[Expr, int]) -> int:
    """The first branch whose condition holds; of a comparison nothing is assumed but that."""
    for branch, condition in expr.args:
        if condition == True or _holds(condition, point, bound):  # noqa: E712  # SymPy's own true
            return value(branch, point, bound)
    raise Undefined


def _holds(condition: Basic, point: Point, bound: Mapping[Expr, int]) -> bool:
    if isinstance(condition, And | Or | Not):
        parts = [_holds(one, point, bound) for one in condition.args]
        return {And: all, Or: any}[condition.func](parts) if len(parts) > 1 else not parts[0]
    if not isinstance(condition, Relational):
        raise DerivationError(f"of the condition {condition} nothing is known")
    least = condition.canonical
    gap = value(least.lhs - least.rhs, point, bound)
    return bool(residue(random.Random(f"{least.rel_op}{gap}")) % 2)


def _opaque(expr: Expr, arguments: tuple[int, ...]) -> int:
    """A function of which nothing is assumed: a residue for each of its arguments."""
    return residue(random.Random(f"{type(expr).__name__}{arguments}"))


def _power(expr: Pow, point: Point, bound: Mapping[Expr, int]) -> int:
    base, exponent = value(expr.args[0], point, bound), expr.args[1]
    if base == 0 and not exponent.is_nonnegative:
        raise Undefined
    if exponent.is_Integer:
        return pow(base, int(exponent), PRIME)
    if not exponent.is_Rational or exponent.q & (exponent.q - 1):
        raise Undefined  # at no point: only square roots, and roots of them, have a residue
    for _ in range(int(exponent.q).bit_length() - 1):
        base = _square_root(base)
    return pow(base, int(exponent.p), PRIME)


def _square_root(base: int) -> int:
    """The root that is a square itself, so that roots of products are products.

    The prime is 3 modulo 4.
    """
    root = pow(base, (PRIME + 1) // 4, PRIME)
    if root * root % PRIME != base:
        raise Undefined
    return root


def _letter(expr: Expr, point: Point) -> int:
    if expr in point.letters:
        return point.letters[expr]
    raise DerivationError(f"no residue is known for {unicode(expr)}")


def residue(source: random.Random) -> int:
    """A random residue that can be divided by."""
    return source.randrange(1, PRIME)
