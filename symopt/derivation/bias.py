"""Bias correction: what divides an average so that its expectation is that of what it averages.

From v_t = a_t v_{t-1} + b_t u_t with v_0 given, under E[u_k] = E[u], the expectation of v_t is
P_t v_0 + C_t E[u], where P_t = a_1 … a_t and C_t is the response of the same recurrence to the
constant 1 from 0. So v̂_t = (v_t − P_t v_0)/C_t, whatever a and b are.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Expr, Indexed, Integer, Mul, Pow, Product, Rational, S, simplify, solveset

from symopt.declaration import Equation
from symopt.derivation.steps import Derivation, Line, Reason
from symopt.derivation.times import at, entries, step_index
from symopt.errors import DerivationError
from symopt.notation import Expectation, Hyperparameter, Index, Sequence, Sigma, hat, index, sequence
from symopt.printing.unicode import unicode
from symopt.views import Fraction, canonical, factors, signed_terms, substitute

_k = index("k", "bound")


@dataclass(frozen=True)
class Correction:
    """The corrected average as shown and as computed, with the derivation that led there.

    ``computed`` holds the recurrences of scalar states, where the factor has no closed form, and
    ends in the equation of the corrected average; ``initial`` their values before the first step.
    """

    shown: Equation
    computed: tuple[Equation, ...]
    initial: tuple[tuple[Sequence, Expr], ...]
    derivation: Derivation


@dataclass(frozen=True)
class Average:
    """The parts of v_t = a v_{t-1} + b u: ``decay`` a, ``weight`` b and what is ``averaged``, u."""

    decay: Expr
    weight: Expr
    averaged: Expr


def correct(where: str, stated: Equation, start: Expr, step: Index) -> Correction:
    """The bias-corrected form of the sequence that ``stated`` defines.

    Raises
    ------
    DerivationError
        If the recurrence is not linear in its own past, or mixes several averaged terms.
    """
    left = stated.left
    average = average_of(where, stated, step)
    closed = not (average.decay.has(step) or average.weight.has(step))
    if closed:
        _check_never_one(where, left, average.decay)
        kept, response = _closed(average, step)
        return _assemble(where, stated, start, step, average, kept, response, (), ())
    letter = left.base.spelling
    complement = simplify(average.decay + average.weight - 1) == 0
    product = Product(average.decay.subs(step, _k), (_k, 1, step))
    P = sequence("P", python=f"{letter.python}_decay", latex=rf"P^{{{letter.latex}}}")
    C = sequence("C", python=f"{letter.python}_response", latex=rf"C^{{{letter.latex}}}")
    states: list[tuple[Sequence, Equation, Expr]] = []
    if complement or start != 0:
        right = Mul(average.decay, at(P, step, -1), evaluate=False)
        states.append((P, Equation(at(P, step), right), S.One))
    if not complement:
        grown = Mul(average.decay, at(C, step, -1), evaluate=False)
        right = Add(grown, average.weight, evaluate=False)
        states.append((C, Equation(at(C, step), right), S.Zero))
    running = Add(S.One, -at(P, step), evaluate=False) if complement else at(C, step)
    shown = Add(S.One, Mul(-1, product, evaluate=False), evaluate=False) if complement else running
    return _assemble(
        where,
        stated,
        start,
        step,
        average,
        product,
        shown,
        tuple((one, value) for one, _, value in states),
        tuple(one for _, one, _ in states),
        (at(P, step), running),
    )


def _check_never_one(where: str, left: Expr, decay: Expr) -> None:
    """The geometric sum divides by 1 − a; a hyperparameter's range must keep that from zero."""
    for symbol in sorted(decay.atoms(Hyperparameter), key=str):
        if decay != 1 and decay.free_symbols == {symbol}:
            roots = solveset(canonical(decay) - 1, symbol, symbol.domain)
            if roots is not S.EmptySet:
                raise DerivationError(
                    f"debias({unicode(left.base)}) does not apply: {where} sums the powers of "
                    f"{unicode(decay)}, but {unicode(symbol)} may be {unicode(next(iter(roots)))}, "
                    "where the sum's closed form divides by zero; narrow the range of "
                    f"{unicode(symbol)}"
                )


