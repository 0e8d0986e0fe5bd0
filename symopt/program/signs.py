"""Signs that a layer's equations give to their parts: u = z − max z is never above 0.

They hold for the numbers of a kernel as they do for real ones: a largest is exact, differences keep
their sign as they are rounded, and an exponential of 0 is 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sympy import Basic, Expr, Function, Indexed, exp, log

from symopt.calculus.adjoints import Definition
from symopt.nodes import Largest, Sigma
from symopt.notation import Index, Statistic
from symopt.program.decays import with_shared_decays
from symopt.views import canonical, rewrite, split_sign


class exp_to_one(Function):
    """e to the power of what is never above 0, for which kernels have a shorter form."""

    is_real = True


@dataclass(frozen=True)
class Signs:
    """What is known of the letters that these definitions define."""

    definitions: tuple[Definition, ...]

    def never_positive(self, expr: Expr) -> bool:
        """Whether an expression is at most 0, whatever the input is.

        >>> from sympy import Abs
        >>> from symopt.symbols import x
        >>> Signs(()).never_positive(-Abs(x[1])), Signs(()).never_positive(x[1])
        (True, False)
        """
        expr = canonical(expr)
        if expr.is_nonpositive:
            return True
        known = self._meaning(expr)
        if known is not None:
            return self.never_positive(known)
        if self.is_zero_at_the_largest(expr):
            return True
        negative, rest = split_sign(expr)
        return negative and self.never_negative(rest)

    def never_negative(self, expr: Expr) -> bool:
        """Whether an expression is at least 0, whatever the input is."""
        expr = canonical(expr)
        if expr.is_nonnegative:
            return True
        known = self._meaning(expr)
        if known is not None:
            return self.never_negative(known)
        if isinstance(expr, log):
            return self._at_least_one(expr.args[0])
        negative, rest = split_sign(expr)
        return negative and self.never_positive(rest)

    def is_zero_at_the_largest(self, expr: Expr) -> bool:
        """Whether this is x_i − max x, which is 0 for one i and below for the others."""
        expr = canonical(expr)
        known = self._meaning(expr)
        if known is not None:
            return self.is_zero_at_the_largest(known)
        for letter in expr.atoms(Statistic):
            largest = self._meaning(letter)
            if isinstance(largest, Largest):
                indices = {one for entry in expr.atoms(Indexed) for one in entry.indices}
                for index in indices:
                    if expr + letter == largest.body.xreplace({largest.index: index}):
                        return True
        return False

    def _at_least_one(self, expr: Expr) -> bool:
        """Whether an expression is at least 1: a sum of exponentials, one of them that of 0."""
        known = self._meaning(expr)
        if known is not None:
            return self._at_least_one(known)
        body = expr.body if isinstance(expr, Sigma) else None
        return isinstance(body, exp) and self.is_zero_at_the_largest(body.args[0])

    def _meaning(self, expr: Expr) -> Any:
        """What a letter is defined as, with its index."""
        for one in self.definitions:
            if one.letter == expr:
                return one.value
            if isinstance(expr, Indexed) and isinstance(one.letter, Indexed):
                (index, *others) = expr.indices
                if one.letter.base == expr.base and isinstance(index, Index) and not others:
                    return one.value.xreplace({one.index: index})
        return None


def with_short_exponentials(
    definitions: Iterable[Definition], exprs: Iterable[Expr] = ()
) -> tuple[tuple[Definition, ...], tuple[Expr, ...]]:
    """e^u ⇒ exp_to_one(u) where u is never above 0, once for both cases of a sign."""
    several, exprs = with_shared_decays(definitions, exprs)
    known = Signs(several)

    def change(node: Basic) -> Basic | None:
        if not isinstance(node, exp) or not known.never_positive(node.args[0]):
            return None
        return exp_to_one(rewrite(node.args[0], change), evaluate=False)

    changed = tuple(replace(one, written=rewrite(one.written, change)) for one in several)
    return changed, tuple(rewrite(one, change) for one in exprs)
