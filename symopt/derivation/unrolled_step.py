"""A step that is linear in the gradients as a sum over all of them."""

from __future__ import annotations

import random

from sympy import Add, Expr, Integer, Pow, Rational, S, simplify

from symopt.declaration import Unrolled
from symopt.derivation.first_steps import numbers_of, size
from symopt.derivation.in_order import in_order
from symopt.derivation.steps import Derivation, Line
from symopt.derivation.times import at
from symopt.derivation.trajectory import StepMap, run, step_map
from symopt.derivation.weights import (
    Weighted,
    at_step,
    change_in_states,
    constant_gradient,
    unrolled,
    weighted_states,
)
from symopt.errors import DerivationError
from symopt.views import canonical

_STEPS = 8


def derive_unrolled_step(asked: Unrolled) -> tuple[Derivation, ...]:
    """The step as Σ weight·gradient, and the learning rate that it comes to in the end.

    Raises
    ------
    DerivationError
        If the step is not one average of gradients times a constant.
    """
    one = step_map(asked.rule)
    states = weighted_states(one)
    change = change_in_states(one)
    if len(states) != 1 or change.diff(states[0].entry).has(states[0].entry, one.gradient):
        raise DerivationError(
            f"{asked.rule.name} does not step by one average of gradients; ask about a rule that "
            "does, such as momentum"
        )
    (state,) = states
    slope = canonical(change.diff(state.entry))
    closed = constant_gradient(one, size)
    powers = {each for each in closed.atoms(Pow) if each.exp == one.system.step}
    final = simplify(closed.xreplace(dict.fromkeys(powers, S.Zero)))
    shown = Add(at(one.before[0].base, one.system.step, 1), -one.before[0], evaluate=False)
    lines = [
        Line(state.entry, unrolled(one, state), f"{state.id}, unrolled", _check(one, state, slope)),
        Line(shown, in_order(change), "the step"),
        Line(
            shown,
            in_order(closed),
            ("where the gradient is always ", size, ": geometric sum"),
            _check_constant(one, closed),
        ),
    ]
    if powers:
        lines.append(
            Line(shown, in_order(final), (one.system.step, " → ∞: the effective learning rate"))
        )
    title = f"a step of {asked.rule.title} as a sum over all gradients so far"
    ratio = state.average.decay
    assumptions = ((ratio, " in [0, 1)"),) if powers else ()
    return (Derivation(asked.rule.name, title, tuple(lines), assumptions),)


def _check(one: StepMap, state: Weighted, slope: Expr) -> str:
    source, numbers = random.Random(20260110), numbers_of(one)
    drawn = [Rational(source.randint(-40, 40), 9) for _ in range(_STEPS)]
    before: Expr = S.Zero
    for last, (after, *_) in enumerate(
        run(one, before, lambda k, _: drawn[k - 1], numbers, _STEPS), start=1
    ):
        weights = [state.weight(Integer(last), Integer(k)) for k in range(1, last + 1)]
        total = sum(
            (a * b for a, b in zip(weights, drawn, strict=False)),
            S.Zero,
        )
        assert after - before == (slope * total).xreplace(numbers), f"step {last} of {state.id}"
        before = after
    return f"checked t = 1…{_STEPS}, exact"


def _check_constant(one: StepMap, closed: Expr) -> str:
    numbers = {**numbers_of(one), size: Rational(7, 5)}
    before: Expr = S.Zero
    ran = run(one, before, lambda *_: numbers[size], numbers, _STEPS)
    for number, (after, *_) in enumerate(ran, start=1):
        assert after - before == at_step(closed, one, number).xreplace(numbers), f"step {number}"
        before = after
    return f"checked t = 1…{_STEPS}, exact"
