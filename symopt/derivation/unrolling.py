"""The lines of a bias correction: unrolled, in expectation, solved; each checked as it is made."""

from __future__ import annotations

from sympy import Add, Expr, Indexed, Mul, Pow, Product, Rational, S

from symopt.declaration import Equation
from symopt.derivation.averages import Average
from symopt.derivation.responses import Response, summed
from symopt.derivation.samples import exact_values
from symopt.derivation.steps import Line, Reason
from symopt.derivation.times import step_index
from symopt.nodes import Expectation, Sigma
from symopt.notation import Hyperparameter, Index, index
from symopt.views import canonical

# steps for which a line is compared with the recurrence itself
_STEPS = 8


def conditions(average: Average) -> tuple[Reason, ...]:
    """What a geometric sum assumes of its ratio."""
    a = average.decay
    if a.has(Index) or a == 1:
        return ()
    rest = canonical(1 - a)
    return ((rest, " ≠ 0"),) if rest.is_Symbol else ((a, " ≠ 1"),)


def lines(
    where: str,
    stated: Equation,
    start: Expr,
    step: Index,
    average: Average,
    response: Response,
    shown: Equation,
) -> tuple[Line, ...]:
    """From the recurrence to the corrected average, a reason a line."""
    left, u, kept = stated.left, average.averaged, response.kept
    u_k = canonical(u).subs(step, summed)
    weights = _weights(average, step)
    expected = Expectation(u)
    before = [] if start == 0 else [kept if start == 1 else Mul(kept, start, evaluate=False)]

    def total(value: Expr) -> Expr:
        body = value if weights == 1 else Mul(weights, value, evaluate=False)
        parts = [*before, Sigma(body, (summed, S.One, step))]
        return parts[0] if len(parts) == 1 else Add(*parts, evaluate=False)

    factor = response.factor
    gathered = expected if factor == 1 else Mul(factor, expected, evaluate=False)
    reason = "the response of the recurrence to a constant 1"
    if average.constant(step):
        reason = "t equal terms" if average.decay == 1 else "geometric sum"
    return (
        Line(left, stated.right, where),
        Line(left, total(u_k), "unrolled", _check_unrolled(average, step)),
        Line(
            Expectation(left),
            total(expected),
            (Expectation(u_k), " = ", expected, ", assumption"),
        ),
        Line(
            Expectation(left),
            gathered if not before else Add(*before, gathered, evaluate=False),
            (reason, *(part for one in conditions(average) for part in (", ", *one))),
            _check_response(average, factor, step),
        ),
        Line(shown.left, shown.right, ("so that ", Expectation(shown.left), " = ", expected)),
    )


def _weights(average: Average, step: Index) -> Expr:
    """What usummed is multiplied by in v_t: bsummed a_{k+1} … a_t."""
    a, b = average.decay, average.weight
    if average.constant(step):
        age = Add(step, Mul(-1, summed, evaluate=False), evaluate=False)
        power = Pow(a, age, evaluate=False)
        return b if a == 1 else power if b == 1 else Mul(b, power, evaluate=False)
    j = index("j", "bound")
    return Mul(
        b.subs(step, summed), Product(a.subs(step, j), (j, summed + 1, step)), evaluate=False
    )


def _numbers(average: Average) -> dict[Expr, Rational]:
    """An exact value for each hyperparameter, inside its range."""
    return exact_values(average.decay.atoms(Hyperparameter) | average.weight.atoms(Hyperparameter))


def _run(average: Average, step: Index, drive: list[Rational]) -> list[Expr]:
    """The recurrence run from 0 in exact fractions."""
    values = _numbers(average)
    a, b = (canonical(one).subs(values) for one in (average.decay, average.weight))
    state: Expr = S.Zero
    found = []
    for k, u in enumerate(drive, start=1):
        state = a.subs(step, k) * state + b.subs(step, k) * u
        found.append(state)
    return found


def _check_unrolled(average: Average, step: Index) -> str:
    drive = [Rational(2 * k + 1, k * k + 1) for k in range(1, _STEPS + 1)]
    weights = canonical(_weights(average, step)).subs(_numbers(average))
    for last, ran in enumerate(_run(average, step, drive), start=1):
        total = sum(
            (
                weights.subs({summed: k, step: last}).doit() * drive[k - 1]
                for k in range(1, last + 1)
            ),
            S.Zero,
        )
        assert _agree(total, ran), f"unrolling {average} fails at step {last}"
    return f"checked t = 1…{_STEPS}, {_how(average)}"


def _check_response(average: Average, response: Expr, step: Index) -> str:
    if any(isinstance(one, Indexed) for one in response.atoms(Indexed)):
        return ""
    closed = canonical(response).subs(_numbers(average))
    for last, ran in enumerate(_run(average, step, [S.One] * _STEPS), start=1):
        assert _agree(closed.subs(step, last).doit(), ran), f"response of {average} at {last}"
    return f"checked t = 1…{_STEPS}, {_how(average)}"


def _agree(one: Expr, other: Expr) -> bool:
    """Equality: exact for fractions, else to 40 of 50 digits."""
    gap = one - other
    return bool(gap == 0 or (not gap.is_Rational and abs(gap.evalf(50, chop=True)) < 10**-40))


def _how(average: Average) -> str:
    """Whether the checks ran in fractions, or roots made them run in digits."""
    step = step_index(average.decay, average.weight)
    parts = [canonical(one).subs(_numbers(average)) for one in (average.decay, average.weight)]
    exact = all(one.subs(step, k).is_Rational for one in parts for k in range(1, _STEPS + 1))
    return "exact" if exact else "to 40 digits"
