"""Random true identities, random one-edit mutations of them, and values by SymPy alone."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from sympy import (
    Abs,
    Add,
    Basic,
    Expr,
    Indexed,
    IndexedBase,
    Integer,
    Max,
    Min,
    Mul,
    N,
    Piecewise,
    Pow,
    Rational,
    Sum,
    Symbol,
    apart,
    ceiling,
    expand,
    factor,
    floor,
    log,
    nan,
    oo,
    sign,
    sqrt,
    together,
    zoo,
)

a, b, c = (Symbol(name, real=True) for name in "abc")
p, q = (Symbol(name, positive=True) for name in "pq")
m, t = (Symbol(name, integer=True, positive=True) for name in "mt")
i, j = (Symbol(name, integer=True) for name in "ij")
X, Y = IndexedBase("x", real=True), IndexedBase("y", real=True)


@dataclass(frozen=True)
class Identity:
    """Two expressions that are equal wherever both have a value, and where they come from."""

    kind: str
    left: Expr
    right: Expr


def identity(source: random.Random) -> Identity:
    """A random identity of a random kind."""
    kind = source.choice(list(KINDS))
    left, right = KINDS[kind](source)
    return Identity(kind, left, right)


def _polynomial(source: random.Random, letters: list[Expr], depth: int = 2) -> Expr:
    if depth == 0:
        return source.choice([*letters, Integer(source.randint(-3, 3))])
    one, other = (_polynomial(source, letters, depth - 1) for _ in range(2))
    return source.choice([one + other, one - other, one * other, one**2 + other])


def _rational(source: random.Random) -> tuple[Expr, Expr]:
    one, other = (_polynomial(source, [a, b, c]) for _ in range(2))
    left = one / (other**2 + 1) + _polynomial(source, [a, b], 1) / (1 + Abs(a) * 0 + p)
    change = source.choice([expand, together, factor, lambda e: apart(e, p)])
    return left, change(left)


def _roots(source: random.Random) -> tuple[Expr, Expr]:
    k = source.randint(1, 4)
    u = _polynomial(source, [a, b], 1)
    pairs = [
        (u / sqrt(p / q + k), u * sqrt(q) / sqrt(p + k * q)),
        (u / (sqrt(p) + k), u * (sqrt(p) - k) / (p - k**2)),
        (sqrt(k * p**3) * u, p * sqrt(k) * sqrt(p) * u),
        (sqrt((a - b) ** 2 * p), Abs(b - a) * sqrt(p)),
        (u / sqrt(p + q) * (p + q), u * sqrt(p + q)),
        ((sqrt(p) + sqrt(q)) ** 2 * u, (p + q) * u + 2 * u * sqrt(p * q)),
    ]
    return source.choice(pairs)


def _sums(source: random.Random) -> tuple[Expr, Expr]:
    one = _polynomial(source, [X[i], Y[i], a], 1)
    other = _polynomial(source, [X[j], b], 1)
    k = source.randint(-2, 2)
    terms = Add.make_args(expand(one * (X[i] + k)))
    pairs = [
        (Sum(one * (X[i] + k), (i, 1, m)), Add(*(Sum(term, (i, 1, m)) for term in terms))),
        (Sum(one, (i, 1, m + 1)), Sum(one, (i, 1, m)) + one.subs(i, m + 1)),
        (Sum(one, (i, 1, m)), Sum(one.subs(i, i - 3), (i, 4, m + 3))),
        (
            Sum(Sum(one * other, (i, 1, m)), (j, 1, m)),
            Sum(one, (i, 1, m)) * Sum(other, (j, 1, m)),
        ),
        (
            Sum((X[i] - Sum(X[j], (j, 1, m)) / m) * Y[i], (i, 1, m)),
            Sum(X[i] * Y[i], (i, 1, m)) - Sum(X[i], (i, 1, m)) * Sum(Y[i], (i, 1, m)) / m,
        ),
        (Sum(i * (i + k), (i, 1, m)), m * (m + 1) * (2 * m + 1) / 6 + k * m * (m + 1) / 2),
    ]
    return source.choice(pairs)


def _powers(source: random.Random) -> tuple[Expr, Expr]:
    k = source.randint(1, 3)
    u = _polynomial(source, [a, c], 1)
    pairs = [
        (u * (1 - b ** (t + k)), u - u * b**t * b**k),
        (Sum((1 - b) * b ** (t - i), (i, 1, t)) * u, u * (1 - b**t)),
        (Sum(p**i, (i, 0, t)), (p ** (t + 1) - 1) / (p - 1)),
        (Sum(b ** (t - i) * X[i], (i, 1, t)) * b, Sum(b ** (t + 1 - i) * X[i], (i, 1, t))),
        (
            Sum(b ** (t + 1 - i) * X[i], (i, 1, t + 1)),
            b * Sum(b ** (t - i) * X[i], (i, 1, t)) + X[t + 1],
        ),
        ((p * q) ** t * u, u * p**t * q**t),
    ]
    return source.choice(pairs)


def _kinks(source: random.Random) -> tuple[Expr, Expr]:
    one, other = (_polynomial(source, [a, b, c], 1) for _ in range(2))
    pairs = [
        (Max(one, other), (one + other + Abs(one - other)) / 2),
        (Min(one, other), one + other - Max(one, other)),
        (Abs(one) * Abs(other), Abs(one * other)),
        (sign(one) * Abs(one), one),
        (Piecewise((one, one > other), (other, True)), Max(one, other)),
        (Max(one, 0) - Max(-one, 0), one),
        (Piecewise((one**2, one > 0), (-(one**2), True)), one * Abs(one)),
        (
            sign(a) * Max(Abs(a) - p, 0),
            Piecewise((a - p, a > p), (a + p, a < -p), (0, True)),
        ),
    ]
    return source.choice(pairs)


def _logarithms(source: random.Random) -> tuple[Expr, Expr]:
    k = source.randint(1, 3)
    u = _polynomial(source, [a, b], 1)
    pairs = [
        (log(u**2), 2 * log(Abs(u))),
        (log(p**k * a), k * log(p) + log(a)),
        (log(p * q / (a**2 + k)), log(p) + log(q) - log(a**2 + k)),
        (log(a ** (2 * k) * b**2 * p), 2 * k * log(Abs(a)) + 2 * log(Abs(b)) + log(p)),
        (log(sqrt(p) * q**t) * u, u * log(p) / 2 + u * t * log(q)),
        (log(k * Sum(p**2 + X[i] ** 2, (i, 1, m))), log(k) + log(Sum(p**2 + X[i] ** 2, (i, 1, m)))),
    ]
    return source.choice(pairs)


def _whole_parts(source: random.Random) -> tuple[Expr, Expr]:
    k, u = source.randint(-3, 3), _polynomial(source, [a, c], 1)
    pairs = [
        (floor(a + k * m + t), floor(a) + k * m + t),
        (ceiling(a / 2 - k), -floor(-a / 2) - k),
        (floor(a + Rational(2 * k + 1, 2)) * u, u * floor(a + Rational(1, 2)) + k * u),
        (floor(floor(a) + b), floor(a) + floor(b)),
        (floor(p / (p + q)) * u, 0 * u),
        (ceiling(a) + floor(-a), Integer(0)),
    ]
    return source.choice(pairs)


def _nested_roots(source: random.Random) -> tuple[Expr, Expr]:
    k, n = source.randint(1, 4), source.randint(5, 7)
    u = _polynomial(source, [a, b], 1)
    pairs = [
        (sqrt(k + n + 2 * sqrt(k * n)) * u, (sqrt(k) + sqrt(n)) * u),
        (sqrt(k + n - 2 * sqrt(k * n)) + u, sqrt(n) - sqrt(k) + u),
        (u / sqrt(p + k * q + 2 * sqrt(k * p * q)), u / (sqrt(p) + sqrt(k * q))),
        (sqrt(p + k**2 - 2 * k * sqrt(p)) * u, Abs(sqrt(p) - k) * u),
    ]
    return source.choice(pairs)


KINDS: dict[str, Any] = {
    "rational": _rational,
    "roots": _roots,
    "sums": _sums,
    "powers": _powers,
    "kinks": _kinks,
    "logarithms": _logarithms,
    "whole parts": _whole_parts,
    "nested roots": _nested_roots,
}


def mutated(expr: Expr, source: random.Random) -> Expr | None:
    """The expression with one edit somewhere; nothing if no edit applies there."""
    places = [path for path in _paths(expr) if _edits(_at(expr, path))]
    if not places:
        return None
    path = source.choice(places)
    edit = source.choice(_edits(_at(expr, path)))
    return _put(expr, path, edit)


def _paths(expr: Basic, path: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    found = [path]
    for k, part in enumerate(expr.args):
        whole = isinstance(part, Expr) and not isinstance(expr, Indexed | IndexedBase)
        if whole or isinstance(expr, Piecewise) or part.func.__name__ in ("ExprCondPair",):
            found += _paths(part, (*path, k))
    return found


def _at(expr: Basic, path: tuple[int, ...]) -> Basic:
    for k in path:
        expr = expr.args[k]
    return expr


def _put(expr: Basic, path: tuple[int, ...], new: Basic) -> Basic:
    if not path:
        return new
    args = list(expr.args)
    args[path[0]] = _put(args[path[0]], path[1:], new)
    return expr.func(*args)


def _edits(node: Basic) -> list[Basic]:
    if node.is_Integer:
        return [node + 1, node - 1]
    if isinstance(node, Symbol):
        return [b if node == a else a] if node in (a, b, c) else []
    if isinstance(node, Indexed):
        return [node.base[node.indices[0] + 1], (Y if node.base == X else X)[node.indices[0]]]
    if isinstance(node, Add | Mul):
        kept = [node.func(*(one for one in node.args if one is not gone)) for gone in node.args]
        return [*kept, -node]
    if isinstance(node, Pow):
        return [node.base, node**2]
    if isinstance(node, Sum):
        index, low, high = node.args[1]
        return [node.func(node.args[0], (index, low, high + 1)), node / m]
    if isinstance(node, Max | Min):
        return [(Min if isinstance(node, Max) else Max)(*node.args)]
    if isinstance(node, Abs):
        return [node.args[0]]
    return []


def surely_differ(left: Expr, right: Expr, source: random.Random) -> bool:
    """Whether the two have unlike values somewhere, by SymPy's own arithmetic."""
    for _ in range(6):
        one, other = _values(left, right, source)
        if one is None or other is None:
            continue
        if abs(one - other) > 1e-12 * max(1, abs(one), abs(other)):
            return True
    return False


def _values(left: Expr, right: Expr, source: random.Random) -> tuple[Any, Any]:
    sizes = {m: Integer(source.randint(1, 3)), t: Integer(source.randint(1, 3))}
    letters = {one: Rational(source.randint(-9, 9), source.randint(1, 4)) for one in (a, b, c)}
    letters |= {one: Rational(source.randint(1, 9), source.randint(1, 4)) for one in (p, q)}
    entries = {
        base[k]: Rational(source.randint(-9, 9), source.randint(1, 3))
        for base in (X, Y)
        for k in range(-6, 12)
    }
    found = []
    for side in (left, right):
        value = side.subs(sizes).doit().subs(entries).subs(letters)
        number = N(value, 30)
        bad = number.has(nan, zoo, oo) or not number.is_number or number.free_symbols
        found.append(None if bad else complex(number))
    return found[0], found[1]
