"""Recurrences taken apart: how much of the past is kept, and what is averaged with which weight."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Dummy, Expr, Indexed, Mul, S, simplify

from symopt.declaration import Equation
from symopt.derivation.times import entries
from symopt.errors import DerivationError
from symopt.notation import Hyperparameter, Index
from symopt.printing.unicode import unicode
from symopt.views import Fraction, canonical, factors, signed_terms


@dataclass(frozen=True)
class Average:
    """The parts of v_t = a v_{t-1} + b u: ``decay`` a, ``weight`` b and what is ``averaged``, u."""

    decay: Expr
    weight: Expr
    averaged: Expr

    def constant(self, step: Index) -> bool:
        """Whether a and b are the same at every step."""
        return not (self.decay.has(step) or self.weight.has(step))

    @property
    def complementary(self) -> bool:
        """Whether a + b = 1."""
        return bool(_simplest(canonical(self.decay) + canonical(self.weight) - 1) == 0)


def average_of(where: str, stated: Equation) -> Average:
    """The recurrence taken apart; refused, with the reason, where it is no average.

    Raises
    ------
    DerivationError
        If the state does not refer to its past, is not linear in it, or averages several terms.
    """
    left, right = stated.left, stated.right
    name = unicode(left)
    past = [one for one in entries(right) if one.base == left.base]
    if not past:
        raise DerivationError(
            f"debias({unicode(left.base)}) does not apply: {where} does not refer to the past of "
            f"{unicode(left.base)}; write a recurrence such as v_t = β·v_{{t−1}} + (1 − β)·g_t"
        )
    old = past[0]
    whole = canonical(right)
    decay = whole.diff(old) if whole.is_polynomial(old) else old
    if decay.has(old) or entries(decay):
        raise DerivationError(
            f"debias({unicode(left.base)}) does not apply: {where} makes {name} no linear function "
            f"of {unicode(old)} with a coefficient free of the data; leave {name} uncorrected"
        )
    driving = _driving_terms(right, old)
    idle = [one for one in driving if not entries(one)]
    if idle:
        raise DerivationError(
            f"debias({unicode(left.base)}) does not apply: {where} adds {unicode(idle[0])}, which "
            "depends on no data, to the average; leave it out of the recurrence"
        )
    if len(driving) != 1:
        raise DerivationError(
            f"debias({unicode(left.base)}) does not apply: {where} adds {len(driving)} terms to "
            f"the past of {name}; give what is averaged an equation of its own"
        )
    pieces = Mul.make_args(canonical(driving[0]))
    averaged = [one for one in pieces if entries(one)]
    averaged_part = Mul(*averaged)
    weight = _simplest(_weight(whole - decay * old, averaged))
    if entries(weight):
        raise DerivationError(
            f"debias({unicode(left.base)}) does not apply: {where} gives "
            f"{unicode(averaged_part)} no weight that is free of the data; give what is averaged "
            "an equation of its own"
        )
    decay = min((decay, _simplest(decay)), key=lambda one: one.count_ops())
    return Average(decay, _as_complement(decay, weight), averaged_part)


def _simplest(expr: Expr) -> Expr:
    """The expression in its shortest form; SymPy loads a system of units to look for one."""
    letters = (part.as_coeff_Mul()[1] for part in Add.make_args(expr))
    return expr if all(one.is_Atom for one in letters) else simplify(expr)


def _weight(rest: Expr, averaged: list[Expr]) -> Expr:
    """What the averaged product is multiplied by in the rest of the recurrence."""
    mark = Dummy()
    first, *others = averaged
    return rest.xreplace({first: mark, **dict.fromkeys(others, S.One)}).diff(mark)


def _as_complement(decay: Expr, weight: Expr) -> Expr:
    """1 − a in the slide's order, where the weight is that."""
    if _simplest(decay + weight - 1) == 0 and isinstance(decay, Hyperparameter):
        return Add(S.One, Mul(-1, decay, evaluate=False), evaluate=False)
    return weight


def _driving_terms(expr: Expr, old: Indexed) -> list[Expr]:
    """The terms that do not hold the old value, looked for wherever it stands in a sum."""
    found: list[Expr] = []
    for _, term in signed_terms(expr):
        if not term.has(old):
            found.append(term)
        elif isinstance(term, Mul):
            inner = [one for one in factors(term) if isinstance(one, Add) and one.has(old)]
            found += [term_ for one in inner for term_ in _driving_terms(one, old)]
            found += _above(term, old)
    return found


def _above(term: Mul, old: Indexed) -> list[Expr]:
    nested = [one for one in factors(term) if isinstance(one, Fraction)]
    above = [part for one in nested for part in one.above if isinstance(part, Add)]
    return [found for part in above if part.has(old) for found in _driving_terms(part, old)]
