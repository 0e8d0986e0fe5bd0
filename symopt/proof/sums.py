"""Sums with symbolic ends ⇒ closed forms where there are some, else letters named in one way."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations
from math import comb

from sympy import Expr, KroneckerDelta, Mul, Pow, Product, Sum, Symbol, expand, sympify

from symopt.proof.letters import base_letter, content
from symopt.proof.polynomial import (
    ONE,
    POWER,
    SUM,
    SYMBOL,
    ZERO,
    Letter,
    Monomial,
    Polynomial,
    TooHard,
    constant,
    minus,
    plus,
    product,
    raised,
    rational,
    scaled,
    single,
    times,
)
from symopt.proof.powers import power
from symopt.proof.work import Vanishes, Work, depends

_LONGEST, _PEELED, _MOST_INDICES = 40, 8, 4
CANONICAL = "·"


@dataclass(frozen=True)
class Total:
    """A sum that stays one: its indices, each from 1 up to a size, and a product as its body."""

    indices: tuple[Symbol, ...]
    sizes: tuple[Polynomial, ...]
    body: Polynomial


def index_symbol(name: str) -> Symbol:
    """An index that counts from 1."""
    return Symbol(name, integer=True, positive=True)


def put(expr: Expr, old: Symbol, new: Expr) -> Expr:
    """An expression with another one in place of a letter, where no sum binds that letter."""
    if expr == old:
        return new
    if not expr.args or old not in expr.free_symbols:
        return expr
    if isinstance(expr, Sum | Product):
        body, *limits = expr.args
        inner = any(limit[0] == old for limit in limits)
        limits = [(one, put(low, old, new), put(high, old, new)) for one, low, high in limits]
        return expr.func(body if inner else put(body, old, new), *limits)
    return expr.func(*(put(part, old, new) for part in expr.args))


def total(expr: Sum, work: Work) -> Polynomial:
    """The normal form of a sum, of several at once the last one outermost."""
    body, *limits = expr.args
    index, low, high = bounds(limits[-1])
    if len(limits) > 1:
        body = Sum(body, *limits[:-1])
    fresh, inside, size, shift = counted_from_1(body, index, low, high, work)
    if size.zero:
        if shift < 0:
            raise Vanishes
        terms = (work.normal(put(inside, fresh, sympify(k))) for k in range(1, shift + 1))
        return work.note("written out", expr, plus(*terms))
    inner = work.within(fresh, minus(size, single(symbol_letter(fresh))))
    used: list[str] = []
    found = _over(inner.normal(inside), fresh, size, work, used)
    for k in range(1, shift + 1):
        found = plus(found, work.normal(put(inside, fresh, size.expr + k)))
    for k in range(shift + 1, 1):
        found = minus(found, work.normal(put(inside, fresh, size.expr + k)))
    used += ["last terms apart"] * bool(shift)
    return work.note(", ".join(dict.fromkeys(used)) or "constants before the sum", expr, found)


def bounds(limit: Expr) -> tuple[Symbol, Expr, Expr]:
    """An index with its first and its last value; TooHard for a sum without an end."""
    if len(limit) != 3 or any(end.is_finite is False for end in limit[1:]):
        raise TooHard("sums without an end")
    return limit[0], limit[1], limit[2]


def counted_from_1(
    body: Expr, index: Symbol, low: Expr, high: Expr, work: Work
) -> tuple[Symbol, Expr, Polynomial, int]:
    """A fresh index from 1 on, the body with it, and how far it runs: a size and a number."""
    fresh = index_symbol(f"{index.name.split('#')[0]}#{next(work.names)}")
    inside = put(body, index, fresh + low - 1)
    length = work.normal(high - low + 1)
    shift = length.terms.get((), Fraction(0))
    size = minus(length, constant(shift))
    if shift.denominator != 1 or not size.expr.is_integer:
        raise TooHard(f"a sum of {length.expr} terms, which may be no whole number")
    if abs(shift) > (_LONGEST if size.zero else _PEELED):
        raise TooHard(f"a sum with {shift} terms apart")
    return fresh, inside, size, int(shift)


def symbol_letter(symbol: Symbol) -> Letter:
    """A symbol as a letter."""
    return Letter(SYMBOL, symbol.name, symbol)


def _over(
    body: Polynomial, index: Symbol, size: Polynomial, work: Work, used: list[str]
) -> Polynomial:
    found = ZERO
    bound = frozenset((index,))
    for monomial, value in body.terms.items():
        inside = tuple(pair for pair in monomial if depends(pair[0], bound))
        outside = tuple(pair for pair in monomial if not depends(pair[0], bound))
        summed = _of_product(inside, index, size, work, used)
        found = plus(found, scaled(times(product(outside), summed), value))
    return found


def _of_product(
    inside: Monomial, index: Symbol, size: Polynomial, work: Work, used: list[str]
) -> Polynomial:
    """Σ over an index of a product of letters that all depend on it."""
    own, others = Fraction(0), []
    for letter, e in inside:
        if letter.expr == index:
            own = e
        else:
            others.append((letter, e))
    if own.denominator == 1 and own >= 0:
        ratio = _ratio(others, index, work)
        if ratio == ONE:
            used += ["sum of powers"] * bool(own)
            return _of_powers(int(own), size)
        if ratio is not None:
            used.append("geometric sum")
            return _geometric(int(own), ratio, size, work)
    chosen = _chosen(inside, index, size, work)
    if chosen is not None:
        used.append("δ picks one term")
        return chosen
    return _component(inside, index, size, work)


def _ratio(others: list[tuple[Letter, Fraction]], index: Symbol, work: Work) -> Polynomial | None:
    """r, where a product of powers is r^index; nothing if it is more than that."""
    found = ONE
    bound = frozenset((index,))
    for letter, e in others:
        if letter.kind != POWER or any(depends(one, bound) for one in letter.of[0].letters()):
            return None
        base, exponent = letter.of
        per_step = times(exponent, single(symbol_letter(index), -1))
        if any(depends(one, bound) for one in per_step.letters()):
            return None
        found = times(found, power(base, scaled(per_step, e), work, asked=False))
    return found


def _of_powers(k: int, size: Polynomial) -> Polynomial:
    """Σ i^k for i = 1…n, by what (i + 1)^(k + 1) − i^(k + 1) adds up to."""
    whole = minus(raised(plus(size, ONE), k + 1), ONE)
    for j in range(k):
        whole = minus(whole, scaled(_of_powers(j, size), comb(k + 1, j)))
    return scaled(whole, Fraction(1, k + 1))


def _geometric(k: int, r: Polynomial, size: Polynomial, work: Work) -> Polynomial:
    """Σ i^k r^i for i = 1…n and r ≠ 1, by what (r − 1)·Σ leaves."""
    less = minus(r, ONE)
    work.needs(less)
    whole = times(times(raised(size, k), r), power(r, size, work))
    if k == 0:
        whole = minus(whole, r)
    for j in range(k):
        sign = (-1) ** (k - j)
        whole = plus(whole, scaled(_geometric(j, r, size, work), comb(k, j) * sign))
    return times(whole, reciprocal(less))


def reciprocal(one: Polynomial) -> Polynomial:
    """1/p, for a rule that has asked for p ≠ 0 itself."""
    number, monomial, rest = content(one, signed=True)
    below = product((letter, -e) for letter, e in monomial)
    if rest != ONE:
        below = times(below, single(base_letter(rest), -1))
    return scaled(below, 1 / number)


def _chosen(inside: Monomial, index: Symbol, size: Polynomial, work: Work) -> Polynomial | None:
    """Σ δ_{i j} f_i = f_j, where j is known to be within the bounds."""
    for letter, _ in inside:
        if not isinstance(letter.expr, KroneckerDelta):
            continue
        gap = expand(letter.expr.args[0] - letter.expr.args[1])
        slope = gap.diff(index)
        if abs(slope) != 1:
            continue
        place = expand(index - gap / slope)
        found = work.normal(place)
        room = (minus(found, ONE), minus(size, found))
        if all((work.facts.signs(one) or {-1}) <= {0, 1} for one in room):
            rest = Mul(*(Pow(one.expr, rational(e)) for one, e in inside if one != letter))
            return work.normal(put(rest, index, place))
    return None


def _component(inside: Monomial, index: Symbol, size: Polynomial, work: Work) -> Polynomial:
    """A sum as a letter: sums within it joined to it, its indices named in one way."""
    indices, sizes, factors = [index], [size], list[Expr]()
    for letter, e in inside:
        if letter.kind == SUM and e.denominator == 1 and e > 0 and _apart(letter, index):
            for _ in range(int(e)):
                fresh = [index_symbol(f"j#{next(work.names)}") for _ in letter.of.indices]
                names = dict(zip(letter.of.indices, fresh, strict=True))
                indices += fresh
                sizes += letter.of.sizes
                factors.append(letter.of.body.expr.xreplace(names))
        else:
            factors.append(Pow(letter.expr, rational(e)))
    whole = Mul(*factors)
    # so many that trying all orders would take long keep theirs
    places = range(len(indices))
    orders = permutations(places) if len(indices) <= _MOST_INDICES else [tuple(places)]
    start = depth(whole) + 1
    found = [
        _named(whole, [indices[k] for k in order], [sizes[k] for k in order], start, work)
        for order in orders
    ]
    least = min(found, key=lambda pair: pair[0].rank)
    if any(one.rank == least[0].rank and value != least[1] for one, value in found):
        return ZERO  # the sum is its own opposite
    return scaled(single(least[0]), least[1])


def _apart(letter: Letter, index: Symbol) -> bool:
    """Whether the ends of an inner sum do not depend on the outer index."""
    bound = frozenset((index,))
    return not any(depends(one, bound) for size in letter.of.sizes for one in size.letters())


def depth(expr: Expr) -> int:
    """The highest number that an index with a canonical name has in an expression."""
    names = (one.name for one in expr.atoms(Symbol) if one.name.startswith(CANONICAL))
    return max((int(name[1:]) for name in names), default=0)


def _named(
    whole: Expr, indices: list[Symbol], sizes: list[Polynomial], start: int, work: Work
) -> tuple[Letter, Fraction]:
    names = [index_symbol(f"{CANONICAL}{start + k}") for k in range(len(indices))]
    inner = work
    for name, size in zip(names, sizes, strict=True):
        inner = inner.within(name, minus(size, single(symbol_letter(name))))
    body = inner.normal(whole.xreplace(dict(zip(indices, names, strict=True))))
    value = Fraction(1)
    if len(body.terms) == 1:
        ((monomial, value),) = body.terms.items()
        body = Polynomial({monomial: Fraction(1)})
    limits = [(name, 1, size.expr) for name, size in zip(names, sizes, strict=True)]
    ends = ", ".join(size.text for size in sizes)
    kept = Total(tuple(names), tuple(sizes), body)
    return Letter(SUM, f"Σ[{ends}]{body.text}", Sum(body.expr, *limits), kept), value
