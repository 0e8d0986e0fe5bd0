"""How far a rule can step that divides an average of gradients by the root of one of squares.

With weights w for the gradients and W for their squares, v = Σ w g, G = Σ W g² and S = Σ w²/W,

    Σ W (g − w v/(W S))² = G − v²/S,

which no sum of squares makes negative: v² ≤ S G, with equality where g is proportional to w/W.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from sympy import Abs, Add, Expr, Float, Mul, Pow, Rational, S, simplify, sqrt

from symopt.declaration import LargestStep
from symopt.derivation.averages import Average
from symopt.derivation.first_steps import numbers_of, same
from symopt.derivation.in_order import in_order, signed
from symopt.derivation.steps import Derivation, Line, Reason
from symopt.derivation.times import at
from symopt.derivation.trajectory import StepMap, run, step_map
from symopt.derivation.weights import Weighted, at_step, change_in_states, past, weighted_states
from symopt.errors import DerivationError
from symopt.nodes import Sigma
from symopt.notation import Hyperparameter, function, hyperparameter, sequence
from symopt.views import canonical

_STEPS = 8
_DRAWS = 12
_largest = function("sup")
_TABLE = (1, 2, 10, 100)
_MOST, _RATIO = hyperparameter("S"), hyperparameter("rho")
w, W = sequence("w"), sequence("W")


@dataclass(frozen=True)
class Quotient:
    """|θ_{t+1} − θ_t| = factor·|v|/√(G + rest), v and G sums of gradients and of their squares."""

    upper: Weighted
    lower: Weighted
    factor: Expr
    rest: Expr


def derive_largest_step(asked: LargestStep) -> tuple[Derivation, ...]:
    """The bound on |θ_{t+1} − θ_t| over all gradients, its proof, and where it is attained.

    Raises
    ------
    DerivationError
        If the step is no average of gradients over the root of an average of their squares.
    """
    one = step_map(asked.rule)
    quotient = _quotient(one)
    upper, lower = quotient.upper.average, quotient.lower.average
    ratio = canonical(upper.decay**2 / lower.decay)
    begin = canonical(upper.weight**2 / lower.weight)
    step = one.system.step
    total = begin if ratio == 0 else begin * (1 - ratio**step) / (1 - ratio)
    proof = _last_square(one, quotient) if ratio == 0 else _squares(one, quotient, total)
    shown = begin if ratio == 0 else _MOST
    step_taken = Add(at(one.before[0].base, step, 1), -one.before[0], evaluate=False)
    change = _largest(Abs(step_taken))
    reason: Reason = "attained where all gradients before were 0"
    if ratio != 0:
        reason = (
            "attained where ",
            one.gradient.base[past],
            " is proportional to ",
            _over(w[past], W[past]),
        )
    if quotient.rest != 0:
        reason = (
            *((reason,) if isinstance(reason, str) else reason),
            " and ",
            quotient.rest,
            " → 0",
        )
    root = Pow(in_order(shown), S.Half, evaluate=False)
    bound = quotient.factor * sqrt(total)
    check = _check_bound(one, quotient, bound)
    lines = (
        *proof,
        Line(change, Mul(in_order(quotient.factor), root, evaluate=False), reason, check),
        *_in_numbers(one, bound, ratio, change),
    )
    conditions: tuple[Reason, ...] = () if ratio == 0 else ((ratio, " ≠ 1"),)
    title = f"the largest step of {asked.rule.title}, whatever the gradients are"
    return (Derivation(asked.rule.name, title, lines, conditions),)


def _last_square(one: StepMap, quotient: Quotient) -> tuple[Line, ...]:
    """The last square is a term of the sum of all."""
    lower = quotient.lower
    before = at(lower.entry.base, one.system.step, -1)
    weight, decay = (in_order(each) for each in (lower.average.weight, lower.average.decay))
    left = one.gradient**2 if weight == 1 else Mul(weight, one.gradient**2, evaluate=False)
    right = _less(lower.entry, before if decay == 1 else Mul(decay, before, evaluate=False))
    return (Line(left, right, (lower.id, ", no more than ", lower.entry)),)


def _squares(one: StepMap, quotient: Quotient, total: Expr) -> tuple[Line, ...]:
    """What the weights are, and the sum of squares that bounds an average of gradients."""
    step, upper, lower = one.system.step, quotient.upper, quotient.lower
    v, G, limits, gradient = upper.entry, lower.entry, (past, S.One, step), one.gradient.base[past]
    age = Add(step, -past, evaluate=False)
    rows = []
    for letter, each in ((w, upper.average), (W, lower.average)):
        power = Pow(each.decay, age, evaluate=False)
        weight = in_order(canonical(each.weight))
        shown = power if weight == 1 else Mul(weight, power, evaluate=False)
        rows.append(Line(letter[past], shown, "how much of step k is left"))
    geometric = Add(S.One, Mul(-1, Pow(_RATIO, step), evaluate=False), evaluate=False)
    begin = in_order(canonical(upper.average.weight**2 / lower.average.weight))
    closed = Mul(begin, _over(geometric, _less(S.One, _RATIO)), evaluate=False)
    product = Mul(w[past], v, evaluate=False)
    apart = _less(gradient, _over(product, Mul(W[past], _MOST, evaluate=False)))
    squares = Mul(W[past], Pow(apart, 2, evaluate=False), evaluate=False)
    return (
        *rows,
        Line(v, Sigma(Mul(w[past], gradient, evaluate=False), limits), (upper.id, ", unrolled")),
        Line(G, Sigma(Mul(W[past], gradient**2, evaluate=False), limits), (lower.id, ", unrolled")),
        Line(_MOST, Sigma(_over(w[past] ** 2, W[past]), limits), "a letter for what follows"),
        Line(_RATIO, upper.average.decay**2 / lower.average.decay, "likewise"),
        Line(_MOST, closed, "geometric sum"),
        Line(
            Sigma(squares, limits),
            _less(G, _over(v**2, _MOST)),
            ("the square expanded; no sum of squares is below 0, so ", v**2, " ≤ ", _MOST * G),
            _check_squares(one, quotient, total),
        ),
    )


def _over(above: Expr, below: Expr) -> Expr:
    return Mul(above, Pow(below, -1, evaluate=False), evaluate=False)


def _less(one: Expr, other: Expr) -> Expr:
    return Add(one, Mul(S.NegativeOne, other, evaluate=False), evaluate=False)


def _quotient(one: StepMap) -> Quotient:
    """The step taken apart; the gradient by itself is a sum with one term."""
    refused = DerivationError(
        f"{one.system.declared.name} does not step by an average of gradients over the root of an "
        "average of their squares; ask about a rule that does"
    )
    states = weighted_states(one)
    squares = [each for each in states if each.average.averaged == one.gradient**2]
    plain = [each for each in states if each.average.averaged == one.gradient]
    now = Weighted(
        one.gradient, one.system.declared.name, Average(S.Zero, S.One, one.gradient), S.One
    )
    if len(squares) != 1 or len(plain) > 1:
        raise refused
    upper, lower = (plain or [now])[0], squares[0]
    change = change_in_states(one)
    inverse = simplify((upper.entry / change) ** 2)
    slope = simplify(inverse.diff(lower.entry))
    if inverse.has(upper.entry, *([] if plain else [one.gradient])) or slope.has(lower.entry):
        raise refused
    rest = simplify(inverse.subs(lower.entry, 0) / slope)
    return Quotient(upper, lower, _inverse_root(slope), rest)


def _inverse_root(square: Expr) -> Expr:
    """1/√square, its factors taken as positive from the first step on: 1 − βᵗ."""
    _, positive = signed(square)
    return Mul(*(base ** (-power / 2) for base, power in positive.as_powers_dict().items()))


def _weights(one: Weighted, last: int, numbers: dict[Expr, Expr]) -> list[Expr]:
    a, b = (canonical(each).xreplace(numbers) for each in (one.average.decay, one.average.weight))
    return [b * a ** (last - k) for k in range(1, last + 1)]


def _check_squares(one: StepMap, quotient: Quotient, total: Expr) -> str:
    """Both sides at random gradients, in fractions."""
    source, numbers = random.Random(20260108), numbers_of(one)
    for last in range(1, _STEPS + 1):
        w = _weights(quotient.upper, last, numbers)
        W = _weights(quotient.lower, last, numbers)
        g = [Rational(source.randint(-40, 40), 9) for _ in range(last)]
        v, G = (
            sum(a * b for a, b in zip(w, g, strict=True)),
            sum(a * b**2 for a, b in zip(W, g, strict=True)),
        )
        size = sum(a**2 / b for a, b in zip(w, W, strict=True))
        assert size == at_step(total, one, last).xreplace(numbers), "the sum of the weights"
        left = sum(b * (c - a * v / (b * size)) ** 2 for a, b, c in zip(w, W, g, strict=True))
        assert left == G - v**2 / size, "the sum of squares"
    return f"checked t = 1…{_STEPS}, exact"


def _check_bound(one: StepMap, quotient: Quotient, bound: Expr) -> str:
    """The rule run with random gradients stays below the bound, with the worst ones attains it."""
    source, numbers = random.Random(20260109), numbers_of(one)
    letters = quotient.rest.atoms(Hyperparameter)
    gone = [each for each in letters if quotient.rest.subs(each, 0) == 0]
    without = {**numbers, **dict.fromkeys(gone, S.Zero)}
    for last in (1, 2, 5, _STEPS):
        limit = at_step(bound, one, last).xreplace(numbers)
        w = _weights(quotient.upper, last, numbers)
        W = _weights(quotient.lower, last, numbers)
        worst = [a / b for a, b in zip(w, W, strict=True)]
        if all(worst):
            assert same(_last_change(one, worst, without), limit), "the bound is not attained"
        for _ in range(_DRAWS):
            drawn = [Rational(source.randint(-40, 40), 9) or S.One for _ in range(last)]
            gap = _last_change(one, drawn, numbers) - limit
            assert gap.evalf(30) <= 0, f"a step is beyond {bound}"
    return f"checked against {4 * _DRAWS} runs"


def _last_change(one: StepMap, gradients: list[Expr], numbers: dict[Expr, Expr]) -> Expr:
    last = len(gradients)
    ran = [S.Zero] + [
        held[0] for held in run(one, S.Zero, lambda k, _: gradients[k - 1], numbers, last)
    ]
    return abs(ran[-1] - ran[-2]).evalf(60)


def _in_numbers(one: StepMap, bound: Expr, ratio: Expr, change: Expr) -> tuple[Line, ...]:
    """The bound at the defaults, step by step, and for all steps together where there is one."""
    values = {k: Rational(repr(v)) for k, v in one.system.declared.default_values.items()}
    unit = next((k for k in values if not simplify(bound / k).has(k)), None)
    if unit is None:
        return ()
    rows = {f"t = {k}": at_step(bound, one, k) for k in _TABLE}
    powers = {each for each in bound.atoms(Pow) if each.exp == one.system.step}
    if ratio != 0 and all(0 < each.base.subs(values) < 1 for each in powers):
        rows["t → ∞"] = bound.xreplace(dict.fromkeys(powers, S.Zero))
    numbers = {when: f"{float((row / unit).subs(values)):.3g}" for when, row in rows.items()}
    if len(set(numbers.values())) == 1:
        numbers = {"every t": numbers[f"t = {_TABLE[0]}"]}
    return tuple(
        Line(change, Mul(Float(number), unit, evaluate=False), f"{when}, at the defaults, rounded")
        for when, number in numbers.items()
    )
