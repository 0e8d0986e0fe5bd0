"""Polynomials in indexed atoms under sums over symbolic ranges, each kept in one normal form.

A polynomial maps monomials to rational coefficients; a monomial is a product of powers of atoms,
summed over bound indices: Σ_{i,j} x_i² y_j z has the factors x_i², y_j, z and binds i and j. Sums
are multiplied out, constants pulled out, bound indices renamed and deltas contracted by
construction, so two polynomials in the atoms are equal for every size of the ranges exactly when
their normal forms are. No size is ever given a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import permutations

from sympy import Expr, KroneckerDelta, Mul, Pow, Rational, S, floor

from symopt.nodes import Sigma
from symopt.notation import Index
from symopt.spelling import spell

Factor = tuple[Expr, Rational]


@dataclass(frozen=True)
class Monomial:
    """A product of powers of atoms, summed over its bound indices."""

    factors: tuple[Factor, ...] = ()
    bound: tuple[Index, ...] = ()

    def holding(self, index: Expr) -> tuple[Factor, ...]:
        """The factors in which an index stands."""
        return tuple(pair for pair in self.factors if pair[0].has(index))

    @property
    def inside(self) -> tuple[Factor, ...]:
        """The factors that are summed."""
        return tuple(pair for pair in self.factors if any(map(pair[0].has, self.bound)))

    @property
    def outside(self) -> tuple[Factor, ...]:
        """The factors that stand before the sums."""
        return tuple(pair for pair in self.factors if pair not in self.inside)


@dataclass(frozen=True)
class Polynomial:
    """A sum of monomials in normal form: sorted, none twice, no coefficient zero."""

    terms: tuple[tuple[Monomial, Rational], ...] = ()


ZERO = Polynomial()


def constant(value: Rational) -> Polynomial:
    """A number."""
    return collected([(Monomial(), value)])


def atom(expr: Expr, power: Rational = S.One) -> Polynomial:
    """A power of a single atom."""
    return collected([(Monomial(((expr, power),)), S.One)])


def collected(terms: Iterable[tuple[Monomial, Rational]]) -> Polynomial:
    """Terms added up: equal monomials once, those with coefficient zero left out."""
    found: dict[Monomial, Rational] = {}
    for monomial, coefficient in terms:
        number, others = _numbers_out(canonical_monomial(monomial))
        found[others] = found.get(others, S.Zero) + coefficient * number
    kept = [(one, value) for one, value in found.items() if value != 0]
    return Polynomial(tuple(sorted(kept, key=lambda pair: _key(pair[0]))))


def _numbers_out(monomial: Monomial) -> tuple[Rational, Monomial]:
    """2^(3/2) x ⇒ 2 and 2^(1/2) x: whole powers of numbers go to the coefficient."""
    if not any(base.is_Rational for base, _ in monomial.factors):
        return S.One, monomial
    number, factors = S.One, []
    for base, exponent in monomial.factors:
        whole = floor(exponent) if base.is_Rational else S.Zero
        number *= base**whole if whole != 0 else 1
        if exponent != whole:
            factors.append((base, exponent - whole))
    return number, Monomial(tuple(factors), monomial.bound)


def plus(*parts: Polynomial) -> Polynomial:
    """The sum."""
    return collected(term for part in parts for term in part.terms)


def scaled(part: Polynomial, factor: Rational) -> Polynomial:
    """A multiple."""
    return collected((monomial, factor * value) for monomial, value in part.terms)


def times(one: Polynomial, other: Polynomial) -> Polynomial:
    """The product, the bound indices of the two kept apart."""
    return collected(
        (product(left, right), a * b) for left, a in one.terms for right, b in other.terms
    )


def power(part: Polynomial, exponent: int) -> Polynomial:
    """A natural power, multiplied out."""
    result = constant(S.One)
    for _ in range(exponent):
        result = times(result, part)
    return result


def summed(part: Polynomial, index: Index, size: Expr) -> Polynomial:
    """Σ over an index: Σ 1 = m, Σ_j δ_ij f_j = f_i, and what holds the index stays summed."""
    return collected((_summed(monomial, index, size), value) for monomial, value in part.terms)


def factors_replaced(part: Polynomial, letter: Expr, value: Polynomial) -> Polynomial:
    """A polynomial put in for a letter where that is a factor; where it bounds a sum, it stays."""
    return plus(*(_with_value(pair, letter, value) for pair in part.terms))


def _with_value(pair: tuple[Monomial, Rational], letter: Expr, value: Polynomial) -> Polynomial:
    monomial, coefficient = pair
    exponent = dict(monomial.factors).get(letter, S.Zero)
    others = tuple(one for one in monomial.factors if one[0] != letter)
    rest = collected([(Monomial(others, monomial.bound), coefficient)])
    return times(rest, power(value, int(exponent)))


# monomials


@lru_cache(maxsize=2**14)  # sums of what is in normal form already ask for it again
def canonical_monomial(monomial: Monomial) -> Monomial:
    """Factors merged and sorted, bound indices named so that the result comes first of all."""
    merged: dict[Expr, Rational] = {}
    for base, exponent in monomial.factors:
        merged[base] = merged.get(base, S.Zero) + exponent
    factors = tuple((base, exponent) for base, exponent in merged.items() if exponent != 0)
    # through names that stand nowhere, so that swapping two indices does not merge them
    fresh = {name: _index(f"f{k}", size_of(name)) for k, name in enumerate(monomial.bound)}
    apart = replaced(factors, fresh)
    return min((_named(apart, order) for order in permutations(fresh.values())), key=_key)


def _named(factors: tuple[Factor, ...], order: tuple[Index, ...]) -> Monomial:
    names = {old: bound_index(k, size_of(old)) for k, old in enumerate(order)}
    ordered = sorted(replaced(factors, names), key=_factor_key)
    return Monomial(tuple(ordered), tuple(names.values()))


def product(one: Monomial, other: Monomial) -> Monomial:
    """The product of two monomials, not yet in normal form."""
    shift = len(one.bound)
    names = {name: bound_index(shift + k, size_of(name)) for k, name in enumerate(other.bound)}
    moved = replaced(other.factors, names)
    return Monomial((*one.factors, *moved), (*one.bound, *names.values()))


def _summed(monomial: Monomial, index: Index, size: Expr) -> Monomial:
    for pair in monomial.holding(index):
        if isinstance(pair[0], KroneckerDelta) and index in pair[0].args:
            (other,) = (one for one in pair[0].args if one != index)
            if not other.is_Symbol:
                continue  # a window's place may lie beyond the last
            rest = tuple(one for one in monomial.factors if one != pair)
            return Monomial(replaced(rest, {index: other}), monomial.bound)
    if not monomial.holding(index):
        return Monomial((*monomial.factors, (size, S.One)), monomial.bound)
    fresh = bound_index(len(monomial.bound), size)
    return Monomial(replaced(monomial.factors, {index: fresh}), (*monomial.bound, fresh))


def replaced(factors: tuple[Factor, ...], names: Mapping[Expr, Expr]) -> tuple[Factor, ...]:
    """Factors with indices replaced, all at once."""
    if not names:
        return factors
    return tuple((base.xreplace(dict(names)), exponent) for base, exponent in factors)


def bound_index(k: int, size: Expr) -> Index:
    """The k-th bound index of a monomial over a range of this size."""
    return _index(f"b{k}", size)


@cache
def _index(word: str, size: Expr) -> Index:
    return Index(spell(word), ("bound", size), integer=True, positive=True)


def size_of(index: Index) -> Expr:
    """How far a bound index of a monomial runs."""
    size: Expr = index.facts[1]
    return size


# monomials are sorted at every step, and printing their atoms anew took a third of a derivation
_word = lru_cache(maxsize=2**15)(str)


def _factor_key(factor: Factor) -> tuple[str, str]:
    return _word(factor[0]), _word(factor[1])


def _key(monomial: Monomial) -> tuple[int, tuple[tuple[str, str], ...], tuple[str, ...]]:
    sizes = tuple(_word(size_of(one)) for one in monomial.bound)
    return len(monomial.bound), tuple(map(_factor_key, monomial.factors)), sizes


# back to expressions


def expression(part: Polynomial, names: tuple[Index, ...]) -> Expr:
    """The polynomial as SymPy's expression; ``names`` are letters for its bound indices."""
    return sum((_expression(one, value, names) for one, value in part.terms), S.Zero)


def _expression(monomial: Monomial, value: Rational, names: tuple[Index, ...]) -> Expr:
    shown = dict(zip(monomial.bound, names, strict=False))
    body: Expr = Mul(*(Pow(base.xreplace(shown), exponent) for base, exponent in monomial.inside))
    for one in monomial.bound:
        body = Sigma(body, (shown[one], S.One, size_of(one)))
    return value * Mul(*(Pow(base, exponent) for base, exponent in monomial.outside)) * body
