"""Sums of products of letters with rational exponents: what a normal form is made of.

A letter may be a root, a power with a symbolic exponent, an absolute value or a whole sum; what is
known of its kind is applied as products are made, so that equal forms look the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import floor
from typing import Any

from sympy import Add, Expr, Mul, Pow, Rational

# products beyond this many terms are given up
_MOST_TERMS = 60_000

SYMBOL, ENTRY, OTHER, SUM = "symbol", "entry", "other", "sum"
PRIME, BASE, POWER, ABSOLUTE, SENSE = "prime", "base", "power", "absolute", "sense"


class TooHard(Exception):
    """A step of the proof that is beyond what is tried; the text says which."""


@dataclass(frozen=True)
class Letter:
    """What is not taken apart: ``rank`` tells letters apart and orders them.

    ``of`` holds the polynomial that a base, an absolute value or a sign is of; base and exponent
    of a power; index, size and body of a sum; the prime of a root of numbers, or −1.
    """

    kind: str
    rank: str
    expr: Expr = field(compare=False)
    of: Any = field(compare=False, default=None)

    @cached_property
    def _hash(self) -> int:
        return hash((self.kind, self.rank))

    def __hash__(self) -> int:
        return self._hash


Monomial = tuple[tuple[Letter, Fraction], ...]


def _rank(pair: tuple[Letter, Fraction]) -> tuple[str, str]:
    return pair[0].rank, pair[0].kind


@dataclass(frozen=True)
class Polynomial:
    """A number for each monomial, none of them 0."""

    terms: Mapping[Monomial, Fraction]

    @cached_property
    def text(self) -> str:
        """The same for equal polynomials only."""
        rows = sorted(
            "·".join(f"{one.kind[:2]}{one.rank}^{power}" for one, power in monomial) + f"*{value}"
            for monomial, value in self.terms.items()
        )
        return " + ".join(rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Polynomial) and dict(self.terms) == dict(other.terms)

    def __hash__(self) -> int:
        return hash(self.text)

    @property
    def zero(self) -> bool:
        """Whether there are no terms."""
        return not self.terms

    @property
    def number(self) -> Fraction | None:
        """The value, where there are no letters."""
        if not self.terms:
            return Fraction(0)
        if len(self.terms) == 1 and () in self.terms:
            return self.terms[()]
        return None

    @cached_property
    def expr(self) -> Expr:
        """The polynomial as an expression."""
        return Add(*(_product(monomial, value) for monomial, value in self.terms.items()))

    def letters(self) -> Iterator[Letter]:
        """All letters, each once."""
        yield from dict.fromkeys(one for monomial in self.terms for one, _ in monomial)


def _product(monomial: Monomial, value: Fraction) -> Expr:
    factors = (Pow(one.expr, rational(power)) for one, power in monomial)
    return Mul(rational(value), *factors)


def rational(value: Fraction) -> Rational:
    """SymPy's number."""
    return Rational(value.numerator, value.denominator)


ZERO = Polynomial({})


def constant(value: Fraction | int) -> Polynomial:
    """A number as a polynomial."""
    return Polynomial({(): Fraction(value)}) if value else ZERO


ONE = constant(1)


def single(letter: Letter, power: Fraction | int = 1) -> Polynomial:
    """A power of a letter."""
    return product(((letter, Fraction(power)),))


def plus(*several: Polynomial) -> Polynomial:
    """The sum."""
    found: dict[Monomial, Fraction] = {}
    for one in several:
        for monomial, value in one.terms.items():
            found[monomial] = found.get(monomial, Fraction(0)) + value
    return Polynomial({monomial: value for monomial, value in found.items() if value})


def scaled(one: Polynomial, number: Fraction | int) -> Polynomial:
    """A multiple."""
    return Polynomial({key: value * number for key, value in one.terms.items()}) if number else ZERO


def minus(one: Polynomial, other: Polynomial) -> Polynomial:
    """The difference."""
    return plus(one, scaled(other, -1))


def times(one: Polynomial, other: Polynomial) -> Polynomial:
    """The product, multiplied out.

    Raises
    ------
    TooHard
        For more terms than are tried.
    """
    if len(one.terms) * len(other.terms) > _MOST_TERMS:
        raise TooHard(f"products of {len(one.terms)} by {len(other.terms)} terms")
    found: dict[Monomial, Fraction] = {}
    for left, value in one.terms.items():
        for right, more in other.terms.items():
            for monomial, number in product((*left, *right)).terms.items():
                found[monomial] = found.get(monomial, Fraction(0)) + number * value * more
    return Polynomial({monomial: value for monomial, value in found.items() if value})


