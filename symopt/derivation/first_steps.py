"""The first steps of a rule as functions of the gradient, and what a small letter does in them."""

from __future__ import annotations

import random
from collections.abc import Iterable

from sympy import Add, Basic, Expr, Float, Integer, Interval, Mul, Rational, S, oo, simplify

from symopt.declaration import FirstSteps
from symopt.derivation.in_order import in_order
from symopt.derivation.samples import exact_values
from symopt.derivation.steps import Derivation, Line, Reason
from symopt.derivation.times import at
from symopt.derivation.trajectory import StepMap, run, step_map
from symopt.derivation.weights import at_step, constant_gradient
from symopt.errors import DerivationError
from symopt.notation import Hyperparameter, hyperparameter
from symopt.printing.unicode import unicode

size = hyperparameter("g", Interval.open(0, oo))
_SHOWN = 2
_DIGITS = 40


def derive_first_steps(asked: FirstSteps) -> tuple[Derivation, ...]:
    """The first steps for any gradients, all of them for a constant one, and what is small in them.

    Raises
    ------
    DerivationError
        If the states of the rule are no averages that start from 0, or it lacks the small letter.
    """
    one = step_map(asked.rule)
    small = asked.small
    if small is not None and small not in one.system.hyperparameters:
        raise DerivationError(
            f"{asked.rule.name} has no letter {unicode(small)}; name one of its own, or none"
        )
    closed = constant_gradient(one, size)
    found = [_any_gradients(one, asked), _constant(one, asked, closed)]
    if small is not None:
        found.append(_limits(one, small, closed))
        found.append(_table(one, asked, closed.subs(small, 0)))
    return tuple(found)


def _change(one: StepMap, number: Expr) -> Expr:
    """θ_{t+1} − θ_t at a step, as written."""
    letter = one.system.parameter.sequence
    if number.is_Integer:
        return Add(letter[number + 1], -letter[number], evaluate=False)
    return Add(at(letter, one.system.step, 1), -letter[number], evaluate=False)


def _any_gradients(one: StepMap, asked: FirstSteps) -> Derivation:
    letter, gradients = one.system.parameter.sequence, one.gradient.base
    start = letter[S.One]
    ran = list(run(one, start, lambda k, _: gradients[Integer(k)], {}, _SHOWN))
    before = start
    lines = []
    for number, (after, *_) in enumerate(ran, start=1):
        change = simplify(after - before)
        reason = "the equations put into each other, from their start"
        check = _check_any(one, number, after)
        lines.append(Line(_change(one, Integer(number)), in_order(change), reason, check))
        before = after
    title = f"the first steps of {asked.rule.title} for any gradients"
    return Derivation(asked.rule.name, title, tuple(lines))


def numbers_of(one: StepMap) -> dict[Basic, Expr]:
    """A fraction for each hyperparameter."""
    return dict(exact_values(one.system.hyperparameters))


def _check_any(one: StepMap, number: int, shown: Expr) -> str:
    """The rule run step by step in numbers, against the expression."""
    source, numbers = random.Random(20260107), numbers_of(one)
    drawn = {k: Rational(source.randint(-30, 30), 7) or S.One for k in range(1, number + 1)}
    *_, (last, *_) = run(one, S.One, lambda k, _: drawn[k], numbers, number)
    letter, gradients = one.system.parameter.sequence, one.gradient.base
    values = {gradients[Integer(k)]: value for k, value in drawn.items()}
    other = shown.xreplace({letter[S.One]: S.One, **values}).xreplace(numbers)
    assert same(last, other), f"step {number} of {one.system.declared.name}"
    return "checked in numbers, to 40 digits"


def same(one: Expr, other: Expr) -> bool:
    """Equality to 40 digits."""
    return bool(abs((one - other).evalf(_DIGITS + 10, chop=True)) < Rational(10) ** -_DIGITS)


def _constant(one: StepMap, asked: FirstSteps, closed: Expr) -> Derivation:
    step = one.system.step
    numbers = {**numbers_of(one), size: Rational(7, 5)}
    before: Expr = S.One
    for k, (after, *_) in enumerate(
        run(one, before, lambda *_: numbers[size], numbers, asked.steps), start=1
    ):
        # a minus before the gradient is a minus before the step
        change = at_step(closed, one, k).xreplace(numbers)
        assert same(after - before, change), f"step {k} of {asked.rule.name}"
        before = after
    check = f"checked t = 1…{asked.steps}, to 40 digits"
    lines = [Line(_change(one, step), in_order(closed), "each state is its weights' sum", check)]
    first = at_step(closed, one, 1)
    if first != closed:
        lines.append(Line(_change(one, S.One), in_order(first), ("at ", step, " = 1")))
    title: Reason = (f"steps of {asked.rule.title} where the gradient is always ", size)
    return Derivation(asked.rule.name, title, tuple(lines), ((size, " > 0"),))


