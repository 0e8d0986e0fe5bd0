"""Partial derivatives that exist everywhere: at a kink, that of the branch which is taken."""

from __future__ import annotations

from collections.abc import Callable

from sympy import (
    Abs,
    Add,
    And,
    Dummy,
    Expr,
    Max,
    Min,
    Piecewise,
    S,
    ceiling,
    floor,
    powsimp,
    sign,
)

from symopt.calculus.rules import simplified
from symopt.nodes import Sigma
from symopt.views import occurrences


def derivative(expr: Expr, by: Expr) -> Expr:
    """∂expr/∂by of a canonical expression, by a letter or by a sum that it holds.

    What has a kink or runs over examples follows ``TABLE``; all else SymPy differentiates.

    >>> from sympy.abc import x
    >>> derivative(Abs(x**3), x)
    3*x**2*sign(x**3)
    """
    letter = Dummy(real=True, positive=by.is_positive, nonnegative=by.is_nonnegative)
    held = [one for one in dict.fromkeys(occurrences(expr, *TABLE)) if one != by and one.has(by)]
    names = {one: Dummy(real=True) for one in held}
    smooth = expr.xreplace({**names, by: letter})
    ways = [smooth.diff(letter)]
    ways += [smooth.diff(name) * _branch(one, by) for one, name in names.items()]
    back = {letter: by, **{name: one for one, name in names.items()}}
    # β^t/β would be 0/0 at β = 0
    found: Expr = powsimp(Add(*ways), combine="exp").xreplace(back)
    return found


def _branch(node: Expr, by: Expr) -> Expr:
    for kind, rule in TABLE.items():
        if isinstance(node, kind):
            return rule(node, by)
    raise AssertionError(f"{node} is in no row of the table")


def _constant(_node: Expr, _by: Expr) -> Expr:
    return S.Zero


def _absolute(node: Expr, by: Expr) -> Expr:
    (inner,) = node.args
    return sign(inner) * derivative(inner, by)


def _cases(node: Expr, by: Expr) -> Expr:
    return Piecewise(*((derivative(value, by), condition) for value, condition in node.args))


def _extreme(wins: Callable[[Expr, Expr], Expr]) -> Callable[[Expr, Expr], Expr]:
    """The operand that is taken; of several that are equal, the first."""

    def rule(node: Expr, by: Expr) -> Expr:
        operands = sorted(node.args, key=str)
        cases = [
            (derivative(one, by), And(*(wins(one, other) for other in operands[k + 1 :])))
            for k, one in enumerate(operands)
        ]
        return Piecewise(*cases)

    return rule


def _sum(node: Sigma, by: Expr) -> Expr:
    return simplified(Sigma(derivative(node.body, by), node.args[1]))


TABLE: dict[type, Callable[[Expr, Expr], Expr]] = {
    sign: _constant,
    floor: _constant,
    ceiling: _constant,
    Abs: _absolute,
    Max: _extreme(lambda one, other: one >= other),
    Min: _extreme(lambda one, other: one <= other),
    Piecewise: _cases,
    Sigma: _sum,
}
