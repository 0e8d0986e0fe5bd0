"""The words in which arrays with several indices are declared: their shapes, and where they start.

The reading of a declared shape and of what lies around an array is in ``outline``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Basic, Expr, Integer, Mul, Pow, S, evaluate, fraction, sympify, together

from symopt.declaration.statements import Shape
from symopt.errors import DeclarationError
from symopt.nodes import Normal
from symopt.notation import Count, Hyperparameter, Sequence
from symopt.printing.unicode import unicode
from symopt.views import canonical


@dataclass(frozen=True)
class Padded:
    """A length with so many zeros before the first place and after the last one."""

    length: Expr
    before: Expr
    after: Expr


def padded(length: Any, before: Any, after: Any = None) -> Padded:
    """An axis of this length with zeros around it, as many ``after`` as ``before`` if not said.

    What is read there is 0; a place of the output that would read beyond is none.
    """
    return Padded(sympify(length), sympify(before), sympify(before if after is None else after))


def shape(letter: Sequence, *lengths: Any) -> Shape:
    """How many places an array has along each axis: ``shape(x, N, J)`` for x ∈ ℝ^(N×J).

    A length is a ``count``, a whole number, or either within ``padded``.

    >>> from symopt.notation import count, given
    >>> shape(given("x"), count("N"), padded(count("T"), 2, 0)).margins
    ((0, 0), (2, 0))

    Raises
    ------
    DeclarationError
        For what is no letter of an array, or no length.
    """
    if not isinstance(letter, Sequence):
        raise DeclarationError(
            f"shape was given {letter}, which is no array; write shape(x, N, J) with the bare "
            "letter that given(…) or learned(…) made"
        )
    axes = [one if isinstance(one, Padded) else padded(one, S.Zero) for one in lengths]
    if not axes:
        raise DeclarationError(f"{unicode(letter)} has a shape without axes; write one or more")
    for one in axes:
        if not is_length(one.length):
            raise DeclarationError(
                f"{unicode(letter)} has an axis of length {_shown(one.length)}; write a count such "
                'as count("N"), a hyperparameter in whole numbers, or a whole number from 1 on'
            )
        for margin in (one.before, one.after):
            if not _whole_from_zero(margin):
                raise DeclarationError(
                    f"{unicode(letter)} has {_shown(margin)} zeros beside an axis; write a whole "
                    "number from 0 on, or a hyperparameter in Naturals0"
                )
    return Shape(
        letter,
        tuple(one.length for one in axes),
        tuple((one.before, one.after) for one in axes),
    )


def _whole_from_zero(margin: Expr) -> bool:
    with evaluate(True):  # an author may be inside a declaration, and A − 1 is to be looked into
        known = canonical(margin)
        return bool(known.is_integer and known.is_nonnegative)


def is_length(expr: Any) -> bool:
    """Whether this can be how far an index runs."""
    whole = isinstance(expr, Integer | Hyperparameter) and expr.is_integer and expr.is_positive
    return bool(isinstance(expr, Count) or whole)


def normal(deviation: Any) -> Normal:
    """Where learned numbers start: drawn from the normal law of mean 0 and this deviation.

    Raises
    ------
    DeclarationError
        For a deviation below 0.
    """
    if sympify(deviation).is_negative:
        raise DeclarationError(
            f"normal was given the deviation {_shown(deviation)}; write one from 0 on"
        )
    above, below = fraction(together(sympify(deviation) ** 2))
    variance = above if below == 1 else Mul(above, Pow(below, -1, evaluate=False), evaluate=False)
    return Normal(0, variance)


def _shown(expr: Any) -> str:
    return unicode(expr) if isinstance(expr, Basic) else repr(expr)
