"""Expressions ⇒ polynomials in normal form, modulo what is declared of their atoms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sympy import Add, Expr, Function, Indexed, Mul, Pow, Rational, S, Symbol, factorrat

from symopt.calculus.polynomial import (
    ZERO,
    Monomial,
    Polynomial,
    atom,
    bound_index,
    collected,
    constant,
    plus,
    power,
    replaced,
    scaled,
    size_of,
    summed,
    times,
)
from symopt.errors import DerivationError
from symopt.nodes import Sigma
from symopt.printing.unicode import unicode

Block = tuple[tuple[Expr, Rational], ...]


@dataclass(frozen=True)
class Identity:
    """Σ_i of a product of atoms ⇒ what it is worth; ``name`` says by which equation."""

    name: str
    block: Block
    size: Expr
    worth: Polynomial


@dataclass(frozen=True)
class Knowledge:
    """What is known of atoms: expressions put in for them, identities of sums, signs of roots.

    ``values`` maps letters to expressions; an indexed letter maps from its base, a function of one
    from the function at an index, both with the index that the expression uses. ``identities`` say
    what sums are worth.
    """

    values: Mapping[Expr, tuple[Expr | None, Expr]] = field(default_factory=dict)
    identities: tuple[Identity, ...] = ()


def normal_form(expr: Expr, known: Knowledge = Knowledge()) -> Polynomial:  # frozen
    """The expression as a polynomial in its atoms, reduced by the identities that are known.

    Raises
    ------
    DerivationError
        For a sum without bounds, or a power that is no power of a single atom.
    """
    return reduced(_polynomial(expr, known), known.identities)


def _polynomial(expr: Expr, known: Knowledge) -> Polynomial:
    if expr.is_Rational:
        return constant(Rational(expr))
    if isinstance(expr, Add):
        return plus(*(_polynomial(part, known) for part in expr.args))
    if isinstance(expr, Mul):
        result = constant(S.One)
        for part in expr.args:
            result = times(result, _polynomial(part, known))
        return result
    if isinstance(expr, Sigma):
        if expr.bounds is None or expr.bounds[0] != 1:
            raise DerivationError(
                f"{unicode(expr)} has no bounds from 1; write Sigma(f, (i, 1, m))"
            )
        total = summed(_polynomial(expr.body, known), expr.index, expr.bounds[1])
        return _sizes_put_in(total, expr.bounds[1], known)
    if isinstance(expr, Pow):
        return _power(expr, known)
    return _letter(expr, known)


def _sizes_put_in(part: Polynomial, size: Expr, known: Knowledge) -> Polynomial:
    """Σ 1 = K, and K by what it is known as."""
    if size not in known.values:
        return part
    worth = _polynomial(known.values[size][1], known)
    found = ZERO
    for monomial, value in part.terms:
        powers = [e for base, e in monomial.factors if base == size]
        if powers and powers[0].is_Integer and powers[0] > 0:
            rest = tuple(pair for pair in monomial.factors if pair[0] != size)
            own = collected([(Monomial(rest, monomial.bound), value)])
            found = plus(found, times(own, power(worth, int(powers[0]))))
        else:
            found = plus(found, collected([(monomial, value)]))
    return found


def _letter(expr: Expr, known: Knowledge) -> Polynomial:
    if expr in known.values:
        return _polynomial(known.values[expr][1], known)
    if isinstance(expr, Indexed) and expr.base in known.values:
        index, value = known.values[expr.base]
        return _polynomial(value.xreplace({index: expr.indices[0]}), known)
    if isinstance(expr, Function):
        for pattern, (index, value) in known.values.items():
            position = _matched(expr, pattern, index)
            if position is not None:
                return _polynomial(value.xreplace({index: position}), known)
    return atom(expr)


def _matched(expr: Expr, pattern: Expr, index: Expr | None) -> Expr | None:
    """The index at which a function of an indexed letter is this one: tanh x_j for tanh x_i."""
    if index is None or type(expr) is not type(pattern):
        return None
    for entry in expr.atoms(Indexed):
        for position in entry.indices:
            if pattern.xreplace({index: position}) == expr:
                return position
    return None


def _power(expr: Pow, known: Knowledge) -> Polynomial:
    base, exponent = expr.args
    if exponent.is_Integer and exponent.is_nonnegative:
        return power(_polynomial(base, known), int(exponent))
    if base.is_Rational and base.is_positive and exponent.is_Rational:
        primes = factorrat(base).items()
        return collected([(Monomial(tuple((S(p), e * exponent) for p, e in primes)), S.One)])
    inner = _polynomial(base, known)
    if exponent.is_Rational and len(inner.terms) == 1:
        monomial, value = inner.terms[0]
        if exponent.is_Integer and not monomial.bound:
            factors = tuple((one, e * exponent) for one, e in monomial.factors)
            return collected([(Monomial(factors), value**exponent)])
        if value == 1 and not monomial.bound and _may_split(monomial):
            factors = tuple((one, e * exponent) for one, e in monomial.factors)
            return collected([(Monomial(factors), S.One)])
    # a power of its base, so that powers of one base come together in products
    return atom(base, Rational(exponent)) if exponent.is_Rational else atom(expr)


def _may_split(monomial: Monomial) -> bool:
    """Whether (ab)^r = a^r b^r: a single atom, or all of them positive."""
    single = len(monomial.factors) == 1 and monomial.factors[0][1] == 1
    return single or all(one.is_positive for one, _ in monomial.factors)


def reduced(part: Polynomial, identities: tuple[Identity, ...]) -> Polynomial:
    """The polynomial with every sum that an identity knows replaced by what it is worth."""
    return _reduction(part, identities)[0]


def used_identities(expr: Expr, known: Knowledge) -> tuple[Identity, ...]:
    """The identities that the normal form of an expression takes, in the order of their use."""
    return _reduction(_polynomial(expr, known), known.identities)[1]


def _reduction(
    part: Polynomial, identities: tuple[Identity, ...]
) -> tuple[Polynomial, tuple[Identity, ...]]:
    used: dict[str, Identity] = {}
    while True:
        for place, (monomial, value) in enumerate(part.terms):
            found = _applied(monomial, identities)
            if found is not None:
                used.setdefault(found[1].name, found[1])
                others = collected([*part.terms[:place], *part.terms[place + 1 :]])
                part = plus(others, scaled(found[0], value))
                break
        else:
            return part, tuple(used.values())


def _applied(
    monomial: Monomial, identities: tuple[Identity, ...]
) -> tuple[Polynomial, Identity] | None:
    for index in monomial.bound:
        inside = monomial.holding(index)
        others = [one for one in monomial.bound if one != index]
        if any(base.has(*others) for base, _ in inside if others):
            continue
        key = tuple(sorted(replaced(inside, {index: bound_index(0, size_of(index))}), key=str))
        for identity in identities:
            if identity.block == key and identity.size == size_of(index):
                rest = tuple(pair for pair in monomial.factors if pair not in inside)
                outer = collected([(Monomial(rest, tuple(others)), S.One)])
                return times(outer, identity.worth), identity
    return None


def identity(name: str, letter: Expr, value: Expr, known: Knowledge) -> Identity:
    """A defining equation, solved for its largest sum: μ = Σ x_i/m ⇒ Σ x_i = m μ.

    Raises
    ------
    DerivationError
        If the equation holds no sum over a single index that can be solved for.
    """
    gap = normal_form(value - letter, known)
    sums = [
        (monomial, coefficient)
        for monomial, coefficient in gap.terms
        if len(monomial.bound) == 1 and _solvable(monomial)
    ]
    if not sums:
        raise DerivationError(f"{name} defines {unicode(letter)} by no sum that can be solved for")
    lead, coefficient = max(sums, key=lambda pair: _degree(pair[0]))
    index = lead.bound[0]
    inside = lead.holding(index)
    outside = tuple((base, -e) for base, e in lead.factors if (base, e) not in inside)
    rest = collected([pair for pair in gap.terms if pair[0] != lead])
    worth = times(collected([(Monomial(outside), S.One)]), scaled(rest, -1 / coefficient))
    return Identity(name, tuple(sorted(inside, key=str)), size_of(index), worth)


def _degree(monomial: Monomial) -> Rational:
    """The degree of what is summed."""
    return sum((e for _, e in monomial.holding(monomial.bound[0])), S.Zero)


def _solvable(monomial: Monomial) -> bool:
    """Whether what stands before the sum can be divided by: sizes, numbers, positive letters."""
    inside = monomial.holding(monomial.bound[0])
    outer = [base for base, _ in monomial.factors if (base, _) not in inside]
    return all(isinstance(base, Symbol | Rational) and base.is_positive for base in outer)
