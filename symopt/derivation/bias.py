"""Bias correction: what divides an average so that its expectation is that of what it averages.

From v_t = a_t v_{t-1} + b_t u_t with v_0 given, under E[u_k] = E[u], the expectation of v_t is
P_t v_0 + C_t E[u], where P_t = a_1 … a_t and C_t is the response of the same recurrence to the
constant 1 from 0. So v̂_t = (v_t − P_t v_0)/C_t, whatever a and b are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sympy import Add, Expr, Mul, S

from symopt.declaration import Equation
from symopt.derivation.averages import average_of
from symopt.derivation.responses import quotient, response
from symopt.derivation.steps import Derivation
from symopt.derivation.unrolling import conditions, lines
from symopt.nodes import Expectation
from symopt.notation import Index, Sequence, hat


@dataclass(frozen=True)
class Correction:
    """The corrected average as shown and as computed, with the derivation that led there.

    ``computed`` holds the recurrences of scalar states, where the factor has no closed form, and
    ends in the equation of the corrected average; ``initial`` their values before the first step.
    """

    shown: Equation
    computed: tuple[Equation, ...]
    initial: tuple[tuple[Sequence, Expr], ...]
    derivation: Derivation

    @property
    def displayed(self) -> tuple[Equation, ...]:
        """The corrected average, after the recurrences of what it is divided by, if any."""
        needed = [one for one in self.computed[:-1] if self.shown.right.has(one.left)]
        return (*needed, self.shown)


@lru_cache(maxsize=256)  # the system of a rule asks, and so does the page of its formulas
def correct(where: str, stated: Equation, start: Expr, step: Index) -> Correction:
    """The bias-corrected form of the sequence that ``stated`` defines.

    Raises
    ------
    DerivationError
        If the recurrence is not linear in its own past, or mixes several averaged terms.
    """
    left = stated.left
    average = average_of(where, stated)
    found = response(where, left, average, start, step)
    corrected = hat(left.base)[left.indices]
    shown = Equation(corrected, quotient(_less_start(left, found.kept, start), found.factor))
    final = Equation(
        corrected, quotient(_less_start(left, found.running_kept, start), found.running_factor)
    )
    derivation = Derivation(
        where,
        (corrected, f" from {where}, ", left.base[S.Zero], " = ", start),
        lines(where, stated, start, step, average, found, shown),
        ((Expectation(average.averaged), " is the same at every step"), *conditions(average)),
    )
    return Correction(shown, (*found.recurrences, final), found.initial, derivation)


def _less_start(left: Expr, kept: Expr, start: Expr) -> Expr:
    """What is left of the average without the trace of its initial value."""
    if start == 0:
        return left
    gone = kept if start == 1 else start if kept == 1 else Mul(kept, start, evaluate=False)
    return Add(left, Mul(S.NegativeOne, gone, evaluate=False), evaluate=False)
