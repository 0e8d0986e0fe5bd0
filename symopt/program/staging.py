"""After which sweep each number of a group is known, and sums that need not wait for one.

Σ q·(u − log Z) waits for Z, and so for a sweep of its own; Σ q·u − log Z·Σ q does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from sympy import Add, Basic, Expr, Mul, S

from symopt.calculus.adjoints import Definition
from symopt.derivation.times import entries
from symopt.nodes import Largest, Sigma
from symopt.notation import Sequence, Statistic
from symopt.program.signs import Signs
from symopt.views import occurrences, opened, rewrite, signed_terms


@dataclass(frozen=True)
class Stage:
    """What one sweep gathers, with the equations that it stands in, and what is known then."""

    sums: tuple[tuple[str, Expr], ...]
    settled: tuple[Definition, ...]


Levels = dict[Expr, int]


def staged(definitions: tuple[Definition, ...]) -> tuple[Stage, ...]:
    """Definitions by the sweep after which they are known, and sums by sweep, as early as may be.

    Letters that each element has are left out.
    """
    known: Levels = {}
    sums: dict[int, list[tuple[str, Expr]]] = {}
    settled: dict[int, list[Definition]] = {}
    for one in definitions:
        for total in occurrences(one.written, Sigma, Largest):
            sums.setdefault(_level(total, known), []).append((one.id, total))
        level = _level(one.written, known)
        known[_letter(one)] = level
        if one.index is None:
            settled.setdefault(level, []).append(one)
    return tuple(
        Stage(tuple(sums.get(level, ())), tuple(settled.get(level, ())))
        for level in sorted({*sums, *settled})
    )


def with_earlier_sums(definitions: tuple[Definition, ...]) -> tuple[Definition, ...]:
    """Σ q·(u − log Z) ⇒ Σ q·u − log Z·Σ q, where all but log Z is known a sweep before.

    Only where both terms in the brackets are known to have one sign: then nothing cancels in them,
    and the two sums are as near to the exact ones as the single one was.
    """
    known: Levels = {}
    found = []
    for one in definitions:
        change = partial(_without_waiting, known, Signs(definitions))
        found.append(replace(one, written=rewrite(one.written, change)))
        known[_letter(one)] = _level(one.written, known)
    return tuple(found)


def _without_waiting(known: Levels, signs: Signs, node: Basic) -> Basic | None:
    if not isinstance(node, Sigma) or node.bounds is None:
        return None
    factors = opened(node.body)
    for place, factor in enumerate(factors):
        others = (*factors[:place], *factors[place + 1 :])
        terms = signed_terms(factor) if isinstance(factor, Add) else ()
        before = [one for one in (*others, *(term for _, term in terms)) if entries(one)]
        soonest = max((_level(one, known) for one in before), default=0)
        late = [
            (minus, one)
            for minus, one in terms
            if not entries(one) and _level(one, known) > soonest
        ]
        early = [pair for pair in terms if pair not in late]
        if late and early and any(map(entries, others)) and _one_sign(terms, signs):
            kept = [node.func(_product((*others, _sum(early))), node.args[1])]
            each = node.func(_product(others), node.args[1])
            return Add(*kept, _product((_sum(late), each)), evaluate=False)
    return None


def _one_sign(terms: tuple[tuple[bool, Expr], ...], signs: Signs) -> bool:
    """Whether all terms are at least 0, or all at most 0, whatever the input is."""
    below = (signs.never_negative if minus else signs.never_positive for minus, _ in terms)
    above = (signs.never_positive if minus else signs.never_negative for minus, _ in terms)
    shown = [term for _, term in terms]
    return any(all(f(x) for f, x in zip(tests, shown, strict=True)) for tests in (below, above))


def _sum(terms: list[tuple[bool, Expr]]) -> Expr:
    shown = [Mul(S.NegativeOne, one, evaluate=False) if minus else one for minus, one in terms]
    return shown[0] if len(shown) == 1 else Add(*shown, evaluate=False)


def _product(factors: tuple[Expr, ...]) -> Expr:
    return factors[0] if len(factors) == 1 else Mul(*factors, evaluate=False)


def _letter(one: Definition) -> Sequence | Expr:
    return one.letter if one.index is None else one.letter.base


def _level(expr: Expr, known: Mapping[Expr, int]) -> int:
    """The number of the sweep after which an expression is known."""
    if isinstance(expr, Sigma | Largest):
        return 1 + _level(expr.body, known)
    inner = max((_level(one, known) for one in occurrences(expr, Sigma, Largest)), default=0)
    read = [*occurrences(expr, Statistic), *(one.base for one in entries(expr))]
    return max([inner, *(known.get(one, 0) for one in read)])
