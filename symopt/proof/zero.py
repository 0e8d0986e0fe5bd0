"""Whether a normal form is 0: roots and quotients cleared, what is known to be 0 made use of."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import floor

from sympy import Dummy, Expr, Integer, Mul, Pow, expand, groebner, reduced

from symopt.proof.polynomial import (
    BASE,
    Letter,
    Polynomial,
    plus,
    product,
    raised,
    rational,
    scaled,
    single,
    times,
)

# normal forms with more terms than these are not reduced by relations
_MOST = 200


def vanishes(one: Polynomial, relations: Iterable[Polynomial] = ()) -> bool:
    """Whether a polynomial is 0, given that others are.

    A ``False`` does not say that it is not.
    """
    return all(part.zero or _follows(part, tuple(relations)) for part in cleared(one))


def cleared(one: Polynomial) -> list[Polynomial]:
    """Polynomials without quotients by sums, or roots of them, all 0 if and only if surely ``one``.

    Where a root is rational after all, one of them may differ from 0 although ``one`` does not.
    """
    letter = max(
        (each for each in one.letters() if each.kind == BASE),
        key=lambda each: len(each.rank),
        default=None,
    )
    if letter is None:
        return [one]
    classes: dict[Fraction, dict[Fraction, Polynomial]] = {}
    for monomial, value in one.terms.items():
        e = dict(monomial).get(letter, Fraction(0))
        rest = Polynomial({tuple(pair for pair in monomial if pair[0] != letter): value})
        group = classes.setdefault(e - floor(e), {})
        group[e] = plus(group.get(e, Polynomial({})), rest)
    found = []
    for group in classes.values():
        least = min(group)
        parts = (times(part, raised(letter.of, int(e - least))) for e, part in group.items())
        found += cleared(plus(*parts))
    return found


def _follows(one: Polynomial, relations: tuple[Polynomial, ...]) -> bool:
    """Whether a polynomial is a combination of those that are 0."""
    if not relations or len(one.terms) > _MOST:
        return False
    several = [part for relation in relations for part in cleared(relation)]
    several = [_whole(part) for part in several]
    target = _whole(one)
    letters = dict.fromkeys(letter for part in (target, *several) for letter in part.letters())
    marks = {letter: Dummy(f"z{k}") for k, letter in enumerate(letters)}
    if not marks:
        return False
    basis = groebner([_marked(part, marks) for part in several if not part.zero], *marks.values())
    below = _divisors(relations)
    for letter in below.letters():
        marks.setdefault(letter, Dummy(f"z{len(marks)}"))
    for factor in (Integer(1), _marked(below, marks)):
        whole = expand(factor * _marked(target, marks))
        _, rest = reduced(whole, list(basis.exprs), *marks.values())
        if rest == 0:
            return True
    return False


def _divisors(relations: Iterable[Polynomial]) -> Polynomial:
    """What relations divide by, which is not 0 where they have a value."""
    least: dict[Letter, Fraction] = {}
    for relation in relations:
        for monomial in relation.terms:
            for letter, e in monomial:
                least[letter] = min(e, least.get(letter, Fraction(0)))
    found = product(())
    for letter, e in least.items():
        if e < 0:
            base = letter.of if letter.kind == BASE else single(letter)
            found = times(found, raised(base, -floor(e)))
    return found


def _whole(one: Polynomial) -> Polynomial:
    """A multiple of it with no negative power."""
    least: dict[Letter, Fraction] = {}
    for monomial in one.terms:
        for letter, e in monomial:
            least[letter] = min(e, least.get(letter, Fraction(0)))
    below = product((letter, Fraction(-floor(e))) for letter, e in least.items() if e < 0)
    return times(one, scaled(below, 1))


def _marked(one: Polynomial, marks: dict[Letter, Dummy]) -> Expr:
    total: Expr = Integer(0)
    for monomial, value in one.terms.items():
        total += Mul(rational(value), *(_power(marks, pair) for pair in monomial))
    return total


def _power(marks: dict[Letter, Dummy], pair: tuple[Letter, Fraction]) -> Expr:
    letter, e = pair
    whole = floor(e)
    found = Pow(marks[letter], whole)
    if e != whole:
        # a root beside its letter: a mark of its own, of which no more is used
        key = Letter(letter.kind, f"{letter.rank}^{e - whole}", letter.expr)
        found *= marks.setdefault(key, Dummy(f"r{len(marks)}"))
    return found
