"""The question and its three answers: are two expressions equal wherever both have a value?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy import Expr, sympify

from symopt.declaration import Declaration, UpdateRule
from symopt.errors import UsageError
from symopt.proof.assumptions import flat, setting
from symopt.proof.clock import OutOfTime, limit, now
from symopt.proof.declared import DeclaredSearch
from symopt.proof.expressions import ExpressionSearch
from symopt.proof.outcomes import SECONDS
from symopt.proof.rules import RuleSearch
from symopt.proof.telling import Refuted
from symopt.proof.verdict import Verdict

# of the time, how much may go by before a proof is begun
_SEARCH = 0.4

_Question = ExpressionSearch | RuleSearch | DeclaredSearch


def equivalent(
    left: Any,
    right: Any,
    assumptions: Any = (),
    *,
    relation: Mapping[Any, Any] | None = None,
    seconds: float = SECONDS,
) -> Verdict:
    """Whether two expressions are equal wherever both have a value, or two declarations agree.

    Letters are real unless SymPy was told otherwise; letters in bounds of sums and places of
    entries are whole numbers, and no sum ends earlier than one before its start. Powers and
    logarithms have their principal values, so that √(x²) is |x| and √x·√y need not be √(x·y).
    ``assumptions`` are relations (``x > 0``, ``Ne(x, 0)``), predicates (``Q.positive(x)``) and
    definitions of entries (``Eq(v[t], beta*v[t - 1] + g[t])`` for t > 0, ``Eq(v[0], 0)``).
    After ``seconds`` the answer is undecided.

    Two update rules are the same if from the same θ each sequence of gradients leads them through
    the same parameters, the gradients being taken at the same points. That is proved by induction
    over a ``relation`` between what they carry along: letters of the second rule as expressions in
    entries of the first before step t, such as ``{v: v[t - 1] / alpha}``. Where none is given a
    linear one is looked for. A relation for θ itself is a change of variables; one that is found
    beside a run in which the rules part is proved in ``otherwise``.

    Two layers, losses, schedules or regularizers are the same if they have one value for every
    input, layers also once training is over, after any number of batches. Letters are matched by
    name, by a ``relation`` such as ``{eps: epsilon}``, else by trying. Layers over unlike axes are
    run on small arrays.

    >>> from sympy import sqrt
    >>> from sympy.abc import x, y
    >>> print(equivalent(sqrt(x**2), x))
    refuted: √(x²) = x
      at x = −1
      left is 1, right is −1
    >>> equivalent(sqrt(x) * sqrt(y), sqrt(x * y), [x > 0, y > 0]).status
    'proved'

    Raises
    ------
    UsageError
        For what is no expression, no assumption, or assumptions that no number satisfies.
    """
    search = _search(left, right, assumptions, relation)
    try:
        with limit(seconds):
            return _answer(search, now() + seconds)
    except OutOfTime:
        search.attempt.tried[f"all of this for {seconds:g} s, the limit of time"] = None
        return search.undecided()


def _search(
    left: Any, right: Any, assumptions: Any, relation: Mapping[Any, Any] | None
) -> _Question:
    if isinstance(left, UpdateRule) and isinstance(right, UpdateRule):
        found = RuleSearch(left, right, tuple(flat(assumptions)), relation)
        found.prepare()
        return found
    if isinstance(left, Declaration) and isinstance(right, Declaration):
        declared = DeclaredSearch(left, right, tuple(flat(assumptions)), relation)
        declared.prepare()
        return declared
    if relation is not None:
        raise UsageError("a relation is between two declarations; leave it out for expressions")
    sides = _read(left), _read(right)
    return ExpressionSearch(*sides, setting(sides, assumptions))


def _answer(search: _Question, until: float) -> Verdict:
    try:
        return search.decided(until)
    except Refuted as mistake:
        search.attempt.tried[f"a proof whose check failed: {mistake}"] = None
    except Exception as error:  # SymPy gives up in many ways, and none of them is an answer
        search.attempt.tried[f"what ended in {type(error).__name__}: {error}"] = None
    return search.undecided()


def _read(side: Any) -> Expr:
    if isinstance(side, Declaration):
        raise UsageError(
            f"{side.name} is {side.a_kind}; it is compared with another one, not an expression"
        )
    try:
        found = sympify(side, strict=True)
    except Exception:
        found = None
    if not isinstance(found, Expr) or getattr(found, "is_Matrix", False):
        raise UsageError(f"{side!r} is no expression; give one of SymPy's, such as x**2 + 1")
    return found
