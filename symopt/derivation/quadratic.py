"""A rule where the gradient is linear, g = λ(θ − θ*): its step is a matrix, and so is each state.

A loss with a constant Hessian falls apart along the Hessian's eigenvectors, and a rule that is
linear in all that it reads treats each of them by itself; λ stands for any of the eigenvalues.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from sympy import (
    Add,
    Basic,
    Expr,
    Function,
    ImmutableMatrix,
    Interval,
    Matrix,
    Mul,
    Poly,
    S,
    Symbol,
    expand,
    oo,
)

from symopt.declaration import UpdateRule
from symopt.derivation.in_order import in_powers, sum_of
from symopt.derivation.samples import exact_values
from symopt.derivation.steps import Derivation, Line
from symopt.derivation.times import at
from symopt.derivation.trajectory import StepMap, run, step_map
from symopt.errors import DerivationError
from symopt.notation import Hyperparameter, hyperparameter, tilde
from symopt.printing.unicode import unicode
from symopt.views import canonical

curvature = hyperparameter("lambda", Interval.open(0, oo))
minimum = hyperparameter("theta_star", latex=r"\theta^*", unicode="θ*")
z = Symbol("z")
polynomial = Function("p")
_STEPS = 8


@dataclass(frozen=True)
class LinearStep:
    """A rule's step on a quadratic: (θ − θ*, states) before it times ``matrix``.

    ``rate`` is the hyperparameter that enters by its product with λ alone, ``other`` the only
    further one, where these exist.
    """

    rule: UpdateRule
    step: StepMap
    matrix: ImmutableMatrix
    rate: Hyperparameter | None
    other: Hyperparameter | None

    @property
    def characteristic(self) -> Expr:
        """det(z − M), its powers of z gathered."""
        size = self.matrix.shape[0]
        return expand((z * Matrix.eye(size) - self.matrix).det())

    @property
    def degree(self) -> int:
        """The number of sequences that the step carries along."""
        return int(self.matrix.shape[0])


def linear_step(rule: UpdateRule) -> LinearStep:
    """The step of a rule on a quadratic, as a matrix.

    >>> from symopt.catalog.lecture.momentum import momentum
    >>> linear_step(momentum).matrix
    Matrix([
    [-alpha*lambda_ + 1, -gamma],
    [     alpha*lambda_,  gamma]])

    Raises
    ------
    DerivationError
        If the step is not linear there, or is another one at each step.
    """
    step = step_map(rule)
    here, *states = step.before
    gradient = curvature * (step.point - minimum)
    moved = [one.xreplace({here: here + minimum}) for one in step.put(gradient)]
    after = [expand(canonical(one)) for one in (moved[0] - minimum, *moved[1:])]
    rows = [[one.diff(old) for old in step.before] for one in after]
    for name, one, row in zip(step.names_after, after, rows, strict=True):
        rest = expand(one - sum(a * b for a, b in zip(row, step.before, strict=True)))
        if rest != 0 or any(part.has(*step.before, minimum) for part in row):
            what = " and ".join(unicode(old) for old in (here, *states))
            raise DerivationError(
                f"{rule.name} has no matrix on a quadratic, for {unicode(name)} is not linear in "
                f"{what} there; ask about a rule whose step is linear in the gradient"
            )
    matrix = ImmutableMatrix(rows)
    if matrix.has(step.system.step):
        raise DerivationError(
            f"{rule.name} has no matrix on a quadratic, for its step depends on the step's number "
            f"{unicode(step.system.step)}; ask about a rule that is the same at every step"
        )
    rate = _rate(matrix)
    others = sorted(matrix.atoms(Hyperparameter) - {curvature, rate}, key=str)
    return LinearStep(rule, step, matrix, rate, others[0] if len(others) == 1 else None)


def _rate(matrix: Matrix) -> Hyperparameter | None:
    """The letter that enters the characteristic polynomial by its product with λ alone."""
    whole = matrix.charpoly(z).as_expr()
    for letter in sorted(matrix.atoms(Hyperparameter) - {curvature}, key=str):
        apart = canonical(expand(whole.subs(letter, letter / curvature)))
        if not apart.has(curvature):
            return letter
    return None


def step_lines(one: LinearStep) -> Derivation:
    """From the rule to its matrix and the characteristic polynomial of that."""
    step = one.step
    here = step.before[0]
    letter = tilde(step.system.parameter.sequence)
    time = step.system.step
    written = step.system.gradient_point[1] if step.system.gradient_point else here
    from_minimum = Add(written, -minimum, evaluate=False)
    shown = (at(letter, time, 1), *step.names_after[1:])
    before = (letter[time], *step.before[1:])
    rows = [sum_of(zip(one.matrix.row(k), before, strict=True)) for k in range(one.degree)]
    title = (f"one step of {one.rule.title} where the gradient is linear",)
    lines = (
        Line(
            step.gradient,
            Mul(curvature, from_minimum, evaluate=False),
            "along an eigenvector of the Hessian",
        ),
        Line(letter[time], Add(here, -minimum, evaluate=False), "how far from the minimum"),
        *(
            Line(left, right, "put in", _check_linear(one))
            for left, right in zip(shown, rows, strict=True)
        ),
        Line(
            polynomial(z),
            in_powers(one.characteristic, z),
            "the characteristic polynomial of the step's matrix",
            _check_polynomial(one),
        ),
    )
    return Derivation(one.rule.name, title, lines)


def deviations(
    one: LinearStep, numbers: Mapping[Basic, Expr], steps: int
) -> list[tuple[Expr, ...]]:
    """θ − θ* and the states, before the first step and after each of some, run by the rule itself.

    θ starts 1 away from its minimum; hyperparameters, λ and θ* have these numbers.
    """
    bend, goal = numbers[curvature], numbers[minimum]
    start = (S.One, *(first.xreplace(dict(numbers)) for first in one.step.start))
    ran = run(one.step, goal + 1, lambda _, place: bend * (place - goal), numbers, steps)
    return [start, *((held[0] - goal, *held[1:]) for held in ran)]


def exact_numbers(one: LinearStep) -> dict[Basic, Expr]:
    """A fraction for each hyperparameter of the rule, λ and θ*."""
    letters = {*one.step.system.hyperparameters, curvature, minimum}
    return dict(exact_values(letters))


def _check_linear(one: LinearStep) -> str:
    numbers = exact_numbers(one)
    ran = deviations(one, numbers, _STEPS)
    matrix = one.matrix.xreplace(numbers)
    for before, after in pairwise(ran):
        assert matrix * Matrix(before) == Matrix(after), f"{one.rule.name} is not its matrix"
    return f"checked t = 1…{_STEPS}, exact"


def _check_polynomial(one: LinearStep) -> str:
    """The deviations obey the recurrence that the polynomial stands for."""
    numbers = exact_numbers(one)
    ran = [held[0] for held in deviations(one, numbers, _STEPS + one.degree)]
    weights = Poly(one.characteristic.xreplace(numbers), z).all_coeffs()[::-1]
    for k in range(_STEPS):
        total = sum(a * b for a, b in zip(weights, ran[k:], strict=False))
        assert total == 0, f"the polynomial of {one.rule.name} fails at step {k}"
    return f"checked t = 1…{_STEPS}, exact"
