"""Beyond which numbers a power or a function leaves the range of a format."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sympy import Abs, Expr, Symbol, cosh, erf, exp, lambdify, log, sinh, tanh

from symopt.derivation.steps import Reason
from symopt.safety.finding import OVERFLOW, UNDERFLOW, Finding
from symopt.safety.numbers import HIGH, Numbers, value
from symopt.safety.signs import Signs, branches, least, nonnegative, nonpositive, within_one
from symopt.safety.stated import Stated, functions, powers
from symopt.verification.quantity import Format

_FUNCTIONS = (exp, log, tanh, erf, sinh, cosh)
_BISECTIONS = 40
_HIGH = {name: getattr(HIGH, name) for name in ("exp", "log", "tanh", "erf", "sinh", "cosh")}


@dataclass(frozen=True)
class Edge:
    """The magnitude of an argument up to which, or ``beyond`` which, values leave the range."""

    kind: str
    beyond: bool
    magnitude: Any


def ranges(
    equations: Collection[Stated], known: Signs, numbers: Numbers, form: Format
) -> Iterator[Finding]:
    """Each power and function that overflows, or is flushed to zero, though its argument is fine.

    Arguments are all numbers of the format but the subnormal ones.
    """
    seen: set[Expr] = set()
    for one in equations:
        for right, told in branches(one.right, known):
            for base, exponent in powers(right):
                part = base**exponent
                if part not in seen and exponent.is_Rational:
                    seen.add(part)
                    for edge in _of_power(base, exponent, told, numbers, form):
                        yield _found(one.id, part, (_size(base),), edge, "")
            for part in functions(right, *_FUNCTIONS):
                if part not in seen:
                    seen.add(part)
                    yield from _of_function(one.id, part, told, form)


def _of_power(
    base: Expr, exponent: Expr, known: Signs, numbers: Numbers, form: Format
) -> Iterator[Edge]:
    power = HIGH.mpf(exponent.p) / exponent.q
    smallest = value(least(base, known), numbers)
    largest = HIGH.one if within_one(base, known) else HIGH.inf
    for edge in edges(lambda size: size**power, form):
        if edge.magnitude < largest if edge.beyond else edge.magnitude > smallest:
            yield edge


def _of_function(id: str, part: Expr, known: Signs, form: Format) -> Iterator[Finding]:
    argument = part.args[0]
    letter = Symbol("x", real=True)
    compute = lambdify(letter, part.func(letter), [_HIGH, "mpmath"])
    for side, impossible in ((1, nonpositive(argument, known)), (-1, nonnegative(argument, known))):
        if impossible or (isinstance(part, log) and side < 0):
            continue
        for edge in edges(lambda size, side=side: compute(side * size), form):  # type: ignore[misc]
            yield _found(id, part, (argument,), edge, "" if side > 0 else "−")


def _size(base: Expr) -> Expr:
    return base if base.is_nonnegative else Abs(base, evaluate=False)


def _found(id: str, part: Expr, argument: Reason, edge: Edge, sign: str) -> Finding:
    more = edge.beyond != bool(sign)
    threshold = f"{sign}{HIGH.nstr(edge.magnitude, 3)}"
    what = "" if edge.kind == OVERFLOW else ": 0 in place of a number"
    return Finding(edge.kind, id, part, (*argument, f" {'>' if more else '<'} {threshold}{what}"))


def edges(compute: Callable[[Any], Any], form: Format) -> tuple[Edge, ...]:
    """Where a function of a magnitude overflows or is flushed to zero, from either end.

    >>> from symopt.verification.quantity import FLOAT32
    >>> [(one.kind, HIGH.nstr(one.magnitude, 3)) for one in edges(lambda x: x**2, FLOAT32)]
    [('underflow', '2.65e-23'), ('overflow', '1.84e+19')]
    """
    normal = range(form.lowest + form.digits - 1, form.highest)
    sizes = [HIGH.mpf(2) ** k for k in normal]
    found = []
    for beyond, ordered in ((False, sizes), (True, sizes[::-1])):
        kind = _kind(compute, ordered[0], form)
        if kind is None:
            continue
        inside = next((x for x in ordered if _kind(compute, x, form) != kind), None)
        if inside is not None:
            outside = ordered[ordered.index(inside) - 1]
            found.append(Edge(kind, beyond, _between(compute, outside, inside, kind, form)))
    return tuple(found)


def _kind(compute: Callable[[Any], Any], size: Any, form: Format) -> str | None:
    """What becomes of a value that the format has no number for."""
    value = abs(HIGH.mpf(compute(size)))
    if value > HIGH.mpf(form.largest) * (1 + HIGH.mpf(form.unit)):
        return OVERFLOW
    return UNDERFLOW if 0 < value <= HIGH.mpf(form.tiny) / 2 else None


def _between(
    compute: Callable[[Any], Any], outside: Any, inside: Any, kind: str, form: Format
) -> Any:
    """The edge, by bisection."""
    for _ in range(_BISECTIONS):
        middle = (outside + inside) / 2
        outside, inside = (
            (middle, inside) if _kind(compute, middle, form) == kind else (outside, middle)
        )
    return inside
