"""Choices between two numbers by a label as text, the same in Python and C but for a cast."""

from __future__ import annotations

from typing import Any

from symopt.printing.written import WrittenOrder
from symopt.program.hits import InHalf


class LabelPrinter(WrittenOrder):
    """Whole numbers are compared, of which none is a NaN: one comparison will do."""

    def _print_Choice(self, expr: Any) -> str:
        left, right = (self._print(side) for side in expr.when.args)
        there, elsewhere = (self._print(one) for one in (expr.there, expr.elsewhere))
        return self._choice(f"{left} == {right}", there, elsewhere)

    def _choice(self, condition: str, value: str, other: str) -> str:
        return f"{value} if {condition} else {other}"

    def _print_InHalf(self, expr: InHalf) -> str:
        return f"np.int32({self._print(expr.args[0])})"
