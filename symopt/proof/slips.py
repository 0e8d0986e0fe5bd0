"""Slips of the pen, a row a slip: what stands there, and what was meant in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sympy import Add, Basic, Expr, Indexed, Integer, Mul, Pow, Rational, S, Sum, Symbol

from symopt.nodes import Gradient, Sigma
from symopt.notation import Count, Hyperparameter, Index, Label, Sequence, Statistic, hat
from symopt.views import rebuild


@dataclass(frozen=True)
class Around:
    """What is written around a slip: letters, and what stands as a factor or as a term there."""

    letters: tuple[Basic, ...]
    factors: tuple[Basic, ...] = ()
    terms: tuple[Basic, ...] = ()


Edits = Callable[[Basic, Around], Iterator[Basic]]


@dataclass(frozen=True)
class Slip:
    """A slip with its name, and by what each part may have to be replaced.

    Parts ``not_in`` an expression of some kind are left alone: a factor of a product need not get
    what the product gets.
    """

    name: str
    edits: Edits
    not_in: type[Basic] | None = None


def mended(expr: Expr, around: Around) -> Iterator[tuple[str, Expr]]:
    """Expressions that differ from one by a single slip, with its name, the special slips first."""
    places = list(_places(expr, (), None))
    for slip in SLIPS:
        for path, node, within in places:
            if slip.not_in is not None and within is slip.not_in:
                continue
            for edit in slip.edits(node, around):
                if edit != node:
                    yield slip.name, _put(expr, path, edit)


Place = tuple[tuple[int, ...], Basic, type[Basic] | None]


def _places(expr: Basic, path: tuple[int, ...], within: type[Basic] | None) -> Iterator[Place]:
    yield path, expr, within
    if isinstance(expr, Indexed | Gradient):
        return
    for k, part in enumerate(expr.args):
        if isinstance(part, Expr):
            yield from _places(part, (*path, k), expr.func)


def written(exprs: Iterable[Basic]) -> tuple[tuple[Basic, ...], tuple[Basic, ...]]:
    """What stands as a factor and what as a term in some expressions, each once."""
    factors: dict[Basic, None] = {}
    terms: dict[Basic, None] = {}
    for expr in exprs:
        for _, node, within in _places(expr, (), None):
            if within is Mul and not node.is_number:
                factors[node] = None
            if within is Add and not isinstance(node, Symbol):
                terms[node] = None
    return tuple(factors), tuple(terms)


def _put(expr: Basic, path: tuple[int, ...], new: Basic) -> Basic:
    if not path:
        return new
    args = list(expr.args)
    args[path[0]] = _put(args[path[0]], path[1:], new)
    return rebuild(expr, args)


def _product(*factors: Basic) -> Expr:
    return factors[0] if len(factors) == 1 else Mul(*factors, evaluate=False)


def _power_of_step(node: Basic, around: Around) -> Iterator[Basic]:
    steps = [one for one in around.letters if isinstance(one, Index) and one.counts == "step"]
    for step in steps or [one for one in around.letters if str(one) == "t"]:
        if isinstance(node, Pow) and node.args[1].is_Integer and node.args[1] > 0:
            yield Pow(node.args[0], step, evaluate=False)
        if isinstance(node, Hyperparameter):
            yield Pow(node, step, evaluate=False)


def _number_for_step(node: Basic, _around: Around) -> Iterator[Basic]:
    if isinstance(node, Pow) and isinstance(node.args[1], Symbol | Add):
        yield node.args[0]
        yield Pow(node.args[0], Integer(2), evaluate=False)
        yield Pow(node.args[0], Add(node.args[1], 1, evaluate=False), evaluate=False)
        yield Pow(node.args[0], Add(node.args[1], -1, evaluate=False), evaluate=False)


def _hats(node: Basic, around: Around) -> Iterator[Basic]:
    bases = {one.base if isinstance(one, Indexed) else one for one in around.letters}
    if isinstance(node, Indexed) and isinstance(node.base, Sequence):
        for one in bases:
            if isinstance(one, Sequence) and one in (hat(node.base),):
                yield one[node.indices]
            if isinstance(one, Sequence) and node.base == hat(one):
                yield one[node.indices]
    if isinstance(node, Statistic):
        hatted = {one: hat(one) for one in bases if isinstance(one, Statistic)}
        yield from (one for one in bases if hatted.get(one) == node or hatted.get(node) == one)


def _outside_of_root(node: Basic, _around: Around) -> Iterator[Basic]:
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


def _counts(around: Around) -> list[Basic]:
    return [one for one in around.letters if isinstance(one, Count) or str(one) in ("m", "n")]


def _one_less(node: Basic, around: Around) -> Iterator[Basic]:
    if node in _counts(around):
        yield Add(node, -1, evaluate=False)
        yield Add(node, 1, evaluate=False)
    if isinstance(node, Add) and len(node.args) == 2:
        count, number = sorted(node.args, key=lambda one: bool(one.is_Number))
        if count in _counts(around) and number.is_Integer:
            yield count


def _means(node: Basic, around: Around) -> Iterator[Basic]:
    if isinstance(node, Sigma | Sum):
        for count in _counts(around):
            yield _product(Pow(count, S.NegativeOne, evaluate=False), node)
            yield _product(count, node)
        yield node.args[0]


def _shifted(node: Basic, _around: Around) -> Iterator[Basic]:
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


def _signs(node: Basic, _around: Around) -> Iterator[Basic]:
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


def _squares(node: Basic, _around: Around) -> Iterator[Basic]:
    if isinstance(node, Pow) and node.args[1] == 2:
        yield node.args[0]
    elif isinstance(node, Symbol | Indexed | Add | Mul):
        yield Pow(node, Integer(2), evaluate=False)


def _roots(node: Basic, _around: Around) -> Iterator[Basic]:
    if isinstance(node, Pow) and node.args[1] == S.Half:
        yield node.args[0]
    elif isinstance(node, Symbol | Indexed | Add | Mul) or (node.is_Integer and node > 1):
        yield Pow(node, S.Half, evaluate=False)
    if isinstance(node, Pow) and node.args[1].is_Rational:
        for q in (Rational(1, 2), Rational(3, 2), Rational(-1, 2), Rational(-3, 2)):
            yield Pow(node.args[0], q, evaluate=False)


def _other_letters(node: Basic, around: Around) -> Iterator[Basic]:
    if isinstance(node, Symbol) and not isinstance(node, Index | Count):
        yield from (one for one in around.letters if type(one) is type(node))
    if isinstance(node, Indexed):
        bases = dict.fromkeys(one.base for one in around.letters if isinstance(one, Indexed))
        yield from (one[node.indices] for one in bases)


def _numbers(node: Basic, _around: Around) -> Iterator[Basic]:
    if node.is_Integer and abs(node) > 1:
        yield from (node + 1, node - 1)
    if node.is_Rational and not node.is_Integer:
        yield from (1 / node, node * 2, node / 2)


def _ones(node: Basic, _around: Around) -> Iterator[Basic]:
    if node == 1:
        yield from (Integer(2), Integer(0))


def _factors(node: Basic, around: Around) -> Iterator[Basic]:
    if isinstance(node, Mul):
        for k in range(len(node.args)):
            yield _product(*node.args[:k], *node.args[k + 1 :])
    symbols = [one for one in around.letters if _is_number_of_its_own(one)]
    for one in (Integer(2), Rational(1, 2), *symbols, *(1 - s for s in symbols)):
        yield _product(one, node)
    for one in symbols:
        yield _product(node, Pow(one, S.NegativeOne, evaluate=False))


def _is_number_of_its_own(letter: Basic) -> bool:
    return isinstance(letter, Symbol) and not isinstance(letter, Index | Label)


def _terms(node: Basic, around: Around) -> Iterator[Basic]:
    if isinstance(node, Add):
        for k in range(len(node.args)):
            yield _sum([*node.args[:k], *node.args[k + 1 :]])
    plain = [one for one in around.letters if not isinstance(one, Index | Label)]
    squares = [Pow(one, Integer(2), evaluate=False) for one in plain]
    for one in (S.One, *plain, *squares):
        yield from _more_or_less(node, one)


def _more_or_less(node: Basic, one: Basic) -> Iterator[Basic]:
    yield Add(node, one, evaluate=False)
    yield Add(node, -one if one.is_Number else _product(S.NegativeOne, one), evaluate=False)


def _factors_written_near(node: Basic, around: Around) -> Iterator[Basic]:
    yield from (_product(one, node) for one in around.factors)


def _terms_written_near(node: Basic, around: Around) -> Iterator[Basic]:
    yield from (edit for one in around.terms for edit in _more_or_less(node, one))


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
    Slip("a missing factor, or one too many", _factors, not_in=Mul),
    Slip("a missing term, or one too many", _terms, not_in=Add),
    Slip("a number", _ones, not_in=Mul),
    Slip("a missing factor, or one too many", _factors_written_near, not_in=Mul),
    Slip("a missing term, or one too many", _terms_written_near, not_in=Add),
)
