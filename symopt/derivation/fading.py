"""Whether steps vanish where gradients do not: bounds on a step from bounds on the gradients.

A sum of squares with weights lies between the weights' sum times the least and the largest square.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

from sympy import Abs, Add, Basic, Expr, Integer, Interval, Mul, Pow, Rational, S, Symbol, oo, sqrt

from symopt.declaration import Fading
from symopt.derivation.first_steps import numbers_of, same
from symopt.derivation.in_order import in_order
from symopt.derivation.steps import Derivation, Line
from symopt.derivation.times import at
from symopt.derivation.trajectory import StepMap, run, step_map
from symopt.derivation.weights import (
    Weighted,
    at_step,
    change_in_states,
    past,
    unrolled,
    weighted_states,
)
from symopt.errors import DerivationError
from symopt.notation import function, hyperparameter
from symopt.views import canonical

_positive = Interval.open(0, oo)
least = hyperparameter("g_min", _positive, latex=r"g_{\min}", unicode="g_min")
most = hyperparameter("g_max", _positive, latex=r"g_{\max}", unicode="g_max")
_inf, _sup, _lim = function("inf"), function("sup"), function("lim")
_STEPS, _RUNS = 12, 8


def derive_fading(asked: Fading) -> tuple[Derivation, ...]:
    """The smallest and the largest step at t for g_min ≤ |g| ≤ g_max, and their rate.

    Raises
    ------
    DerivationError
        If the step is not the gradient over a function of one average of squares.
    """
    one = step_map(asked.rule)
    states, change = weighted_states(one), change_in_states(one)
    squares = [each for each in states if each.average.averaged == one.gradient**2]
    per = change / one.gradient
    if len(states) != 1 or not squares or per.has(one.gradient):
        raise DerivationError(
            f"{asked.rule.name} does not divide the gradient by a function of an average of "
            "squares; ask about a rule that does, such as rmsprop"
        )
    (state,) = squares
    step, now = one.system.step, canonical(state.average.weight)
    low, high = (
        Abs(per.xreplace({state.entry: edge**2 * (state.total - now) + now * last**2})) * last
        for edge, last in ((most, least), (least, most))
    )
    low, high = (_plain(each) for each in (low, high))
    check = _check(one, state, low, high)
    size = Abs(Add(at(one.before[0].base, step, 1), -one.before[0], evaluate=False))
    entry = one.gradient.base[past]
    lines = (
        Line(state.entry, unrolled(one, state), f"{state.id}, unrolled"),
        Line(_inf(state.entry), in_order(least**2 * state.total), ("no ", entry**2, " is smaller")),
        Line(_sup(state.entry), in_order(most**2 * state.total), ("no ", entry**2, " is larger")),
        Line(size, in_order(Abs(one.gradient) * -per), "the step"),
        Line(_inf(size), in_order(low), (one.gradient, " smallest, all before it largest"), check),
        Line(_sup(size), in_order(high), (one.gradient, " largest, all before it smallest"), check),
        *_rates(one, low, high, size),
    )
    title = f"steps of {asked.rule.title} where gradients stay between "
    known = ((least, " ≤ |", entry, "| ≤ ", most, " at every step"),)
    return (Derivation(asked.rule.name, (title, least, " and ", most), lines, known),)


def _plain(expr: Expr) -> Expr:
    """|−α/√…| without its bars: all letters are positive."""
    inner = expr.replace(Abs, lambda part: part)
    return -inner if inner.could_extract_minus_sign() else inner


def _rates(one: StepMap, low: Expr, high: Expr, size: Expr) -> tuple[Line, ...]:
    """What the bounds come to in the end: a limit, or a power of t times one."""
    step, x = one.system.step, Symbol("x", positive=True)
    powers = {each for each in (low + high).atoms(Pow) if each.exp == step}
    rows = []
    for name, bound in ((_inf, low), (_sup, high)):
        settled = bound.xreplace(dict.fromkeys(powers, S.Zero))
        if not settled.has(step):
            rows.append(Line(_lim(name(size)), in_order(settled), (step, " → ∞: it stays above 0")))
            continue
        root = (sqrt(x) * bound.subs(step, x)).limit(x, oo)
        product = Mul(sqrt(step), name(size), evaluate=False)
        rows.append(
            Line(_lim(product), in_order(root), (step, " → ∞: steps fade, as 1/√", step, " does"))
        )
    return tuple(rows)


def _check(one: StepMap, state: Weighted, low: Expr, high: Expr) -> str:
    """Runs with random gradients between the bounds stay between them, two kinds attain them."""
    source = random.Random(20260112)
    numbers = {**numbers_of(one), least: Rational(2, 3), most: Integer(5)}
    for last in (1, 2, _STEPS):
        for edge, other, bound in ((most, least, low), (least, most, high)):
            *_, old, new = [S.Zero, *_places(one, [*[edge] * (last - 1), other], numbers)]
            assert same(abs(new - old), at_step(bound, one, last).xreplace(numbers)), "not attained"
    for _ in range(_RUNS):
        drawn = [
            source.choice([-1, 1]) * Rational(source.choice([6, 45, source.randint(6, 45)]), 9)
            for _ in range(_STEPS)
        ]
        places = [S.Zero, *_places(one, drawn, numbers)]
        for number, (before, after) in enumerate(pairwise(places), start=1):
            ends = [at_step(each, one, number).xreplace(numbers).evalf(40) for each in (low, high)]
            length, slack = abs((after - before).evalf(40)), Rational(1, 10**30)
            assert ends[0] - slack <= length <= ends[1] + slack, f"step {number} of {state.id}"
    return f"checked against {_RUNS} runs of {_STEPS} steps"


def _places(one: StepMap, gradients: list[Expr], numbers: dict[Basic, Expr]) -> Iterator[Expr]:
    """The parameter after each step."""
    values = [each.xreplace(numbers) for each in gradients]
    ran = run(one, S.Zero, lambda k, _: values[k - 1], numbers, len(values))
    return (after for after, *_ in ran)
