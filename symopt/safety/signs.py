"""Which letters are never negative, by the equations that define them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from sympy import (
    Abs,
    Add,
    Basic,
    Expr,
    Ge,
    Gt,
    Le,
    Lt,
    Max,
    Min,
    Mul,
    Not,
    Piecewise,
    Pow,
    S,
    cos,
    erf,
    exp,
    sign,
    sin,
    tanh,
)

from symopt.derivation.signs import nonnegative as known_nonnegative
from symopt.nodes import Largest, Norm, Sigma
from symopt.notation import Hyperparameter
from symopt.safety.stated import Stated, letters
from symopt.views import canonical, occurrences, signed_terms


@dataclass(frozen=True)
class Signs:
    """Letters that are never negative, never positive, and what each letter is defined as."""

    not_negative: frozenset[Basic]
    not_positive: frozenset[Basic]
    defined: Mapping[Basic, Expr]


def signs(equations: Collection[Stated]) -> Signs:
    """What an induction over the steps says of the signs of letters.

    All that equations define are candidates; those whose right side may have the other sign, or
    that start with it, are struck out until no more are.

    >>> from symopt.catalog.lecture.adam import adam
    >>> from symopt.safety.stated import stated
    >>> sorted(map(str, signs(stated(adam)).not_negative))
    ['G', 'G_hat']
    """
    letters = frozenset(letter_of(one.left) for one in equations)
    defined = {letter_of(one.left): one.right for one in equations}
    known = Signs(letters, letters, defined)
    while True:
        negative, positive = (
            frozenset(
                letter_of(one.left)
                for one in equations
                if not (test(one.right, known) and test(one.start, known))
            )
            for test in (nonnegative, nonpositive)
        )
        if not (negative & known.not_negative or positive & known.not_positive):
            return known
        known = Signs(known.not_negative - negative, known.not_positive - positive, defined)


def branches(expr: Expr, known: Signs) -> tuple[tuple[Expr, Signs], ...]:
    """The values of case distinctions, each with what its case says of a letter's sign; the whole.

    What is the same in the whole stands in a case first.
    """
    found = []
    for cases in occurrences(expr, Piecewise):
        earlier = known
        for pair in cases.args:
            found.append((pair.expr, _told(pair.cond, earlier)))
            earlier = _told(Not(pair.cond), earlier)
    return (*found, (expr, known))


def _told(condition: Basic, known: Signs) -> Signs:
    """What is known where a condition holds; only comparisons of a letter with 0 are understood."""
    if not isinstance(condition, Gt | Ge | Lt | Le) or condition.rhs != 0:
        return known
    letter = {letter_of(condition.lhs)}
    if isinstance(condition, Gt | Ge):
        return replace(known, not_negative=known.not_negative | letter)
    return replace(known, not_positive=known.not_positive | letter)


def nonnegative(expr: Expr, known: Signs) -> bool:
    """Whether an expression is at least 0, by what is known of letters."""
    if expr.is_nonnegative or letter_of(expr) in known.not_negative:
        return True
    if isinstance(expr, Abs | exp | Norm):
        return True
    if not letters(expr):
        return _number_nonnegative(expr)
    match expr:
        case Sigma():
            return nonnegative(expr.body, known)
        case Add():
            return _sum_nonnegative(signed_terms(expr), known)
        case Mul():
            return _product_sign(expr, known) == 1
        case Pow():
            root = expr.exp.is_Rational and expr.exp.q == 2
            return bool(expr.exp.is_even) or root or nonnegative(expr.base, known)
        case Max():
            return any(nonnegative(one, known) for one in expr.args)
        case Min():
            return all(nonnegative(one, known) for one in expr.args)
        case Piecewise():
            return all(nonnegative(pair.expr, known) for pair in expr.args)
    return False


def nonpositive(expr: Expr, known: Signs) -> bool:
    """Whether an expression is at most 0."""
    if expr.is_nonpositive or letter_of(expr) in known.not_positive:
        return True
    if isinstance(expr, Add):
        return _sum_nonnegative(tuple((not less, x) for less, x in signed_terms(expr)), known)
    return isinstance(expr, Mul) and _product_sign(expr, known) == -1


def _product_sign(expr: Mul, known: Signs) -> int:
    """1 or −1 where no factor leaves it open, else 0."""
    below = [one for one in expr.args if not nonnegative(one, known)]
    if not all(nonpositive(one, known) for one in below):
        return 0
    return -1 if len(below) % 2 else 1


def _sum_nonnegative(terms: Collection[tuple[bool, Expr]], known: Signs) -> bool:
    if all((nonpositive if less else nonnegative)(one, known) for less, one in terms):
        return True
    less = [one for negative, one in terms if negative]
    more = [one for negative, one in terms if not negative]
    return len(terms) == 2 and len(more) == 1 and _at_most(less[0], more[0], known)


def _at_most(low: Expr, high: Expr, known: Signs) -> bool:
    """Whether an entry is one of those that a largest one is taken of."""
    largest = known.defined.get(letter_of(high), high)
    if not isinstance(largest, Largest) or not low.is_Indexed:
        return False
    body = largest.args[0]
    return bool(body.is_Indexed and body.base == low.base)


def _number_nonnegative(expr: Expr) -> bool:
    if known_nonnegative(canonical(expr)):
        return True
    terms = signed_terms(expr) if isinstance(expr, Add) else ()
    if len(terms) == 2 and not terms[0][0] and terms[0][1] == 1 and terms[1][0]:
        return at_most_one(terms[1][1])
    if isinstance(expr, Mul):
        return all(_number_nonnegative(one) for one in expr.args)
    return isinstance(expr, Pow) and _number_nonnegative(expr.base)


def at_most_one(expr: Expr) -> bool:
    """Whether a number lies in [0, 1], as β and βᵗ do for β in [0, 1)."""
    if isinstance(expr, Pow):
        return at_most_one(expr.base) and bool(expr.exp.is_nonnegative)
    if isinstance(expr, Hyperparameter):
        return bool(expr.domain.inf >= 0 and expr.domain.sup <= 1)
    return bool(expr.is_number and 0 <= expr <= 1)


def one_signed(terms: Collection[tuple[bool, Expr]], known: Signs) -> bool:
    """Whether all terms of a sum are known to have one sign, so that none cancels another."""
    up = all((nonpositive if less else nonnegative)(one, known) for less, one in terms)
    return up or all((nonnegative if less else nonpositive)(one, known) for less, one in terms)


def least(expr: Expr, known: Signs) -> Expr:
    """A number that an expression is never below: 1 of 1 + e^x; 0 where none is known."""
    fixed = [one for less, one in signed_terms(expr) if not less and not letters(one)]
    if len(fixed) != 1 or not isinstance(expr, Add) or not nonnegative(fixed[0], known):
        return S.Zero
    others = tuple((less, one) for less, one in signed_terms(expr) if one != fixed[0])
    return fixed[0] if _sum_nonnegative(others, known) else S.Zero


def within_one(expr: Expr, known: Signs) -> bool:
    """Whether an expression lies between −1 and 1, as a hyperbolic tangent does."""
    meant = known.defined.get(letter_of(expr), expr)
    if isinstance(meant, exp):
        return nonpositive(meant.args[0], known)
    return isinstance(meant, tanh | erf | sign | sin | cos)


def letter_of(left: Basic) -> Basic:
    """The bare letter of an entry."""
    return left.base if getattr(left, "is_Indexed", False) else left
