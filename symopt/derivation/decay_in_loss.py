"""A penalty in the loss beside parameters that shrink by a factor: equal, or a counterexample."""

from __future__ import annotations

from itertools import product

from sympy import Add, Expr, Float, Integer, Mul, Rational, S, simplify

from symopt.declaration import DecayInLoss
from symopt.derivation.first_steps import numbers_of
from symopt.derivation.in_order import in_order, sum_of
from symopt.derivation.penalized import penalized
from symopt.derivation.steps import Derivation, Line
from symopt.derivation.trajectory import StepMap, run, step_map
from symopt.errors import DerivationError
from symopt.notation import hyperparameter

_factor = hyperparameter("c")
_STEPS = 8
_TRIES = (Integer(1), Integer(2), Integer(-1), Integer(3))


def derive_decay_in_loss(asked: DecayInLoss) -> tuple[Derivation, ...]:
    """Which factor makes both the same for every gradient, or two cases that ask for unlike ones.

    Raises
    ------
    DerivationError
        If neither is found.
    """
    plain, owed = step_map(asked.rule), step_map(penalized(asked.rule, asked.penalty))
    here = plain.before[0]
    lost = simplify((plain.after[0] - owed.after[0]) / here)
    states = [simplify(a - b) for a, b in zip(plain.after[1:], owed.after[1:], strict=True)]
    title = f"{asked.penalty.title} in the loss of {asked.rule.title}, and parameters that shrink"
    shrunk = Mul(Add(S.One, -_factor, evaluate=False), here, evaluate=False)
    change = simplify(plain.after[0] - here)
    wanted = Add(shrunk, in_order(change), evaluate=False)
    if not lost.has(*plain.before, plain.gradient) and not any(states):
        lines = (
            Line(owed.names_after[0], _linear(owed), "the penalty in the loss"),
            Line(owed.names_after[0], wanted, "parameters that shrink beside the step"),
            Line(_factor, in_order(lost), "the same for every θ and g", _check(plain, owed, lost)),
        )
        return (Derivation(asked.rule.name, (title, ": the same"), lines),)
    return (_refuted(plain, owed, wanted, title),)


def _linear(owed: StepMap) -> Expr:
    letters = (*owed.before, owed.gradient)
    return sum_of((owed.after[0].expand().coeff(each).factor(), each) for each in letters)


def _check(plain: StepMap, owed: StepMap, lost: Expr) -> str:
    """Both run in fractions with the same gradients."""
    numbers = {**numbers_of(owed), **numbers_of(plain)}
    gradients = [Rational(3 * k - 7, k + 1) for k in range(1, _STEPS + 1)]
    kept, here = 1 - lost.xreplace(numbers), Rational(7, 5)
    ran = run(owed, here, lambda k, _: gradients[k - 1], numbers, _STEPS)
    for number, (after, *_) in enumerate(ran, start=1):
        step = plain.after[0].xreplace(
            {plain.before[0]: S.Zero, plain.gradient: gradients[number - 1]}
        )
        here = kept * here + step.xreplace(numbers)
        assert here == after, f"step {number}"
    return f"checked t = 1…{_STEPS}, exact"


def _factors(plain: StepMap, owed: StepMap, start: Expr, gradients: tuple[Expr, ...]) -> list[Expr]:
    """For each step the factor that parameters would have to shrink by, both run from one start."""
    numbers = {**dict.fromkeys(numbers_of(owed), S.Half), **_defaults(owed)}
    ran = run(owed, start, lambda k, _: gradients[k - 1], numbers, len(gradients))
    free = list(run(plain, S.Zero, lambda k, _: gradients[k - 1], numbers, len(gradients)))
    steps = [b[0] - a for a, b in zip([S.Zero, *(each[0] for each in free)], free, strict=False)]
    found, here = [], start
    for (after, *_), step in zip(ran, steps, strict=True):
        if here == 0:
            break
        found.append((here + step - after) / here)
        here = after
    return found


def _defaults(owed: StepMap) -> dict[Expr, Expr]:
    values = owed.system.declared.default_values
    return {letter: Rational(repr(value)) for letter, value in values.items()}


def _refuted(plain: StepMap, owed: StepMap, wanted: Expr, title: str) -> Derivation:
    """Two starts or two steps, in small whole numbers, that ask for unlike factors."""
    first: tuple[str, Expr] | None = None
    for length in (1, 2):
        for start, *gradients in product(_TRIES, repeat=length + 1):
            found = _factors(plain, owed, start, tuple(gradients))
            if len(found) < length:
                continue
            listed = ", ".join(f"g{'₁₂'[k]} = {g}" for k, g in enumerate(gradients))
            case = (f"θ₁ = {start}, {listed}, step {length}", found[-1])
            first = first or case
            if abs((case[1] - first[1]).evalf(30)) > Rational(1, 10**9):
                lines = [Line(owed.names_after[0], wanted, "what would have to hold, for one c")]
                lines += [
                    Line(_factor, _shown(value), (f"where {where}",))
                    for where, value in (first, case)
                ]
                held = _defaults(owed)
                given = tuple(
                    (letter, f" = {float(held.get(letter, S.Half)):g}")
                    for letter in owed.system.hyperparameters
                )
                ending = ": not the same, as two cases show"
                return Derivation(plain.system.declared.name, (title, ending), tuple(lines), given)
    raise DerivationError(
        f"neither a factor nor a counterexample was found for {plain.system.declared.name}; ask "
        "about another rule"
    )


def _shown(value: Expr) -> Expr:
    return Float(f"{float(value):.6g}")
