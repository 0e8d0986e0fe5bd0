"""Expressions as plain Python over floats, infinite ones among them, in which no NaN is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sympy import (
    Abs,
    Add,
    And,
    Basic,
    Expr,
    Max,
    Min,
    Mul,
    Not,
    Number,
    Or,
    Piecewise,
    S,
    Symbol,
    ceiling,
    erf,
    floor,
    log,
    sign,
    tanh,
)
from sympy.core.relational import Relational
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import BooleanAtom

from symopt.notation import Hyperparameter, Index
from symopt.targets.python_code import KernelPrinter
from symopt.views import signed_terms

_WHOLE = (
    Abs, And, BooleanAtom, ExprCondPair, Max, Min, Not, Or, Piecewise, Relational, ceiling, erf,
    floor, sign, tanh,
)  # fmt: skip


@dataclass(frozen=True)
class PlainCode:
    """Python text; a ``sure`` one gives a number whatever numbers it reads, and never fails.

    ``helpers`` are the functions that it calls, each by its name under an underscore.
    """

    text: str
    sure: bool
    helpers: frozenset[str]


def plain_code(expr: Expr) -> PlainCode:
    """The text of an expression whose letters are floats, hyperparameters finite ones.

    >>> from sympy.abc import b, x
    >>> plain_code(Piecewise((b, b < x), (x, True))).text
    'b if b < x else x'
    >>> plain_code(x - b).sure
    False
    """
    printer = PlainPrinter(is_sure(expr))
    return PlainCode(printer.outermost(expr), printer.sure, frozenset(printer.needs))


def is_sure(expr: Basic) -> bool:
    """Whether an expression has a value, and a comparison an answer, for all numbers it reads.

    ∞ − ∞, 0·∞ and 1/0 have none. So the answer is yes for sums of two terms of which one is
    finite, and for no products but a change of sign.
    """
    match expr:
        case Number() | Symbol():
            return True
        case Add():
            terms = [term for _, term in signed_terms(expr)]
            infinite = [term for term in terms if not _is_finite(term)]
            return len(terms) <= 2 and len(infinite) <= 1 and all(map(is_sure, terms))
        case Mul():
            first, *others = expr.args
            return first is S.NegativeOne and len(others) == 1 and is_sure(others[0])
    return isinstance(expr, _WHOLE) and all(map(is_sure, expr.args))


def _is_finite(term: Expr) -> bool:
    return isinstance(term, Hyperparameter | Index) or bool(term.is_Number and term.is_finite)


class PlainPrinter(KernelPrinter):
    """Python over floats, without NumPy; ``needs`` names the functions that stand in for it."""

    def __init__(self, sure: bool) -> None:
        super().__init__(elementwise=False)
        self.sure = sure

    @property
    def guarded(self) -> bool:
        """Whether a NaN may be read, which must not pick a case by what it fails."""
        return not self.sure

    def _nan(self) -> str:
        return "math.nan"

    def outermost(self, expr: Expr) -> str:
        """An expression that stands by itself, with no brackets around."""
        text: str = self._cases(expr) if isinstance(expr, Piecewise) else self._print(expr)
        return text

    def _helper(self, name: str, arguments: Sequence[Basic]) -> str:
        self.needs[name] = ""
        return f"_{name}({', '.join(self._print(one) for one in arguments)})"

    def _print_sign(self, expr: Any) -> str:
        return self._helper("sign", expr.args)

    def _print_floor(self, expr: Any) -> str:
        return self._helper("floor", expr.args)

    def _print_ceiling(self, expr: Any) -> str:
        return self._helper("ceiling", expr.args)

    def _print_Max(self, expr: Any) -> str:
        return self._extreme("max", "largest", expr.args)

    def _print_Min(self, expr: Any) -> str:
        return self._extreme("min", "smallest", expr.args)

    def _extreme(self, plain: str, guarded: str, arguments: Sequence[Basic]) -> str:
        """Python's own function, unless it may be handed a NaN, which it would hide."""
        if self.guarded:
            return self._helper(guarded, arguments)
        return f"{plain}({', '.join(self._print(one) for one in arguments)})"

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:
        exponent = expr.args[1]
        root = exponent == S.Half or exponent == -S.Half
        if exponent.is_integer or root:
            return super()._print_Pow(expr, rational)
        # Python's own ** leaves the reals where the base is negative
        return f"math.pow({', '.join(self._print(one) for one in expr.args)})"

    def _print_expm1(self, expr: Any) -> str:
        """expm1(n·log a), also where a is 0 and has no logarithm: then aⁿ − 1 as it stands."""
        exponent, logarithm = expr.args[0].args
        (inner,) = logarithm.args
        less = Add(inner, S.NegativeOne, evaluate=False) if isinstance(logarithm, log) else inner
        return self._helper("power_less_one", (less, exponent))

    def _print_Relational(self, expr: Any) -> str:
        if expr.rel_op == "!=":
            return super()._print_Relational(expr)
        left, right = (self._print(side) for side in expr.args)
        return f"{left} {expr.rel_op} {right}"