def _limits(one: StepMap, small: Hyperparameter, closed: Expr) -> Derivation:
    """What a step is where the gradient is large beside the small letter, and where it is small."""
    step = one.system.step
    large = simplify(closed.subs(small, 0))
    slope = simplify(simplify(closed / size).subs(size, 0))
    if not slope.is_finite:
        slope = simplify((closed / size).limit(size, 0))
    corner = simplify(large / slope)
    left = _change(one, step)
    per = Mul(left, size**-1, evaluate=False)
    lines = [
        Line(
            left,
            in_order(large),
            (small, " → 0, or ", size, " → ∞: the size of ", size, " is gone"),
        ),
        Line(
            per, in_order(slope), (size, " → 0: proportional to ", size, ", ", small, " sets how")
        ),
        Line(size, in_order(corner), "where the two are equal"),
    ]
    first = at_step(large, one, 1)
    if first != large:
        lines.append(
            Line(
                _change(one, S.One),
                in_order(first),
                ("the first step, ", small, " → 0, or ", size, " → ∞"),
            )
        )
    checks = tuple(_check_limits(one, small, closed, large, slope))
    shown = [Line(a.left, a.right, a.reason, b) for a, b in zip(lines, checks, strict=False)]
    title: Reason = ("what ", small, f" does in the steps of {one.system.declared.title}")
    return Derivation(one.system.declared.name, title, (*shown, *lines[len(shown) :]))


def _check_limits(
    one: StepMap, small: Hyperparameter, closed: Expr, large: Expr, slope: Expr
) -> Iterable[str]:
    """The closed form at gradients that are far larger and far smaller than the small letter."""
    numbers = {k: v for k, v in numbers_of(one).items() if k != small}
    tiny, huge = Rational(1, 10**30), Integer(10) ** 30
    for number in (1, 2, 7):
        values = {**numbers, one.system.step: Integer(number), small: S.One}
        gone = (closed / large).subs({**values, size: huge}).evalf(50)
        kept = (closed / (slope * size)).subs({**values, size: tiny}).evalf(50)
        assert abs(gone - 1) < 1e-20, f"{large} is no limit"
        assert abs(kept - 1) < 1e-20, f"{slope} is no limit"
    yield "checked at g = 10³⁰"
    yield "checked at g = 10⁻³⁰"


def _table(one: StepMap, asked: FirstSteps, closed: Expr) -> Derivation:
    """Step by step in numbers, in units of the letter that the step is proportional to."""
    values = {k: Rational(repr(v)) for k, v in asked.rule.default_values.items()}
    unit = _unit(closed)
    known = {k: v for k, v in values.items() if k != unit}
    assert asked.small is not None  # else there is no table
    free = {k: v for k, v in known.items() if k != asked.small}
    lines, before = [], S.Zero
    ran = run(one, before, lambda *_: size, {**free, asked.small: S.Zero}, asked.steps)
    for number, (after, *_) in enumerate(ran, start=1):
        shown = at_step(closed, one, number).subs(known)
        assert same(
            ((after - before) / unit).subs(size, 1).subs(unit, 1), (shown / unit).subs(unit, 1)
        )
        before = after
        negative = shown.could_extract_minus_sign()
        digits = Float(f"{float(abs((shown / unit).subs(unit, 1))):.4g}")
        term = Mul(digits, unit, evaluate=False)
        right = Mul(S.NegativeOne, term, evaluate=False) if negative else term
        lines.append(Line(_change(one, Integer(number)), right, "rounded", "rule run in fractions"))
    held = [
        part for k, v in free.items() if closed.has(k) for part in (", ", k, f" = {float(v):g}")
    ]
    title: Reason = (
        f"steps of {asked.rule.title} where the gradient is a constant ",
        size,
        ", ",
        asked.small,
        " → 0",
        *held,
    )
    return Derivation(asked.rule.name, title, tuple(lines))


def _unit(closed: Expr) -> Hyperparameter:
    """The letter that a step is proportional to."""
    letters = sorted(closed.atoms(Hyperparameter), key=str)
    return next(one for one in letters if not simplify(closed / one).has(one))
