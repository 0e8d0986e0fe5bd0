"""Common parts computed once: an expression of data that is written twice ⇒ a temporary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

from sympy import Basic, Expr, Pow
from sympy.core.relational import Relational
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import BooleanFunction

from symopt.derivation.system import Assignment
from symopt.derivation.times import entries
from symopt.nodes import Sigma
from symopt.notation import Sequence, sequence
from symopt.views import rewrite


def share(
    assignments: tuple[Assignment, ...], step: Expr, taken: frozenset[str]
) -> tuple[tuple[Assignment, ...], tuple[Sequence, ...]]:
    """x = f(g·h), y = k(g·h) ⇒ shared = g·h, x = f(shared), y = k(shared).

    Entries of different steps are different, so a part means the same wherever it stands. A
    square of a single entry is left alone: multiplying again is as cheap as remembering.
    """
    counts: Counter[Expr] = Counter()
    for one in assignments:
        counts.update(_parts(one.right))
    repeated = [part for part, times in counts.items() if times > 1]
    # the largest first, so that a part of a shared part is shared only if it stands elsewhere too
    repeated.sort(key=lambda part: (-part.count_ops(), str(part)))
    found = list(assignments)
    letters: list[Sequence] = []
    for part in repeated:
        users = [k for k, one in enumerate(found) if part in set(_parts(one.right))]
        if sum(list(_parts(found[k].right)).count(part) for k in users) < 2:
            continue
        letter = _letter(len(letters) + 1, taken)
        letters.append(letter)
        entry = letter[step]
        for k in users:
            one = found[k]
            right = rewrite(one.right, partial(_put, part, entry))
            found[k] = Assignment(one.id, one.left, right)
        found.insert(users[0], Assignment(found[users[0]].id, entry, part))
    return tuple(found), tuple(letters)


def _put(part: Expr, entry: Expr, node: Basic) -> Basic | None:
    """The shared letter for its part; sums over examples run before it is known."""
    if isinstance(node, Sigma):
        return node
    return entry if node == part else None


def _letter(number: int, taken: frozenset[str]) -> Sequence:
    name = f"shared_{number}"
    while name in taken:
        name += "_"
    return sequence("s", python=name, latex=f"s_{number}", unicode=f"s{number}")


def _parts(expr: Expr) -> Iterator[Expr]:
    """The parts worth sharing: of data, no single entry, outside sums over examples."""
    if isinstance(expr, Sigma) or expr.is_Indexed:
        return
    square = isinstance(expr, Pow) and expr.args[0].is_Indexed and expr.args[1] == 2
    countable = not isinstance(expr, BooleanFunction | Relational | ExprCondPair) and expr.args
    if countable and not square and entries(expr):
        yield expr
    for part in expr.args:
        yield from _parts(part)
