"""Slips as people make them, from right to wrong; nothing here is shared with what mends them."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Add, Basic, Expr, Indexed, Integer, Mul, Pow, Rational, S, Symbol, nan, zoo
from sympy.core.function import AppliedUndef

from symopt.nodes import Argmin, Expectation, Gradient, Norm, Proximal, Sigma, Variance
from symopt.notation import Count, Hyperparameter, Index, Sequence, Statistic, hat
from symopt.views import canonical, rebuild

HAT = "a missing hat, or one too many"
POWER = "another power for the t-th"
EXPONENT = "the exponent of a power in t"
ROOT_OF_SUM = "a term inside of a root in place of outside, or outside of inside"
ONE_LESS = "m for m − 1, or m − 1 for m"
MEAN = "a sum in place of a mean, or a mean in place of a sum"
INDEX = "an index shifted"
SIGN = "a sign"
SQUARE = "a forgotten square, or one too many"
ROOT = "a forgotten root, or one too many"
LETTER = "another letter"
NUMBER = "a number"
FACTOR = "a missing factor, or one too many"
TERM = "a missing term, or one too many"
WAY = "a derivative that forgot a way"

# of what is inside of these there are no numbers
OPAQUE = (Gradient, Expectation, Variance, Argmin, Proximal, AppliedUndef)


def wrong_lines(
    left: Expr, right: Expr, letters: tuple[Basic, ...]
) -> list[tuple[frozenset[str], Expr, Expr]]:
    """Each wrong line that one slip makes of a right one, with all names that the slip has."""
    found: dict[tuple[Basic, Basic], tuple[set[str], Expr, Expr]] = {}

    def note(name: str, one: Expr, other: Expr) -> None:
        key = canonical(one), canonical(other)
        if any(side.has(zoo, nan) for side in key):
            return
        if key == (canonical(left), canonical(right)) or key[0] == key[1]:
            return
        found.setdefault(key, (set(), one, other))[0].add(name)

    for name, new in _slips(right, letters):
        note(name, left, new)
        if name == TERM and isinstance(left, Gradient):
            note(WAY, left, new)
    if not isinstance(left, Symbol | Indexed) and not left.has(*OPAQUE):
        for name, new in _slips(left, letters):
            if not isinstance(new, Symbol | Indexed):
                note(name, new, right)
    return [(frozenset(names), one, other) for names, one, other in found.values()]


def _slips(expr: Expr, letters: tuple[Basic, ...]) -> Iterator[tuple[str, Expr]]:
    for path, node in _places(expr, ()):
        for name, new in _at(node, letters):
            yield name, _put(expr, path, new)


def _places(expr: Basic, path: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Basic]]:
    yield path, expr
    if isinstance(expr, Indexed | Gradient | Norm):
        return
    for k, part in enumerate(expr.args):
        if isinstance(part, Expr):
            yield from _places(part, (*path, k))


def _put(expr: Basic, path: tuple[int, ...], new: Basic) -> Basic:
    if not path:
        return new
    args = list(expr.args)
    args[path[0]] = _put(args[path[0]], path[1:], new)
    return rebuild(expr, args)


def _sum(terms: list[Basic]) -> Expr:
    return terms[0] if len(terms) == 1 else Add(*terms, evaluate=False)


def _product(factors: list[Basic]) -> Expr:
    return factors[0] if len(factors) == 1 else Mul(*factors, evaluate=False)


def _at(node: Basic, letters: tuple[Basic, ...]) -> Iterator[tuple[str, Basic]]:
    if isinstance(node, Add):
        yield from _in_a_sum(node)
    elif isinstance(node, Mul):
        yield from _in_a_product(node)
    elif isinstance(node, Pow):
        yield from _in_a_power(node)
    elif isinstance(node, Sigma):
        yield from _in_a_sigma(node)
    elif isinstance(node, Indexed):
        yield from _in_an_entry(node, letters)
    elif isinstance(node, Count):
        yield ONE_LESS, Add(node, -1, evaluate=False)
    elif isinstance(node, Hyperparameter | Statistic) or type(node) is Symbol:
        yield from _in_a_letter(node, letters)
    elif node.is_Integer and abs(node) > 1:
        yield NUMBER, node + 1


def _in_a_sum(node: Add) -> Iterator[tuple[str, Basic]]:
    terms = list(node.args)
    for k, one in enumerate(terms):
        rest = [*terms[:k], *terms[k + 1 :]]
        if len(terms) == 2 and {one, rest[0]} & {S.NegativeOne} and not one.is_number:
            yield ONE_LESS, one
        else:
            yield TERM, _sum(rest)
        flipped = -one if one.is_number else Mul(S.NegativeOne, one, evaluate=False)
        if isinstance(one, Mul) and one.args[0] == -1:
            flipped = _product(list(one.args[1:]))
        yield SIGN, _sum([*terms[:k], flipped, *terms[k + 1 :]])


def _in_a_product(node: Mul) -> Iterator[tuple[str, Basic]]:
    factors = list(node.args)
    summed = any(isinstance(one, Sigma) for one in factors)
    for k, one in enumerate(factors):
        rest = _product([*factors[:k], *factors[k + 1 :]])
        if one == -1:
            yield SIGN, rest
        elif summed and isinstance(one, Pow) and isinstance(one.args[0], Count):
            yield MEAN, rest
        else:
            yield FACTOR, rest


def _in_a_power(node: Pow) -> Iterator[tuple[str, Basic]]:
    base, exponent = node.args
    if isinstance(exponent, Index):
        yield POWER, Pow(base, Integer(2), evaluate=False)
        yield EXPONENT, Pow(base, Add(exponent, -1, evaluate=False), evaluate=False)
    elif isinstance(exponent, Add):
        yield EXPONENT, Pow(base, Add(*exponent.args, S.One, evaluate=False), evaluate=False)
    elif exponent == 2:
        yield SQUARE, base
    elif exponent == S.Half:
        yield ROOT, base
        if isinstance(base, Add):
            for k, one in enumerate(base.args):
                rest = _sum([*base.args[:k], *base.args[k + 1 :]])
                yield ROOT_OF_SUM, Add(Pow(rest, S.Half, evaluate=False), one, evaluate=False)
    elif exponent == Rational(3, 2):
        yield ROOT, Pow(base, S.Half, evaluate=False)


def _in_a_sigma(node: Sigma) -> Iterator[tuple[str, Basic]]:
    if node.bounds is None:
        return
    low, high = node.bounds
    if isinstance(high, Count):
        yield MEAN, Mul(Pow(high, S.NegativeOne, evaluate=False), node, evaluate=False)
    if isinstance(high, Index):
        yield INDEX, Sigma(node.body, (node.index, low, high - 1))


def _in_an_entry(node: Indexed, letters: tuple[Basic, ...]) -> Iterator[tuple[str, Basic]]:
    base, places = node.base, node.indices
    for k, one in enumerate(places):
        steps = [index for index in one.atoms(Index) if index.counts == "step"]
        if steps:
            to = one - 1 if one == steps[0] else steps[0]
            yield INDEX, base[(*places[:k], to, *places[k + 1 :])]
    for one in letters:
        if not isinstance(one, Indexed) or one.base == base or len(one.indices) != len(places):
            continue
        hatted = isinstance(one.base, Sequence) and (base == hat(one.base) or one.base == hat(base))
        yield (HAT if hatted else LETTER), one.base[places]
    yield SQUARE, Pow(node, Integer(2), evaluate=False)


def _in_a_letter(node: Symbol, letters: tuple[Basic, ...]) -> Iterator[tuple[str, Basic]]:
    if any(isinstance(one, Index) and one.counts == "step" for one in letters) and isinstance(
        node, Hyperparameter
    ):
        yield SQUARE, Pow(node, Integer(2), evaluate=False)
    for one in letters:
        if type(one) is type(node) and one != node:
            hatted = isinstance(one, Statistic) and (node == hat(one) or one == hat(node))
            yield (HAT if hatted else LETTER), one
