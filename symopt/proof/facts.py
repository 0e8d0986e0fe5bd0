"""What is known of signs: of letters, of what is assumed, and what follows by linear arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product as choices

from sympy import factorial
from sympy.core.function import AppliedUndef

from symopt.proof.evaluation import Point
from symopt.proof.linear import impossible
from symopt.proof.numbers import Undefined, Unknown, sense
from symopt.proof.polynomial import (
    ABSOLUTE,
    BASE,
    ENTRY,
    OTHER,
    POWER,
    PRIME,
    SENSE,
    SUM,
    SYMBOL,
    Letter,
    Monomial,
    Polynomial,
    constant,
    minus,
    scaled,
    single,
)

Signs = frozenset[int]
ANY: Signs = frozenset((-1, 0, 1))
_NEVER: Signs = frozenset()


@dataclass(frozen=True)
class Facts:
    """Polynomials with the signs that they may have."""

    known: tuple[tuple[Polynomial, Signs], ...] = ()

    def and_also(self, one: Polynomial, signs: Signs) -> Facts:
        """With one more."""
        return Facts((*self.known, (one, signs)))

    @property
    def relations(self) -> tuple[Polynomial, ...]:
        """What is known to be 0."""
        return tuple(one for one, signs in self.known if signs == {0})

    def nonzero(self, one: Polynomial) -> bool:
        """Whether a polynomial is never 0."""
        signs = self.signs(one)
        return signs is not None and 0 not in signs

    def signs(self, one: Polynomial) -> Signs | None:
        """The signs that a polynomial may have; nothing if it may be no real number."""
        found = self._structural(one)
        if found is None or len(found) <= 1:
            return found
        if one.expr.is_number:
            return _of_number(one)
        for fact, signs in self.known:
            ratio = _ratio(one, fact)
            if ratio is not None:
                found &= frozenset(s if ratio > 0 else -s for s in signs)
        if len(found) > 1 and (self.known or any(_bounded(x) for x in one.letters())):
            found &= self._linear(one, found)
        return found

    def _structural(self, one: Polynomial) -> Signs | None:
        total: Signs = frozenset((0,))
        for monomial, value in one.terms.items():
            signs = self._of_monomial(monomial)
            if signs is None:
                return None
            total = _sum(total, frozenset(s if value > 0 else -s for s in signs))
        return total

    def _of_monomial(self, monomial: Monomial) -> Signs | None:
        total: Signs = frozenset((1,))
        for letter, power in monomial:
            own = self.of_letter(letter)
            if own is None:
                return None
            if power.denominator != 1:
                if -1 in own:
                    return None
            elif power % 2 == 0:
                own = frozenset(s * s for s in own)
            if power < 0:
                own -= {0}
            total = frozenset(a * b for a, b in choices(total, own))
        return total

    def of_letter(self, letter: Letter) -> Signs | None:
        """The signs that a letter may have."""
        found = self._of_kind(letter)
        if found is None or letter.kind not in (SYMBOL, ENTRY, OTHER, SUM):
            return found
        for fact, signs in self.known:
            ratio = _ratio(single(letter), fact)
            if ratio is not None:
                found &= frozenset(s if ratio > 0 else -s for s in signs)
        return found

    def _of_kind(self, letter: Letter) -> Signs | None:
        if letter.kind == PRIME:
            return frozenset((1,)) if letter.of > 0 else None
        if letter.kind == BASE:
            return self.signs(letter.of)
        if letter.kind in (ABSOLUTE, SENSE):
            signs = self.signs(letter.of.poly)
            absolute = letter.kind == ABSOLUTE and signs is not None
            return frozenset(map(abs, signs or ())) if absolute else signs
        if letter.kind == POWER:
            return self._of_power(letter)
        if letter.kind == SUM:
            return self._of_sum(letter)
        return _assumed(letter)

    def _of_sum(self, letter: Letter) -> Signs | None:
        """The sign that all terms have; 0 too, unless there is a term."""
        signs = self.signs(letter.of.body)
        if signs is None or len(signs) > 1 or len(letter.of.sizes) > 1:
            return None if signs is None else signs | {0}
        return signs if self.signs(letter.of.sizes[0]) == {1} else signs | {0}

    def _of_power(self, letter: Letter) -> Signs | None:
        base, exponent = letter.of
        signs, real = self.signs(base), self.signs(exponent) is not None
        if signs is None or not real:
            return None
        if signs == {1}:
            return signs
        whole = exponent.expr.is_integer
        if -1 not in signs:
            return frozenset((0, 1))
        return ANY if whole else None

    def _linear(self, one: Polynomial, among: Signs) -> Signs:
        """Those signs which the facts, as linear relations of monomials, do not exclude."""
        facts = [*self.known, *self._of_bounded(one)]
        if not any(not one.terms.keys().isdisjoint(fact.terms) for fact, _ in facts):
            return among
        own = [
            (Polynomial({monomial: Fraction(1)}), signs)
            for monomial in {key for poly, _ in (*facts, (one, ANY)) for key in poly.terms if key}
            if (signs := self._of_part(monomial, one)) is not None and signs != ANY
        ]
        own += [
            (minus(poly, constant(1)), frozenset((0, 1)))  # a whole number above 0 is at least 1
            for poly, signs in own
            if signs == {1} and poly.expr.is_integer
        ]
        return frozenset(
            sign for sign in among if not impossible([*facts, *own, (one, frozenset((sign,)))])
        )

    def _of_part(self, monomial: Monomial, of: Polynomial) -> Signs | None:
        """The signs of a monomial of facts, which must not ask for its own sign again."""
        if monomial in of.terms:
            return self._of_monomial(monomial)
        return self._plain._of_monomial(monomial)

    @cached_property
    def _plain(self) -> Facts:
        """The facts about letters that are made of no other ones."""
        return Facts(
            tuple(
                (one, signs)
                for one, signs in self.known
                if all(letter.kind in (SYMBOL, ENTRY, OTHER, PRIME) for letter in one.letters())
            )
        )

    def _of_bounded(self, one: Polynomial) -> Iterable[tuple[Polynomial, Signs]]:
        """0 < b^n < 1 for 0 < b < 1 and whole n > 0."""
        for letter in one.letters():
            if not _bounded(letter):
                continue
            base, exponent = letter.of
            below = self.signs(minus(constant(1), base))
            if below == {1} and -1 not in (self.signs(base) or {-1}):
                if self.signs(exponent) == {1}:
                    yield minus(constant(1), single(letter)), frozenset((1,))
                elif -1 not in (self.signs(exponent) or {-1}):
                    yield minus(constant(1), single(letter)), frozenset((0, 1))


def _of_number(one: Polynomial) -> Signs:
    try:
        return frozenset((sense(Point().evaluate(one.expr)),))
    except (Undefined, Unknown):
        return ANY


def _bounded(letter: Letter) -> bool:
    return letter.kind == POWER and letter.of[0].number is None


def _sum(one: Signs, other: Signs) -> Signs:
    found: set[int] = set()
    for a, b in choices(one, other):
        found |= {a or b} if a * b >= 0 else ANY
    return frozenset(found)


def _ratio(one: Polynomial, other: Polynomial) -> Fraction | None:
    if len(one.terms) != len(other.terms) or one.terms.keys() != other.terms.keys() or one.zero:
        return None
    first = next(iter(one.terms))
    ratio = one.terms[first] / other.terms[first]
    return ratio if one == scaled(other, ratio) else None


def _assumed(letter: Letter) -> Signs | None:
    """What SymPy knows of a letter."""
    expr = letter.expr
    if isinstance(expr, factorial):  # it has no zeros, and is real where it is taken
        return frozenset((1,)) if expr.args[0].is_nonnegative else frozenset((-1, 1))
    real = expr.is_real
    if real is None:
        real = isinstance(expr, AppliedUndef) and expr.is_complex is None
    if not real:
        return None
    found = ANY
    if expr.is_positive:
        return frozenset((1,))
    if expr.is_negative:
        return frozenset((-1,))
    if expr.is_nonnegative:
        found &= {0, 1}
    if expr.is_nonpositive:
        found &= {-1, 0}
    if expr.is_zero is False:
        found -= {0}
    return found or _NEVER
