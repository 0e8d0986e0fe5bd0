"""What is left of the bias of a corrected average where what it averages does not stay the same."""

from __future__ import annotations

import random

from sympy import Add, Expr, Integer, Mul, Pow, Rational, S, Symbol, simplify, summation

from symopt.declaration import Drift
from symopt.derivation.in_order import in_order
from symopt.derivation.samples import exact_values
from symopt.derivation.steps import Derivation, Line
from symopt.derivation.trajectory import StepMap, step_map
from symopt.derivation.weights import Weighted, past, weighted_states
from symopt.errors import DerivationError
from symopt.nodes import Expectation, Sigma
from symopt.notation import Hyperparameter, hat, hyperparameter
from symopt.printing.unicode import unicode
from symopt.views import canonical

_STEPS = 8
_a, _b = hyperparameter("a"), hyperparameter("b")


def derive_drift(asked: Drift) -> tuple[Derivation, ...]:
    """For each corrected average of a rule, E[v̂_t] − E[u_t], in general and for a linear drift.

    Raises
    ------
    DerivationError
        If the rule corrects no average.
    """
    one = step_map(asked.rule)
    corrected = {each.target for each in one.system.assignments}
    states = [each for each in weighted_states(one) if hat(each.entry.base) in corrected]
    if not states:
        raise DerivationError(
            f"{asked.rule.name} corrects no average, so nothing is said of its bias; ask about a "
            "rule with debias(v)"
        )
    return tuple(_of(asked, one, each) for each in states)


def _of(asked: Drift, one: StepMap, state: Weighted) -> Derivation:
    step, decay = one.system.step, state.average.decay
    now = canonical(state.average.averaged)
    then = now.xreplace({one.gradient: one.gradient.base[past]})
    mean, kept = Expectation(now), Expectation(then)
    corrected = Expectation(hat(state.entry.base)[step])
    age = Add(step, -past, evaluate=False)
    weight = in_order(canonical(state.average.weight))
    weights = Mul(weight, Pow(decay, age, evaluate=False), evaluate=False)
    limits, total = (past, S.One, step), in_order(state.total)
    gap = Add(kept, -mean, evaluate=False)
    left = Add(corrected, -mean, evaluate=False)
    closed = _linear(state, step)
    trend = Add(_a, Mul(_b, past, evaluate=False), evaluate=False)
    limit = simplify(closed.subs(Pow(decay, step), 0).subs(step * Pow(decay, step), 0))
    lines = (
        Line(
            corrected,
            _over(Sigma(Mul(weights, kept, evaluate=False), limits), total),
            f"{state.id}, unrolled and corrected; E is linear",
            _check_weights(one, state),
        ),
        Line(
            left,
            _over(Sigma(Mul(weights, gap, evaluate=False), limits), total),
            "the weights add up to what they are divided by: the remainder",
            _check_weights(one, state),
        ),
        Line(kept, trend, "a mean that drifts by b at each step, assumption"),
        Line(left, in_order(closed), "put in and summed", _check_linear(one, state, closed)),
        Line(left, in_order(limit), (step, " → ∞: the average lags behind")),
    )
    letter = unicode(hat(state.entry.base)[step])
    title = f"the bias of {letter} of {asked.rule.title} where what is averaged drifts"
    return Derivation(state.id, title, lines)


def _over(above: Expr, below: Expr) -> Expr:
    return Mul(above, Pow(below, -1, evaluate=False), evaluate=False)


def _linear(state: Weighted, step: Expr) -> Expr:
    """Σ_k weight·b(k − t) over the sum of weights, by way of the ages j = t − k."""
    age, ratio = Symbol("j", integer=True, nonnegative=True), Symbol("x", positive=True)
    moments = summation(age * ratio**age, (age, 0, step - 1))
    # the sum's closed form is for a ratio other than 1
    generic = moments.args[-1][0] if moments.is_Piecewise else moments
    weight = canonical(state.average.weight)
    found = -_b * weight * generic.subs(ratio, state.average.decay) / state.total
    return simplify(found)


def _values(state: Weighted) -> dict[Expr, Expr]:
    average = state.average
    letters = average.decay.atoms(Hyperparameter) | average.weight.atoms(Hyperparameter)
    return {**exact_values(letters), _a: Rational(3, 7), _b: Rational(-2, 5)}


def _corrected(state: Weighted, means: list[Expr]) -> list[Expr]:
    """The recurrence and the one for a constant 1 run in fractions, the first over the second."""
    values = _values(state)
    a, b = (canonical(e).xreplace(values) for e in (state.average.decay, state.average.weight))
    found, average, ones = [], S.Zero, S.Zero
    for mean in means:
        average, ones = a * average + b * mean, a * ones + b
        found.append(average / ones)
    return found


def _check_weights(one: StepMap, state: Weighted) -> str:
    source, values = random.Random(20260111), _values(state)
    means = [Rational(source.randint(-40, 40), 9) for _ in range(_STEPS)]
    for last, ran in enumerate(_corrected(state, means), start=1):
        weights = [
            state.weight(Integer(last), Integer(k)).xreplace(values) for k in range(1, last + 1)
        ]
        total = state.total.subs(one.system.step, last).xreplace(values)
        assert sum(weights) == total, "the weights do not add up"
        summed = sum(a * b for a, b in zip(weights, means, strict=False))
        assert summed / total == ran, "unrolled"
    return f"checked t = 1…{_STEPS}, exact"


def _check_linear(one: StepMap, state: Weighted, closed: Expr) -> str:
    values = _values(state)
    means = [values[_a] + values[_b] * k for k in range(1, _STEPS + 1)]
    for last, ran in enumerate(_corrected(state, means), start=1):
        claimed = closed.subs(one.system.step, last).xreplace(values)
        assert ran - means[last - 1] == claimed, f"the remainder at step {last}"
    return f"checked t = 1…{_STEPS}, exact"
