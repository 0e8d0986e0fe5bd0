"""What each node of an expression means, as a function of the place at which it is read.

Two tables by node, one of numbers and one of conditions; a node in neither is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import Basic, Expr, Indexed, Mul, Pow, S

from symopt.errors import DeclarationError
from symopt.nodes import Gradient, Norm, Sigma
from symopt.notation import (
    Count,
    Hyperparameter,
    Index,
    Label,
    Parameter,
    Sequence,
    Statistic,
    Unknown,
)
from symopt.verification.definitions import times
from symopt.verification.functions import (
    absolute,
    delta,
    either,
    extreme,
    logarithm,
    power,
    rising,
    sign,
    stepwise,
    waving,
)
from symopt.verification.place import Place
from symopt.verification.quantity import HIGH, SCALAR_ZERO, Quantity, scalar
from symopt.verification.truth import TRUTHS, Truth
from symopt.views import canonical

Meaning = Callable[[Place], Quantity]


def meaning(expr: Basic) -> Meaning:
    """The expression as a function of a place; as written, nothing is simplified.

    Raises
    ------
    DeclarationError
        If a node has no meaning for the judge.
    """
    for kind in type(expr).__mro__:
        if kind in NUMBERS:
            return NUMBERS[kind](expr)
    raise DeclarationError(
        f"{expr} has no meaning for the judge, which does not know {type(expr).__name__}; "
        f"known are {', '.join(sorted(kind.__name__ for kind in NUMBERS))}"
    )


def integer(expr: Expr) -> Callable[[Place], int]:
    """A sum of integers and indices, such as t - 1, as a function of a place."""
    parts = canonical(expr).as_coefficients_dict()
    fixed = int(parts.pop(S.One, 0))
    weights = tuple((one, int(weight)) for one, weight in parts.items())

    def read(place: Place) -> int:
        return fixed + sum(weight * _index(one, place) for one, weight in weights)

    return read


def _index(one: Basic, place: Place) -> int:
    if isinstance(one, Index):
        return place.now if one.counts == "step" else place.bound[one]
    return int(place.world.number(one).value)


def _constant(expr: Expr) -> Meaning:
    found = scalar(HIGH.make_mpf(expr._as_mpf_val(HIGH.prec)))
    return lambda _: found


def _counter(expr: Index) -> Meaning:
    return lambda place: scalar(_index(expr, place))


def _named(expr: Basic) -> Meaning:
    return lambda place: place.world.number(expr)


def _gradient(_: Basic) -> Meaning:
    return lambda place: place.world.gradient(place)


def _letter(letter: Sequence) -> Meaning:
    return lambda place: place.world.value(letter, None, place)


def _entry(expr: Indexed) -> Meaning:
    letter, whens = expr.base, times(expr)
    if not whens:
        return _letter(letter)
    if len(whens) > 1:
        raise DeclarationError(f"{expr} has two steps; write one, such as {letter}[t]")
    when = integer(whens[0])
    return lambda place: place.world.value(letter, when(place), place)


def _sum(expr: Expr) -> Meaning:
    terms = [meaning(part) for part in expr.args]
    return lambda place: place.world.ops.add([term(place) for term in terms])


def _product(expr: Expr) -> Meaning:
    items = [(meaning(part), divides) for part, divides in _factors(expr)]

    def read(place: Place) -> Quantity:
        return place.world.ops.chain([(factor(place), divides) for factor, divides in items])

    return read


def _factors(expr: Expr) -> list[tuple[Expr, bool]]:
    """The factors as written, each with whether it divides."""
    if isinstance(expr, Mul):
        first, *others = expr.args
        return [*_factors(first), *(one for part in others for one in _factor(part))]
    return _factor(expr)


def _factor(part: Expr) -> list[tuple[Expr, bool]]:
    if isinstance(part, Pow) and part.args[1] == S.NegativeOne:
        return [(part.args[0], True)]
    return [(part, False)]


def _power(expr: Pow) -> Meaning:
    below, above = expr.args
    base = meaning(below)
    if above == S.NegativeOne:
        return lambda place: place.world.ops.reciprocal(base(place))
    if above == S.Half:
        return lambda place: place.world.ops.root(base(place))
    if above == -S.Half:
        return lambda place: place.world.ops.reciprocal(place.world.ops.root(base(place)))
    if above.is_Integer and above < 0:
        positive = meaning(-above)
        return lambda place: place.world.ops.reciprocal(
            power(place.world.ops, base(place), positive(place))
        )
    exponent = meaning(above)
    if below == S.Exp1:
        return lambda place: _exponential(place.world.ops, exponent(place))
    return lambda place: power(place.world.ops, base(place), exponent(place))


_exponential = rising(HIGH.exp)


def _function(apply: Callable[..., Quantity]) -> Callable[[Any], Meaning]:
    def of(expr: Expr) -> Meaning:
        inner = [meaning(part) for part in expr.args]
        return lambda place: apply(place.world.ops, *(one(place) for one in inner))

    return of


def _extreme(choose: Callable[..., Any]) -> Callable[[Any], Meaning]:
    apply = extreme(choose)

    def of(expr: Expr) -> Meaning:
        operands = [meaning(part) for part in expr.args]
        return lambda place: apply(place.world.ops, [one(place) for one in operands])

    return of


def _cases(expr: Basic) -> Meaning:
    """The first branch whose condition holds; all that may hold, where rounding decides."""
    branches = [(meaning(pair.args[0]), truth(pair.args[1])) for pair in expr.args]

    def read(place: Place) -> Quantity:
        possible: list[Quantity] = []
        for branch, condition in branches:
            holds = condition(place)
            if holds is False:
                continue
            possible.append(branch(place))
            if holds:
                return either(place.world.ops, possible)
        raise DeclarationError(f"{expr} has no branch for every case; end it with (…, True)")

    return read


def truth(condition: Basic) -> Callable[[Place], Truth]:
    """A condition as a function of a place: true, false, or None where rounding decides."""
    for kind in type(condition).__mro__:
        if kind in TRUTHS:
            combine = TRUTHS[kind]
            if condition.is_Relational:
                left, right = map(meaning, condition.args)
                return lambda place: combine(place.world.ops, left(place), right(place))
            parts = [truth(part) for part in condition.args]
            return lambda place: combine([part(place) for part in parts])
    raise DeclarationError(f"{condition} has no meaning for the judge as a condition")


def _sigma(expr: Sigma) -> Meaning:
    """A sum by brute force; over the past, each term may have been decayed at each step since.

    A recurrence that weights its past by a rounded scalar costs three roundings a term and step,
    against one for an addition alone.
    """
    body, index = meaning(expr.body), expr.index
    over_past = expr.bounds is not None and any(_is_step(x) for x in expr.bounds[1].atoms(Index))
    weighted = over_past and any(_is_step(x) for x in expr.body.atoms(Index))
    roundings = 4 if weighted else 2

    def read(place: Place) -> Quantity:
        numbers = place.world.range(expr, place)
        terms = [body(place._replace(bound={**place.bound, index: k})) for k in numbers]
        return place.world.ops.add(terms, roundings) if terms else SCALAR_ZERO

    return read


def _is_step(one: Index) -> bool:
    return one.counts == "step"


def _norm(expr: Norm) -> Meaning:
    """The root of the sum of all components' squares."""
    inner = meaning(expr.args[0])

    def read(place: Place) -> Quantity:
        ops = place.world.ops
        parts = [inner(place._replace(element=one)) for one in range(place.world.size)]
        return ops.root(ops.add([ops.multiply([part, part]) for part in parts]))

    return read


NUMBERS: dict[type, Callable[[Any], Meaning]] = {
    **dict.fromkeys((sympy.Number, sympy.NumberSymbol), _constant),
    **dict.fromkeys((Hyperparameter, Count, Parameter, Statistic, Label, Unknown), _named),
    Index: _counter,
    Sequence: _letter,
    Indexed: _entry,
    Gradient: _gradient,
    sympy.Add: _sum,
    Mul: _product,
    Pow: _power,
    Sigma: _sigma,
    Norm: _norm,
    sympy.KroneckerDelta: _function(delta),
    sympy.Abs: _function(absolute),
    sympy.sign: _function(sign),
    sympy.Max: _extreme(max),
    sympy.Min: _extreme(min),
    sympy.Piecewise: _cases,
    sympy.exp: _function(_exponential),
    sympy.log: _function(logarithm),
    sympy.sin: _function(waving(HIGH.sin)),
    sympy.cos: _function(waving(HIGH.cos)),
    sympy.tanh: _function(rising(HIGH.tanh)),
    sympy.erf: _function(rising(HIGH.erf)),
    sympy.floor: _function(stepwise(HIGH.floor)),
    sympy.ceiling: _function(stepwise(HIGH.ceil)),
}
