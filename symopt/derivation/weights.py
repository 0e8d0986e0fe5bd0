"""A rule's states as weighted sums of what it was handed, and its step in terms of them."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Basic, Expr, Integer, Mul, Pow, S, simplify

from symopt.declaration import Equation
from symopt.derivation.averages import Average, average_of
from symopt.derivation.in_order import in_order
from symopt.derivation.responses import response
from symopt.derivation.system import STATE, TEMPORARY
from symopt.derivation.trajectory import StepMap
from symopt.errors import DerivationError
from symopt.nodes import Sigma
from symopt.notation import index
from symopt.views import canonical

past = index("k", "bound")


@dataclass(frozen=True)
class Weighted:
    """``entry`` = Σ_{k ≤ t} weight(k)·(what is averaged at k); ``total`` is Σ weight(k), closed."""

    entry: Expr
    id: str
    average: Average
    total: Expr

    def weight(self, step: Expr, at: Expr = past) -> Expr:
        """What u_k is multiplied by in the state at a step."""
        ratio = canonical(self.average.decay)
        return canonical(self.average.weight) * ratio ** (step - at)


def weighted_states(one: StepMap) -> tuple[Weighted, ...]:
    """The states of a rule, each with its weights.

    Raises
    ------
    DerivationError
        If a state is no average with constant coefficients that starts from 0.
    """
    system = one.system
    states = {each.sequence: each for each in system.of_role(STATE)}
    found = []
    for each in system.assignments:
        if each.target not in states:
            continue
        average = average_of(each.id, Equation(each.left, each.right))
        if not average.constant(system.step) or (states[each.target].initial or 0) != 0:
            raise DerivationError(
                f"{each.id} is no sum with constant weights from 0 on; ask about a rule whose "
                "states are averages that start from 0"
            )
        total = response(each.id, each.left, average, S.Zero, system.step).factor
        found.append(Weighted(canonical(each.left), each.id, average, canonical(total)))
    return tuple(found)


def change_in_states(one: StepMap) -> Expr:
    """θ_{t+1} − θ_t in terms of the states after the step, and of the gradient."""
    system = one.system
    inner = {each.sequence for each in system.of_role(TEMPORARY)}
    values: dict[Basic, Expr] = {}
    for each in system.assignments:
        if each.target in inner:
            values[canonical(each.left)] = canonical(canonical(each.right).xreplace(values))
    (last,) = (each for each in system.assignments if each.target == system.parameter.sequence)
    found: Expr = canonical(canonical(last.right).xreplace(values)) - one.before[0]
    return found


def at_step(expr: Expr, one: StepMap, number: int) -> Expr:
    """An expression in t at a step of this number."""
    found: Expr = canonical(expr.subs(one.system.step, Integer(number)))
    return found


def constant_gradient(one: StepMap, gradient: Expr) -> Expr:
    """θ_{t+1} − θ_t where the gradient is the same at every step, in closed form."""
    values: dict[Basic, Expr] = {one.gradient: gradient}
    for each in weighted_states(one):
        values[each.entry] = each.total * each.average.averaged.xreplace({one.gradient: gradient})
    found = canonical(change_in_states(one).xreplace(values))
    return min((found, simplify(found)), key=lambda expr: expr.count_ops())


def unrolled(one: StepMap, state: Weighted) -> Expr:
    """A state as a sum over all steps so far, as written."""
    age = Add(one.system.step, -past, evaluate=False)
    averaged = canonical(state.average.averaged)
    entry = averaged.xreplace({one.gradient: one.gradient.base[past]})
    power = Pow(state.average.decay, age, evaluate=False)
    parts = [in_order(canonical(state.average.weight)), power, entry]
    kept = [each for each in parts if each != 1]
    body = Mul(*kept, evaluate=False) if len(kept) > 1 else kept[0]
    return Sigma(body, (past, S.One, one.system.step))
