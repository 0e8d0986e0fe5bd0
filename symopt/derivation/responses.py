"""What a recurrence leaves of its start, and what it makes of a constant 1."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Expr, Mul, Pow, Product, S

from symopt.declaration import Equation
from symopt.derivation.averages import Average
from symopt.derivation.nonzero import never_zero
from symopt.derivation.times import at
from symopt.errors import DerivationError
from symopt.notation import Hyperparameter, Index, Sequence, index, sequence
from symopt.printing.unicode import unicode
from symopt.views import canonical

summed = index("k", "bound")


@dataclass(frozen=True)
class Response:
    """P_t and C_t of v_t = P_t v_0 + C_t E[u], as they are shown and as they are computed.

    The two differ where there is no closed form: then scalar states with these ``recurrences``
    and ``initial`` values carry them along.
    """

    kept: Expr
    factor: Expr
    running_kept: Expr
    running_factor: Expr
    recurrences: tuple[Equation, ...] = ()
    initial: tuple[tuple[Sequence, Expr], ...] = ()


def response(where: str, left: Expr, average: Average, start: Expr, step: Index) -> Response:
    """In closed form where a and b are constant, else by running products and sums.

    Raises
    ------
    DerivationError
        If the range of a hyperparameter holds a value at which the closed form divides by zero.
    """
    if average.constant(step):
        _check_never_one(where, left, average.decay)
        kept, factor = _closed(average, step)
        return Response(kept, factor, kept, factor)
    return _running(left.base, average, start, step)


def _closed(average: Average, step: Index) -> tuple[Expr, Expr]:
    """P_t and C_t for constant coefficients: a^t and the geometric sum."""
    a, b = average.decay, average.weight
    if a == 1:
        return S.One, canonical(b * step)
    power = Pow(a, step, evaluate=False)
    complement = one_minus(power)
    if average.complementary:
        return power, complement
    above = complement if b == 1 else Mul(b, complement, evaluate=False)
    return power, quotient(above, one_minus(a))


def _running(letter: Sequence, average: Average, start: Expr, step: Index) -> Response:
    """P_t = a_t P_{t-1} and, unless it is 1 − P_t, C_t = a_t C_{t-1} + b_t, as scalar states."""
    a, b = average.decay, average.weight
    spelling = letter.spelling
    product = Product(a.subs(step, summed), (summed, 1, step))
    P = sequence("P", python=f"{spelling.python}_decay", latex=rf"P^{{{spelling.latex}}}")
    C = sequence("C", python=f"{spelling.python}_response", latex=rf"C^{{{spelling.latex}}}")
    product_grows = Equation(at(P, step), Mul(a, at(P, step, -1), evaluate=False))
    if average.complementary:
        return Response(
            kept=product,
            factor=one_minus(product),
            running_kept=at(P, step),
            running_factor=one_minus(at(P, step)),
            recurrences=(product_grows,),
            initial=((P, S.One),),
        )
    grown = Add(Mul(a, at(C, step, -1), evaluate=False), b, evaluate=False)
    response_grows = Equation(at(C, step), grown)
    with_start = start != 0
    return Response(
        kept=product,
        factor=at(C, step),
        running_kept=at(P, step),
        running_factor=at(C, step),
        recurrences=(product_grows, response_grows) if with_start else (response_grows,),
        initial=((P, S.One), (C, S.Zero)) if with_start else ((C, S.Zero),),
    )


def _check_never_one(where: str, left: Expr, decay: Expr) -> None:
    """The geometric sum divides by 1 − a; ranges of hyperparameters must keep that from zero."""
    if decay == 1 or never_zero(1 - canonical(decay)):
        return
    names = " and ".join(unicode(one) for one in sorted(decay.atoms(Hyperparameter), key=str))
    raise DerivationError(
        f"debias({unicode(left.base)}) does not apply: {where} sums the powers of "
        f"{unicode(decay)}, which may be 1, where the sum's closed form divides by zero; narrow "
        f"the range of {names}"
    )


def one_minus(part: Expr) -> Expr:
    """1 − part, in this order."""
    return Add(S.One, Mul(S.NegativeOne, part, evaluate=False), evaluate=False)


def quotient(above: Expr, below: Expr) -> Expr:
    """above/below as a slide writes it."""
    return above if below == 1 else Mul(above, Pow(below, -1, evaluate=False), evaluate=False)