def average_of(where: str, stated: Equation, step: Index) -> Average:
    """The recurrence taken apart; refused, with the reason, where it is no average.

    Raises
    ------
    DerivationError
        If the state does not refer to its past, is not linear in it, or averages several terms.
    """
    left, right = stated.left, stated.right
    name = unicode(left)
    past = [one for one in entries(right) if one.base == left.base]
    if not past:
        raise DerivationError(
            f"debias({unicode(left.base)}) does not apply: {where} does not refer to the past of "
            f"{unicode(left.base)}; write a recurrence such as v_t = β·v_{{t−1}} + (1 − β)·g_t"
        )
    old = past[0]
    whole = canonical(right)
    decay = whole.diff(old) if whole.is_polynomial(old) else old
    if decay.has(old) or entries(decay):
        raise DerivationError(
            f"debias({unicode(left.base)}) does not apply: {where} makes {name} no linear function "
            f"of {unicode(old)} with a coefficient free of the data; leave {name} uncorrected"
        )
    driving = _driving_terms(right, old)
    if len(driving) != 1:
        raise DerivationError(
            f"debias({unicode(left.base)}) does not apply: {where} adds {len(driving)} terms to "
            f"the past of {name}; give what is averaged an equation of its own"
        )
    pieces = Mul.make_args(canonical(driving[0]))
    averaged = [one for one in pieces if entries(one)]
    if not averaged:
        raise DerivationError(
            f"debias({unicode(left.base)}) does not apply: {where} adds "
            f"{unicode(driving[0])}, which depends on no data; leave {name} uncorrected"
        )
    averaged_part = Mul(*averaged)
    weight = simplify(canonical((whole - decay * old) / averaged_part))
    decay = min((decay, simplify(decay)), key=lambda one: one.count_ops())
    return Average(decay, _as_complement(decay, weight), averaged_part)


def _as_complement(decay: Expr, weight: Expr) -> Expr:
    """1 − a in the slide's order, where the weight is that."""
    if simplify(decay + weight - 1) == 0 and isinstance(decay, Hyperparameter):
        return Add(S.One, Mul(-1, decay, evaluate=False), evaluate=False)
    return weight


def _driving_terms(expr: Expr, old: Indexed) -> list[Expr]:
    """The terms that do not hold the old value, looked for wherever it stands in a sum."""
    found: list[Expr] = []
    for _, term in signed_terms(expr):
        if not term.has(old):
            found.append(term)
        elif isinstance(term, Mul):
            inner = [one for one in factors(term) if isinstance(one, Add) and one.has(old)]
            found += [term_ for one in inner for term_ in _driving_terms(one, old)]
            found += _above(term, old)
    return found


def _above(term: Mul, old: Indexed) -> list[Expr]:
    nested = [one for one in factors(term) if isinstance(one, Fraction)]
    above = [part for one in nested for part in one.above if isinstance(part, Add)]
    return [found for part in above if part.has(old) for found in _driving_terms(part, old)]


def _closed(average: Average, step: Index) -> tuple[Expr, Expr]:
    """P_t and C_t for constant coefficients: a^t and the geometric sum."""
    a, b = average.decay, average.weight
    if a == 1:
        return S.One, canonical(b * step)
    power = Pow(a, step, evaluate=False)
    complement = Add(S.One, Mul(-1, power, evaluate=False), evaluate=False)
    if simplify(canonical(a + b) - 1) == 0:
        return power, complement
    above = complement if b == 1 else Mul(b, complement, evaluate=False)
    return power, _quotient(above, Add(S.One, Mul(-1, a, evaluate=False), evaluate=False))


def _quotient(above: Expr, below: Expr) -> Expr:
    return above if below == 1 else Mul(above, Pow(below, -1, evaluate=False), evaluate=False)


