"""The two views of an expression: as written by its author, and canonical as SymPy keeps it.

An expression built under ``sympy.evaluate(False)`` remembers the order of its terms and factors in
``args``. SymPy's own ``subs`` and ``xreplace`` would re-evaluate it; the functions here rebuild it
as it stands, or evaluate it on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from sympy import Add, Basic, Expr, Function, Integer, Mul, Pow, Rational, S, Sum
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational
from sympy.functions.elementary.miscellaneous import MinMaxBase
from sympy.functions.elementary.piecewise import ExprCondPair, Piecewise
from sympy.logic.boolalg import BooleanFunction

from symopt.nodes import Sigma

_UNEVALUATED = (Add, Mul, Pow, Relational, MinMaxBase, Piecewise, BooleanFunction, Function)


def rebuild(node: Basic, arguments: Iterable[Basic]) -> Basic:
    """``node`` with other arguments, not evaluated."""
    if isinstance(node, AppliedUndef | ExprCondPair):
        return node.func(*arguments)
    if isinstance(node, _UNEVALUATED):
        return node.func(*arguments, evaluate=False)
    return node.func(*arguments)


def rewrite(expr: Basic, change: Callable[[Basic], Basic | None]) -> Basic:
    """``expr`` as written, with each outermost part for which ``change`` has an answer replaced.

    >>> from sympy.abc import x, y, z
    >>> print(rewrite(Add(z, y, evaluate=False), {y: x}.get).args)
    (z, x)
    """
    answer = change(expr)
    if answer is not None:
        return answer
    if not expr.args:
        return expr
    arguments = [rewrite(part, change) for part in expr.args]
    same = all(new is old for new, old in zip(arguments, expr.args, strict=True))
    return expr if same else rebuild(expr, arguments)


def substitute(expr: Expr, values: Mapping[Basic, Basic]) -> Expr:
    """``expr`` as written, with parts replaced by their values in ``values``."""
    return rewrite(expr, values.get)


def without_terms(expr: Expr, letters: Collection[Basic]) -> Expr:
    """``expr`` as written, the terms that are these letters left out of its sums.

    >>> from sympy.abc import x, y
    >>> without_terms(Add(x, Mul(-1, y, evaluate=False), evaluate=False), [y])
    x
    """

    def change(node: Basic) -> Basic | None:
        if not isinstance(node, Add):
            return None
        kept = [
            Mul(S.NegativeOne, without_terms(term, letters), evaluate=False)
            if negative
            else without_terms(term, letters)
            for negative, term in signed_terms(node)
            if term not in letters
        ]
        return Add(*kept, evaluate=False) if len(kept) > 1 else (kept or [S.Zero])[0]

    return rewrite(expr, change)


def canonical(expr: Basic) -> Basic:
    """``expr`` as SymPy evaluates it: for mathematics, not for printing.

    >>> from sympy.abc import x
    >>> canonical(Add(x, x, evaluate=False))
    2*x
    """
    if not expr.args:
        return expr
    return expr.func(*(canonical(part) for part in expr.args))


def occurrences(expr: Basic, *kinds: type[Basic]) -> tuple[Basic, ...]:
    """The parts of these kinds, outermost first, in the order in which they are written."""
    if isinstance(expr, kinds):
        return (expr,)
    return tuple(found for part in expr.args for found in occurrences(part, *kinds))


def sums_as_written(expr: Basic) -> Basic:
    """SymPy's own ``Sum`` turned into :class:`symopt.notation.Sigma`, bodies as they were."""

    def change(node: Basic) -> Basic | None:
        if not isinstance(node, Sum):
            return None
        body, *limits = node.args
        # Sum wraps an unevaluated body as 1·body
        if isinstance(body, Mul) and len(body.args) == 2 and body.args[0] is S.One:
            body = body.args[1]
        for limit in limits:
            body = Sigma(sums_as_written(body), limit)
        return body

    return rewrite(expr, change)


@dataclass(frozen=True)
class Fraction:
    """A quotient as written: the factors above the line (none is 1) and what stands below."""

    above: tuple[Expr | Fraction, ...]
    below: Expr


def signed_terms(expr: Expr) -> tuple[tuple[bool, Expr], ...]:
    """The terms of a sum as written, each with whether it is subtracted.

    >>> from sympy.abc import x, y
    >>> signed_terms(Add(x, Mul(-1, y, evaluate=False), evaluate=False))
    ((False, x), (True, y))
    """
    if not isinstance(expr, Add):
        return (split_sign(expr),)
    first, *others = expr.args
    # a - b - c nests as (a - b) - c: only the leftmost argument is opened
    return (*signed_terms(first), *(split_sign(term) for term in others))


def index_terms(position: Expr) -> tuple[tuple[bool, Expr], ...]:
    """The terms of an index, letters before numbers: t − 1 even where SymPy sorted it −1 + t."""
    terms = signed_terms(position)
    return tuple(sorted(terms, key=lambda pair: (bool(pair[1].is_Number), pair[0])))


def split_sign(expr: Expr) -> tuple[bool, Expr]:
    """Whether a minus stands before the expression, and the expression without it."""
    if expr.is_Number and expr.is_negative:
        return True, -expr
    if isinstance(expr, Mul) and expr.args and expr.args[0].is_Number:
        number, *others = expr.args
        if number is S.NegativeOne:
            rest = others[0] if len(others) == 1 else Mul(*others, evaluate=False)
            return True, rest
        if number.is_negative:
            return True, Mul(-number, *others, evaluate=False)
    if isinstance(expr, Mul) and isinstance(expr.args[0], Mul):
        negative, head = split_sign(expr.args[0])
        if negative:
            return True, Mul(head, *expr.args[1:], evaluate=False)
    return False, expr


def factors(expr: Expr) -> tuple[Expr | Fraction, ...]:
    """The factors of a product as written, a division taking in all that stands to its left.

    >>> from sympy.abc import x, y, z
    >>> factors(Mul(Mul(x, Pow(y, -1), evaluate=False), z, evaluate=False))
    (Fraction(above=(x,), below=y), z)
    """
    items: tuple[Expr | Fraction, ...] = ()
    for factor in opened(expr):
        below = _divisor(factor)
        if below is not None and all(map(_is_number, items)):
            # 1/2·1/x rather than (1/2)/x
            items = (*items, Fraction((), below))
        elif below is not None:
            items = (Fraction(items, below),)
        elif isinstance(factor, Rational) and factor.q != 1 and factor.p > 0:
            over = (Integer(factor.p),) if factor.p != 1 else ()
            items = (Fraction((*items, *over), Integer(factor.q)),)
        else:
            items = (*items, factor)
    return items


def _is_number(item: Expr | Fraction) -> bool:
    """Whether a factor is a fraction of two numbers."""
    return (
        isinstance(item, Fraction)
        and item.below.is_Number
        and all(not isinstance(one, Fraction) and one.is_Number for one in item.above)
    )


def opened(expr: Expr) -> tuple[Expr, ...]:
    """The factors of a product as they nest to its left, divisions among them."""
    if not isinstance(expr, Mul):
        return (expr,)
    first, *others = expr.args
    return (*opened(first), *others)


def _divisor(factor: Expr) -> Expr | None:
    if not isinstance(factor, Pow):
        return None
    base, exponent = factor.args
    if exponent == S.NegativeOne:
        return base
    if exponent.is_Number and exponent.is_negative:
        return Pow(base, -exponent, evaluate=False)
    return None
