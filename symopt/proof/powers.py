"""Powers ⇒ letters with exponents: roots of products only where signs allow it."""

from __future__ import annotations

from fractions import Fraction

from sympy import factorint

from symopt.proof.letters import base_letter, content, minus_one, power_letter, prime_letter
from symopt.proof.nested import denested
from symopt.proof.polynomial import (
    ONE,
    POWER,
    ZERO,
    Polynomial,
    TooHard,
    constant,
    product,
    raised,
    scaled,
    single,
    times,
)
from symopt.proof.roots import root
from symopt.proof.work import Vanishes, Work

_HIGHEST = 64


def power(base: Polynomial, exponent: Polynomial, work: Work, asked: bool = True) -> Polynomial:
    """A polynomial raised to another one."""
    number = exponent.number
    if number is None:
        return _symbolic(base, exponent, work)
    return rational_power(base, number, work, asked)


def rational_power(base: Polynomial, q: Fraction, work: Work, asked: bool = True) -> Polynomial:
    """A polynomial raised to a number; ``asked`` where the statement itself divides by it.

    Raises
    ------
    Vanishes
        For a negative power of 0.
    """
    if base.zero and q != 0:
        if q < 0:
            raise Vanishes
        return ZERO
    if q < 0 and asked:
        work.divides(base)
    if q.denominator == 1 and (q >= 0 or len(base.terms) == 1):
        if len(base.terms) == 1:
            ((monomial, value),) = base.terms.items()
            return scaled(product((one, e * q) for one, e in monomial), value ** int(q))
        if q > _HIGHEST:
            raise TooHard(f"a power {q} of a sum")
        return raised(base, int(q))
    if q.denominator == 1:
        number, monomial, rest = content(base, signed=True)
        outside = product([(one, e * q) for one, e in monomial])
        return scaled(times(outside, single(base_letter(rest), q)), number ** int(q))
    plain = denested(base, work) if q.denominator == 2 else None
    return root(base, q, work) if plain is None else rational_power(plain, 2 * q, work, asked=False)


def _symbolic(base: Polynomial, exponent: Polynomial, work: Work) -> Polynomial:
    """b^(u + v) = b^u·b^v, where b is not 0 or both are at least 0; (b·c)^n for whole n."""
    if base == ONE:
        return ONE
    if base.zero:
        if work.facts.signs(exponent) == {1}:
            return ZERO
        raise TooHard("a power of 0")
    parts = [Polynomial({key: value}) for key, value in exponent.terms.items()]
    signs = [work.facts.signs(one) for one in parts]
    if len(parts) > 1 and not all(one is not None and -1 not in one for one in signs):
        work.needs(base)
    whole = bool(exponent.expr.is_integer)
    if len(base.terms) == 1:
        ((monomial, value),) = base.terms.items()
        several = [(single(one), e) for one, e in monomial]
    else:
        value, monomial, rest = content(base, signed=whole)
        several = [*((single(one), e) for one, e in monomial), (rest, Fraction(1))]
    if not whole and not _may_be_split(value, several, work):
        several, value = [(base, Fraction(1))], Fraction(1)
    found = _number_power(value, parts)
    for one, e in several:
        for part in parts:
            found = times(found, _letter_power(one, scaled(part, e), work, whole))
    return found


def _may_be_split(value: Fraction, several: list[tuple[Polynomial, Fraction]], work: Work) -> bool:
    """Whether all factors but one are positive, so that a real power of each may be taken."""
    signs = [work.facts.signs(one) for one, _ in several]
    loose = [e for one, (_, e) in zip(signs, several, strict=True) if one is None or -1 in one]
    return value > 0 and (not loose or loose == [1])


def _number_power(value: Fraction, exponent: list[Polynomial]) -> Polynomial:
    found = ONE
    primes = {
        **factorint(value.numerator),
        **{p: -k for p, k in factorint(value.denominator).items()},
    }
    for prime, k in primes.items():
        if prime != 1:
            for part in exponent:
                found = times(found, _unit_power(constant(int(prime)), scaled(part, int(k))))
    return found


def _letter_power(base: Polynomial, exponent: Polynomial, work: Work, whole: bool) -> Polynomial:
    """(b^u)^v = b^(u·v) for whole v or positive b^u; else a letter, or a plain power."""
    if len(base.terms) == 1:
        ((monomial, value),) = base.terms.items()
        inner_power = value == 1 and len(monomial) == 1 and monomial[0][0].kind == POWER
        if inner_power and (whole or work.facts.signs(base) == {1}):
            inner, within = monomial[0][0].of
            return _symbolic(inner, times(scaled(within, monomial[0][1]), exponent), work)
    number = exponent.number
    if number is not None:
        return rational_power(base, number, work, asked=False)
    return _unit_power(base, exponent)


def _unit_power(base: Polynomial, exponent: Polynomial) -> Polynomial:
    """b^(c·M) as the c-th power of the letter b^M."""
    ((monomial, value),) = exponent.terms.items()
    if not monomial:
        if base.number is not None and base.number > 0:
            return single(prime_letter(int(base.number)), value)
        if base.number == -1:
            return minus_one(value)
        ((inner, number),) = base.terms.items()
        assert number == 1  # what is raised to a number here is a letter
        return product((one, e * value) for one, e in inner)
    unit = Polynomial({monomial: Fraction(1)})
    return single(power_letter(base, unit), value)