def raised(one: Polynomial, power: int) -> Polynomial:
    """A natural power."""
    found = ONE
    for _ in range(power):
        found = times(found, one)
    return found


def product(factors: Iterable[tuple[Letter, Fraction]]) -> Polynomial:
    """A product of powers of letters, all that is known of their kinds applied."""
    number, found = _joined(factors)
    for letter, power in list(found.items()):
        if letter.kind == BASE and power >= 1:
            whole = floor(power)
            found[letter] = power - whole
            rest = product((one, e) for one, e in found.items() if e)
            return scaled(times(rest, raised(letter.of, whole)), number)
    for letter, power in found.items():
        if letter.kind == BASE and power < 0:
            shorter = _divided(letter, power, found)
            if shorter is not None:
                return scaled(shorter, number)
    return Polynomial({tuple(sorted(found.items(), key=_rank)): number})


def _joined(
    factors: Iterable[tuple[Letter, Fraction]],
) -> tuple[Fraction, dict[Letter, Fraction]]:
    number, found = Fraction(1), dict[Letter, Fraction]()
    for letter, power in factors:
        found[letter] = found.get(letter, Fraction(0)) + power
    for letter in list(found):
        power = found.pop(letter)
        if letter.kind == PRIME:
            whole = floor(power)
            number, power = number * Fraction(letter.of) ** whole, power - whole
        elif letter.kind == POWER and power.denominator == 1 and _alternates(letter):
            power = Fraction(power % 2)
        elif letter.kind == SENSE:
            power = Fraction(2 - int(power) % 2) if power else power
        if power:
            found[letter] = found.get(letter, Fraction(0)) + power
    for letter in [one for one in found if one.kind in (ABSOLUTE, SENSE)]:
        _with_signs(letter, found)
    return number, {letter: power for letter, power in found.items() if power}


def _alternates(letter: Letter) -> bool:
    base, exponent = letter.of
    return bool(base.number == -1 and exponent.expr.is_integer)


def _with_signs(letter: Letter, found: dict[Letter, Fraction]) -> None:
    """|u|² = u², sign(u)·u = |u| and sign(u)·|u| = u, where u is a letter."""
    own = letter.of.own
    if letter.kind == ABSOLUTE and letter in found:
        power = found[letter]
        pairs = floor(power / 2)
        if pairs:
            found[own] = found.get(own, Fraction(0)) + 2 * pairs
            found[letter] = power - 2 * pairs
    if letter.kind == SENSE and letter in found:
        size = letter.of.absolute
        if found[letter] == 2 and (found.get(own) or found.get(size)):
            del found[letter]
        elif found[letter] == 1 and found.get(size):
            del found[letter]
            found[size] -= 1
            found[own] = found.get(own, Fraction(0)) + 1
        elif found[letter] == 1 and found.get(own, Fraction(0)).denominator == 1 and found.get(own):
            del found[letter]
            found[own] -= 1
            found[size] = found.get(size, Fraction(0)) + 1


def _divided(
    letter: Letter, power: Fraction, found: Mapping[Letter, Fraction]
) -> Polynomial | None:
    """What is a multiple of the leading monomial of a base below it, in base and lower terms."""
    base: Polynomial = letter.of
    lead = leading(base)
    if not all(found.get(one, Fraction(0)) >= e > 0 for one, e in lead):
        return None
    rest = {one: found[one] - dict(lead).get(one, Fraction(0)) for one in found}
    value = base.terms[lead]
    lower = Polynomial({one: number for one, number in base.terms.items() if one != lead})
    higher = product((*((k, e) for k, e in rest.items() if k != letter), (letter, power + 1)))
    kept = times(product((one, e) for one, e in rest.items() if e), lower)
    return scaled(minus(higher, kept), 1 / value)


def leading(one: Polynomial) -> Monomial:
    """The last monomial in the order of the letters."""
    return max(one.terms, key=lambda monomial: [(*_rank(pair), pair[1]) for pair in monomial[::-1]])
