"""Two rules as one in other letters: a linear change of letters, found and proved by induction.

The gradient must be taken at the same point, and a step of the one must be taken by the change to
the step of the other, whatever the letters and the gradient are: linear equations for the change.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Dummy, Expr, Poly, Rational, S, expand, linsolve

from symopt.declaration import SameTrajectory
from symopt.derivation.first_steps import numbers_of
from symopt.derivation.in_order import sum_of
from symopt.derivation.steps import Derivation, Line
from symopt.derivation.trajectory import StepMap, run, step_map
from symopt.errors import DerivationError
from symopt.nodes import Gradient
from symopt.notation import Hyperparameter, function
from symopt.views import canonical

_STEPS = 6


@dataclass(frozen=True)
class Change:
    """Each letter of the ``second`` rule before a step in terms of the ``first`` rule's."""

    first: StepMap
    second: StepMap
    images: tuple[Expr, ...]

    @property
    def before(self) -> dict[Expr, Expr]:
        """The second rule's letters before a step, and what they are."""
        return dict(zip(self.second.before, self.images, strict=True))


def change_of_letters(one: StepMap, other: StepMap) -> Change:
    """The letters of the other rule as linear functions of those of the first.

    Raises
    ------
    DerivationError
        If there is no linear change, or it does not lead from start to start.
    """
    names = f"{one.system.declared.name} and {other.system.declared.name}"
    if set(one.before) & set(other.before):
        raise DerivationError(
            f"{names} share letters, so no change between them can be written; give one of them "
            "letters of its own"
        )
    unknowns = [[Dummy() for _ in one.before] for _ in other.before]
    images = [sum(a * b for a, b in zip(row, one.before, strict=True)) for row in unknowns]
    put = dict(zip(other.before, images, strict=True)) | {other.gradient: one.gradient}
    after = dict(zip(one.before, one.after, strict=True))
    gaps = [other.point.xreplace(put) - one.point]
    gaps += [
        theirs.xreplace(put) - image.xreplace(after)
        for theirs, image in zip(other.after, images, strict=True)
    ]
    letters = (*one.before, one.gradient)
    try:
        equations = [each for gap in gaps for each in Poly(expand(gap), *letters).coeffs()]
        (solution,) = linsolve(equations, *(each for row in unknowns for each in row))
    except ValueError:
        raise DerivationError(
            f"{names} are not one rule in other letters: no linear change of letters leads from "
            "each step of the one to a step of the other; compare other rules"
        ) from None
    values = dict(zip((each for row in unknowns for each in row), solution, strict=True))
    shown = tuple(canonical(image.xreplace(values)) for image in images)
    starts = dict(zip(one.before[1:], one.start, strict=True))
    began = [image.xreplace(starts) for image in shown[1:]]
    if any(a != b for a, b in zip(began, other.start, strict=True)):
        raise DerivationError(
            f"{names} do not begin alike: the change of letters does not lead from the states "
            "before the first step to those of the other; give them other initial values"
        )
    return Change(one, other, shown)


def derive_same_trajectory(asked: SameTrajectory) -> tuple[Derivation, ...]:
    """The change of letters, that it leads from start to start, and from each step to the next.

    Raises
    ------
    DerivationError
        If no linear change of letters does.
    """
    one, other = step_map(asked.rule), step_map(asked.other)
    found = change_of_letters(one, other)
    check = _check(found)
    second = asked.other
    put = {**found.before, other.gradient: one.gradient}
    first_values = dict(zip(one.before, one.after, strict=True))
    lines = [
        Line(left, _shown(image, one), "the change of letters, found", check)
        for left, image in found.before.items()
    ]
    lines += [
        Line(left.base[S.Zero], value, (f"{asked.rule.name} starts so, and {second.name} too",))
        for left, value in zip(other.before[1:], other.start, strict=True)
    ]
    lines.append(
        Line(
            one.gradient,
            Gradient(function("L")(_shown(one.point, one)), other.before[0].base),
            "both take the gradient here",
        )
    )
    for name, theirs, image in zip(other.names_after, other.after, found.images, strict=True):
        by_second = expand(theirs.xreplace(put))
        by_first = expand(image.xreplace(first_values))
        assert expand(by_second - by_first) == 0, "the change was solved for"
        lines.append(Line(name, _shown(by_second, one), f"by {second.name}, letters changed"))
        lines.append(
            Line(name, _shown(by_first, one), f"by {asked.rule.name}, then changed: the same")
        )
    title = f"{asked.rule.title} and {second.title}: one rule in other letters, by induction on t"
    letters = {each for image in found.images for each in image.atoms(Hyperparameter)}
    constant = tuple(
        (each, " is the same at every step") for each in sorted(letters, key=lambda one: one.name)
    )
    return (Derivation(asked.rule.name, title, tuple(lines), constant),)


def _shown(expr: Expr, one: StepMap) -> Expr:
    """A linear expression in the order of the first rule's letters, the gradient last."""
    letters = (*one.before, one.gradient)
    return sum_of((expand(expr).coeff(each), each) for each in letters)


def _check(found: Change) -> str:
    """Both rules run in fractions on a loss that is no quadratic."""
    numbers = {**numbers_of(found.second), **numbers_of(found.first)}

    def slope(_: int, place: Expr) -> Expr:
        return (place**2 - 2) / (place**2 + 3)

    start = Rational(7, 5)
    states = dict(zip(found.first.before[1:], found.first.start, strict=True))
    first = dict(states) | {found.first.before[0]: start}
    began = [each.xreplace(first).xreplace(numbers) for each in found.images]
    ours = run(found.first, start, slope, numbers, _STEPS)
    theirs = run(found.second, began[0], slope, numbers, _STEPS)
    for held, others in zip(ours, theirs, strict=True):
        now = dict(zip(found.first.before, held, strict=True))
        changed = tuple(each.xreplace(now).xreplace(numbers) for each in found.images)
        assert changed == others, "two runs differ"
    return f"checked t = 1…{_STEPS} on a loss that is no quadratic, exact"
