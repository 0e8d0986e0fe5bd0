"""The proximal step of a penalty, from its definition: prox_κR(u) = argmin_z (½(z − u)² + κ r(z)).

r is the penalty of one component. Where it is a polynomial c + b z + a z² between kinks, the
derivative z − u + κ(b + 2a z) has one root, (u − κb)/(1 + 2κa), which grows with u: it lies between
two kinks as long as u lies between what they are the root for. At a kink the derivative jumps; it
is the minimum for all u that take 0 into the jump. If slopes never fall these cases meet end to
end, and the minimum is one.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Expr, Float, Lt, Mul, Piecewise, Pow, Rational, S, Symbol

from symopt.derivation.brute_force import check_minima
from symopt.derivation.components import component_as_written
from symopt.derivation.letters import unused
from symopt.derivation.penalty import Penalty, by_component
from symopt.derivation.pieces import Pieces, pieces
from symopt.derivation.proximal_cases import (
    Case,
    by_size,
    check_convex,
    is_even,
    minima,
    together,
    within,
)
from symopt.derivation.readable import readable
from symopt.derivation.steps import Derivation, Line, Reason
from symopt.errors import DerivationError
from symopt.nodes import Argmin, Gradient, Proximal
from symopt.notation import Hyperparameter, function
from symopt.printing.unicode import unicode
from symopt.symbols import kappa

_r = function("r")


@dataclass(frozen=True)
class ProximalStep:
    """The closed form ``value`` of prox_κR(``at``) for one component, and how it was derived."""

    penalty: Penalty
    at: Symbol
    value: Expr
    derivation: Derivation


def derive_proximal(penalty: Penalty) -> ProximalStep:
    """The proximal step of a convex penalty that is of the second degree between its kinks.

    >>> from symopt.catalog.lecture.l1 import l1
    >>> from symopt.derivation.penalty import derive_penalty
    >>> print(unicode(derive_proximal(derive_penalty(l1)).value))
    sign(u)·max(0, |u| − κ)

    Raises
    ------
    DerivationError
        If components do not separate or the penalty is not of that form, with the reason.
    """
    plain, _ = by_component(penalty)
    named = (*plain.atoms(Hyperparameter), penalty.entry.base)
    letters = frozenset(one.spelling.python for one in named)
    if kappa.spelling.python in letters:
        raise DerivationError(
            f"{penalty.id} has no proximal step, for it has a letter {unicode(kappa)} of its own, "
            "which is to be the weight of the step; give its own another name, in Python too"
        )
    u, z = (Symbol(unused(word, letters), real=True) for word in "uz")
    # a decimal is the fraction that its author typed
    decimals = {one: Rational(repr(float(one))) for one in plain.atoms(Float)}
    r = plain.xreplace({**decimals, penalty.entry: z})
    try:
        taken = pieces(r, z)
        check_convex(taken, z)
    except DerivationError as error:
        raise DerivationError(f"{penalty.id} has no proximal step, for {error}") from None
    cases = minima(taken, u, z)
    forms: list[tuple[Expr, Reason]] = [(together(cases, u), "the cases together")]
    if len(cases) > 1 and is_even(taken, z):
        mirrored = _r(Mul(S.NegativeOne, z, evaluate=False))
        forms.append((by_size(cases, u, z), (mirrored, " = ", _r(z))))
    ends = [(one.low, one.high) for one in cases]
    check = check_minima(r, z, u, ends, [form for form, _ in forms])
    step = Proximal(kappa, penalty.regularizer.equations[0][1].left, u)
    lines = (
        *_definition(penalty, taken, step, u, z),
        *(Line(step, one.value, _reason(one, u, z), check) for one in cases),
        *(Line(step, form, reason, check) for form, reason in forms[len(cases) == 1 :]),
    )
    derivation = Derivation(penalty.id, (step, f" from {penalty.id}"), lines)
    return ProximalStep(penalty, u, forms[-1][0], derivation)


def proximal_if_any(penalty: Penalty) -> ProximalStep | str:
    """The proximal step, or why there is none."""
    try:
        return derive_proximal(penalty)
    except DerivationError as error:
        return str(error)


def _definition(
    penalty: Penalty, taken: Pieces, step: Expr, u: Symbol, z: Symbol
) -> tuple[Line, ...]:
    """What is made small, and why there is one minimum."""
    apart = Add(z, Mul(S.NegativeOne, u, evaluate=False), evaluate=False)
    written = component_as_written(penalty.term, penalty.entry, z)
    half = Mul(S.Half, Pow(apart, 2, evaluate=False), evaluate=False)
    whole = Add(half, Mul(kappa, _r(z), evaluate=False), evaluate=False)
    *others, last = [(readable(part.diff(z), {}), high) for _, part, high in taken.intervals]
    pairs = [(slope, Lt(z, high, evaluate=False)) for slope, high in others]
    slope = Piecewise(*pairs, (last[0], True), evaluate=False) if pairs else last[0]
    return (
        Line(
            _r(z),
            written,
            (penalty.id, ", of one component"),
        ),
        Line(step, Argmin(whole, z), "by definition, for one component"),
        Line(Gradient(_r(z), z), slope, "it never falls: r is convex, and there is one minimum"),
    )


def _reason(case: Case, u: Symbol, z: Symbol) -> Reason:
    """Why the minimum is there, and for which u."""
    if case.part is None:
        left, right = case.derivative
        jump = ("at the kink, where the derivative jumps from ", left, " to ", right)
        return (*jump, ": past 0 if ", *_both(within(u, case.low, case.high, closed=True)))
    root = ("0 = ", *case.derivative)
    inside = _both(within(z, *case.between))
    if not inside:
        return root
    return (*root, " where ", *inside, ", so if ", *_both(within(u, case.low, case.high)))


def _both(conditions: tuple[Expr, ...]) -> tuple[str | Expr, ...]:
    """Conditions as parts of a sentence."""
    return tuple(part for one in conditions for part in (" and ", one))[1:]
