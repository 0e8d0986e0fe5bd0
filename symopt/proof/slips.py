"""Slips of the pen, a row a slip: what stands there, and what was meant in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sympy import Add, Basic, Expr, Indexed, Integer, Mul, Pow, Rational, S, Sum, Symbol

from symopt.nodes import Gradient, Sigma
from symopt.notation import Count, Hyperparameter, Index, Sequence, Statistic, hat
from symopt.views import rebuild

Edits = Callable[[Basic, tuple[Basic, ...]], Iterator[Basic]]


@dataclass(frozen=True)
class Slip:
    """A slip with its name, and by what each part may have to be replaced, given all letters."""

    name: str
    edits: Edits


def mended(expr: Expr, letters: tuple[Basic, ...]) -> Iterator[tuple[str, Expr]]:
    """Expressions that differ from one by a single slip, with its name, the special slips first."""
    places = list(_places(expr, ()))
    for slip in SLIPS:
        for path, node in places:
            for edit in slip.edits(node, letters):
                if edit != node:
                    yield slip.name, _put(expr, path, edit)


def _places(expr: Basic, path: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Basic]]:
    yield path, expr
    if isinstance(expr, Indexed | Gradient):
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


def _product(*factors: Basic) -> Expr:
    return factors[0] if len(factors) == 1 else Mul(*factors, evaluate=False)


def _power_of_step(node: Basic, letters: tuple[Basic, ...]) -> Iterator[Basic]:
    steps = [one for one in letters if isinstance(one, Index) and one.counts == "step"]
    for step in steps or [one for one in letters if str(one) == "t"]:
        if isinstance(node, Pow) and node.args[1].is_Integer and node.args[1] > 0:
            yield Pow(node.args[0], step, evaluate=False)
        if isinstance(node, Hyperparameter):
            yield Pow(node, step, evaluate=False)


def _number_for_step(node: Basic, _letters: tuple[Basic, ...]) -> Iterator[Basic]:
    if isinstance(node, Pow) and isinstance(node.args[1], Symbol | Add):
        yield node.args[0]
        yield Pow(node.args[0], Integer(2), evaluate=False)
        yield Pow(node.args[0], Add(node.args[1], 1, evaluate=False), evaluate=False)
        yield Pow(node.args[0], Add(node.args[1], -1, evaluate=False), evaluate=False)


def _hats(node: Basic, letters: tuple[Basic, ...]) -> Iterator[Basic]:
    bases = {one.base if isinstance(one, Indexed) else one for one in letters}
    if isinstance(node, Indexed) and isinstance(node.base, Sequence):
        for one in bases:
            if isinstance(one, Sequence) and one in (hat(node.base),):
                yield one[node.indices]
            if isinstance(one, Sequence) and node.base == hat(one):
                yield one[node.indices]
    if isinstance(node, Statistic) and hat(node) in bases:
        yield hat(node)


def _outside_of_root(node: Basic, _letters: tuple[Basic, ...]) -> Iterator[Basic]:
    """√(a + b) ⇒ √a + b, and √a + b ⇒ √(a + b)."""
    if isinstance(node, Pow) and node.args[1] == S.Half and isinstance(node.args[0], Add):
        terms = node.args[0].args
        for k, one in enumerate(terms):
            rest = _sum([*terms[:k], *terms[k + 1 :]])
            yield Add(Pow(rest, S.Half, evaluate=False), one, evaluate=False)
    if isinstance(node, Add):
        for k, one in enumerate(node.args):
            if isinstance(one, Pow) and one.args[1] == S.Half:
                rest = [*node.args[:k], *node.args[k + 1 :]]
                yield Pow(_sum([one.args[0], *rest]), S.Half, evaluate=False)


def _sum(terms: list[Basic]) -> Expr:
    return terms[0] if len(terms) == 1 else Add(*terms, evaluate=False)


def _counts(letters: tuple[Basic, ...]) -> list[Basic]:
    return [one for one in letters if isinstance(one, Count) or str(one) in ("m", "n")]


def _one_less(node: Basic, letters: tuple[Basic, ...]) -> Iterator[Basic]:
    if node in _counts(letters):
        yield Add(node, -1, evaluate=False)
        yield Add(node, 1, evaluate=False)
    if isinstance(node, Add) and len(node.args) == 2:
        count, number = sorted(node.args, key=lambda one: bool(one.is_Number))
        if count in _counts(letters) and number.is_Integer:
            yield count


def _means(node: Basic, letters: tuple[Basic, ...]) -> Iterator[Basic]:
    if isinstance(node, Sigma | Sum):
        for count in _counts(letters):
            yield _product(Pow(count, S.NegativeOne, evaluate=False), node)
            yield _product(count, node)
        yield node.args[0]


def _shifted(node: Basic, _letters: tuple[Basic, ...]) -> Iterator[Basic]:
    if isinstance(node, Indexed):
        for k, place in enumerate(node.indices):
            for step in (1, -1, 2, -2):
                moved = Add(place, step) if place.is_number else _moved(place, step)
                yield node.base[(*node.indices[:k], moved, *node.indices[k + 1 :])]
    if isinstance(node, Sigma) and node.bounds is not None:
        low, high = node.bounds
        for a, b in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            yield Sigma(node.body, (node.index, low + a, _moved(high, b)))


def _moved(place: Expr, by: int) -> Expr:
    return place if by == 0 else (place + by).doit()


def _signs(node: Basic, _letters: tuple[Basic, ...]) -> Iterator[Basic]:
    if isinstance(node, Add):
        for k, one in enumerate(node.args):
            flipped = -one if one.is_Number else _product(S.NegativeOne, one)
            if isinstance(one, Mul) and one.args[0] == -1:
                flipped = _product(*one.args[1:])
            yield Add(*node.args[:k], flipped, *node.args[k + 1 :], evaluate=False)
    elif isinstance(node, Mul) and node.args[0] == -1:
        yield _product(*node.args[1:])
    elif isinstance(node, Pow) and node.args[1].is_Number:
        yield Pow(node.args[0], -node.args[1], evaluate=False)
    else:
        yield _product(S.NegativeOne, node)


def _squares(node: Basic, _letters: tuple[Basic, ...]) -> Iterator[Basic]:
    if isinstance(node, Pow) and node.args[1] == 2:
        yield node.args[0]
    elif isinstance(node, Symbol | Indexed | Add):
        yield Pow(node, Integer(2), evaluate=False)


def _roots(node: Basic, _letters: tuple[Basic, ...]) -> Iterator[Basic]:
    if isinstance(node, Pow) and node.args[1] == S.Half:
        yield node.args[0]
    elif isinstance(node, Symbol | Indexed | Add):
        yield Pow(node, S.Half, evaluate=False)
    if isinstance(node, Pow) and node.args[1].is_Rational:
        for q in (Rational(1, 2), Rational(3, 2), Rational(-1, 2), Rational(-3, 2)):
            yield Pow(node.args[0], q, evaluate=False)


def _other_letters(node: Basic, letters: tuple[Basic, ...]) -> Iterator[Basic]:
    if isinstance(node, Symbol) and not isinstance(node, Index | Count):
        yield from (one for one in letters if type(one) is type(node))
    if isinstance(node, Indexed):
        bases = dict.fromkeys(one.base for one in letters if isinstance(one, Indexed))
        yield from (one[node.indices] for one in bases)


def _numbers(node: Basic, _letters: tuple[Basic, ...]) -> Iterator[Basic]:
    if node.is_Integer:
        yield from (node + 1, node - 1)
    if node.is_Rational and not node.is_Integer:
        yield from (1 / node, node * 2, node / 2)


def _factors(node: Basic, letters: tuple[Basic, ...]) -> Iterator[Basic]:
    if isinstance(node, Mul):
        for k in range(len(node.args)):
            yield _product(*node.args[:k], *node.args[k + 1 :])
    symbols = [one for one in letters if isinstance(one, Symbol) and not isinstance(one, Index)]
    for one in (Integer(2), Rational(1, 2), *symbols, *(1 - s for s in symbols)):
        yield _product(one, node)
        if not one.is_Number:
            yield _product(node, Pow(one, S.NegativeOne, evaluate=False))


def _terms(node: Basic, letters: tuple[Basic, ...]) -> Iterator[Basic]:
    if isinstance(node, Add):
        for k in range(len(node.args)):
            yield _sum([*node.args[:k], *node.args[k + 1 :]])
    if isinstance(node, Symbol | Indexed | Add | Mul | Pow):
        plain = [one for one in letters if not isinstance(one, Index)]
        squares = [Pow(one, Integer(2), evaluate=False) for one in plain]
        for one in (S.One, *plain, *squares):
            yield Add(node, one, evaluate=False)
            yield Add(node, -one if one.is_Number else _product(S.NegativeOne, one), evaluate=False)


SLIPS: tuple[Slip, ...] = (
    Slip("a missing hat, or one too many", _hats),
    Slip("another power for the t-th", _power_of_step),
    Slip("the exponent of a power in t", _number_for_step),
    Slip("a term inside of a root in place of outside, or outside of inside", _outside_of_root),
    Slip("m for m − 1, or m − 1 for m", _one_less),
    Slip("a sum in place of a mean, or a mean in place of a sum", _means),
    Slip("an index shifted", _shifted),
    Slip("a sign", _signs),
    Slip("a forgotten square, or one too many", _squares),
    Slip("a forgotten root, or one too many", _roots),
    Slip("another letter", _other_letters),
    Slip("a number", _numbers),
    Slip("a missing factor, or one too many", _factors),
    Slip("a missing term, or one too many", _terms),
)
