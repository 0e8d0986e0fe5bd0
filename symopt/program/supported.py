"""Which expressions a kernel can be written for."""

from __future__ import annotations

from sympy import (
    Abs,
    Add,
    And,
    Basic,
    Expr,
    Indexed,
    Max,
    Min,
    Mul,
    Not,
    Number,
    Or,
    Piecewise,
    Pow,
    S,
    Symbol,
    ceiling,
    cos,
    erf,
    exp,
    floor,
    log,
    sign,
    sin,
    tanh,
)
from sympy.core.numbers import Exp1, Pi
from sympy.core.relational import Relational
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import BooleanAtom

from symopt.errors import LoweringError
from symopt.nodes import Sigma
from symopt.printing.unicode import unicode
from symopt.program.hits import SumByLabel
from symopt.program.signs import exp_to_one

_NODES = (
    Abs, Add, And, BooleanAtom, Exp1, ExprCondPair, Max, Min, Mul, Not, Number, Or, Pi, Piecewise,
    Pow, Relational, Sigma, SumByLabel, Symbol, ceiling, cos, erf, exp, exp_to_one, floor,
    sign, sin, tanh,
)  # fmt: skip


def check_supported(id: str, expr: Basic) -> None:
    """Nothing, when a kernel can compute the expression.

    Raises
    ------
    LoweringError
        Names the part that it cannot, and what there is instead.
    """
    if isinstance(expr, Indexed):
        return
    if isinstance(expr, Sigma):
        for inner in expr.body.atoms(Sigma):
            raise LoweringError(
                f"{id} has the sum {unicode(inner)} inside of another; give it an equation of "
                "its own"
            )
        check_supported(id, expr.body)
        return
    known = isinstance(expr, _NODES) or (isinstance(expr, log) and len(expr.args) == 1)
    if not known or (isinstance(expr, Number) and not expr.is_finite):
        shown = unicode(expr) if isinstance(expr, Expr) else str(expr)
        raise LoweringError(
            f"{id} holds {shown}, for which no kernel is written; use sums, products, powers, "
            "sqrt, Abs, sign, Max, Min, Piecewise, exp, log, sin, cos, tanh, erf, floor and ceiling"
        )
    for part in expr.args:
        if part not in (S.true, S.false):
            check_supported(id, part)
