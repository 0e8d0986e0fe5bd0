"""Sums, products and conditions as they are written: what every printer has in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sympy import Add, And, Basic, Expr, Mul, Or

from symopt.views import Fraction, factors, index_terms, signed_terms, split_sign


class WrittenOrder:
    """Mixed into a SymPy printer; it says how a product of factors looks, and its minus sign.

    ``both`` and ``either`` stand between conditions.
    """

    minus = "-"
    both = " and "
    either = " or "
    # how a printer writes the factors of a product; each has its own
    _product: Callable[[Sequence[Expr | Fraction]], str]

    def _print(self, expr: Basic) -> str:
        text: str = super()._print(expr)  # type: ignore[misc]  # SymPy's printer comes after
        return text

    def _print_Add(self, expr: Add, order: Any = None) -> str:
        shown = ""
        for negative, term in signed_terms(expr):
            spaced = f" {self.minus if negative else '+'} "
            sign = spaced if shown else self.minus if negative else ""
            loose = bool(shown or negative) and self._starts_a_sum(term)
            shown += sign + self._bracketed(term, loose)
        return shown

    def _print_Mul(self, expr: Mul) -> str:
        negative, positive = split_sign(expr)
        if isinstance(positive, Mul):
            text = self._product(factors(positive))
        else:
            text = self._bracketed(positive, self._starts_a_sum(positive))
        return f"{self.minus}{text}" if negative else text

    def _starts_a_sum(self, expr: Expr) -> bool:
        """Whether an expression needs brackets after a sign: a sum, or a second sign."""
        return isinstance(expr, Add) or split_sign(expr)[0]

    def _bracketed(self, expr: Basic, needed: bool) -> str:
        text = self._print(expr)
        return f"({text})" if needed else text

    def _print_And(self, expr: And) -> str:
        return self._conditions(self.both, expr.args)

    def _print_Or(self, expr: Or) -> str:
        return self._conditions(self.either, expr.args)

    def _conditions(self, word: str, parts: Sequence[Basic]) -> str:
        return word.join(self._bracketed(one, isinstance(one, And | Or)) for one in parts)

    def _index(self, position: Expr) -> str:
        """An index without spaces, letters before numbers."""
        return "".join(
            (self.minus if negative else "+" if k else "") + self._print(term)
            for k, (negative, term) in enumerate(index_terms(position))
        )