def _less_start(left: Expr, kept: Expr, start: Expr) -> Expr:
    if start == 0:
        return left
    gone = kept if start == 1 else start if kept == 1 else Mul(kept, start, evaluate=False)
    return Add(left, Mul(-1, gone, evaluate=False), evaluate=False)


def _assemble(
    where: str,
    stated: Equation,
    start: Expr,
    step: Index,
    average: Average,
    kept: Expr,
    response: Expr,
    initial: tuple[tuple[Sequence, Expr], ...],
    recurrences: tuple[Equation, ...],
    running: tuple[Expr, Expr] | None = None,
) -> Correction:
    left = stated.left
    corrected = hat(left.base)[left.indices]
    shown = Equation(corrected, _quotient(_less_start(left, kept, start), response))
    run_kept, run_response = running or (kept, response)
    final = Equation(corrected, _quotient(_less_start(left, run_kept, start), run_response))
    lines = _lines(where, stated, start, step, average, kept, response, shown)
    derivation = Derivation(
        where,
        f"{unicode(corrected)} from {where}, {unicode(left.base[S.Zero])} = {unicode(start)}",
        lines,
        ((Expectation(average.averaged), " is the same at every step"), *_conditions(average)),
    )
    return Correction(shown, (*recurrences, final), initial, derivation)


def _conditions(average: Average) -> tuple[Reason, ...]:
    a = average.decay
    return () if a.has(Index) or a == 1 else ((a, " ≠ 1"),)


def _lines(
    where: str,
    stated: Equation,
    start: Expr,
    step: Index,
    average: Average,
    kept: Expr,
    response: Expr,
    shown: Equation,
) -> tuple[Line, ...]:
    left, u = stated.left, average.averaged
    u_k = canonical(u).subs(step, _k)
    weights = _weights(average, step)
    expected = Expectation(u)
    before = [] if start == 0 else [kept if start == 1 else Mul(kept, start, evaluate=False)]

    def total(value: Expr) -> Expr:
        body = value if weights == 1 else Mul(weights, value, evaluate=False)
        parts = [*before, Sigma(body, (_k, S.One, step))]
        return parts[0] if len(parts) == 1 else Add(*parts, evaluate=False)

    gathered = expected if response == 1 else Mul(response, expected, evaluate=False)
    reason = "the response of the recurrence to a constant 1"
    if _closed_form(average, step):
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
            (reason, *(part for one in _conditions(average) for part in (", ", *one))),
            _check_response(average, response, step),
        ),
        Line(shown.left, shown.right, ("so that ", Expectation(shown.left), " = ", expected)),
    )


def _closed_form(average: Average, step: Index) -> bool:
    return not (average.decay.has(step) or average.weight.has(step))


def _weights(average: Average, step: Index) -> Expr:
    """What u_k is multiplied by in v_t: b_k a_{k+1} … a_t."""
    a, b = average.decay, average.weight
    if _closed_form(average, step):
        age = Add(step, Mul(-1, _k, evaluate=False), evaluate=False)
        power = Pow(a, age, evaluate=False)
        return b if a == 1 else power if b == 1 else Mul(b, power, evaluate=False)
    j = index("j", "bound")
    return Mul(b.subs(step, _k), Product(a.subs(step, j), (j, _k + 1, step)), evaluate=False)


_STEPS = 8


def _numbers(average: Average) -> dict[Expr, Rational]:
    """An exact value for each hyperparameter, inside its range."""
    used = average.decay.atoms(Hyperparameter) | average.weight.atoms(Hyperparameter)
    symbols = sorted(used, key=str)
    found: dict[Expr, Rational] = {}
    for place, symbol in enumerate(symbols):
        tries = [Rational(3 + place, 7 + 2 * place), Rational(5 + place, 3), Integer(2 + place)]
        found[symbol] = next((x for x in tries if x in symbol.domain), tries[0])
    return found


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
        summed = sum(
            (weights.subs({_k: k, step: last}).doit() * drive[k - 1] for k in range(1, last + 1)),
            S.Zero,
        )
        assert _agree(summed, ran), f"unrolling {average} fails at step {last}"
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
