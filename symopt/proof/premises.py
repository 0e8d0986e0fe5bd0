"""What a line takes for granted, as far as its reason says so in formulas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from sympy import Expr, Indexed, Integer, Rational, Symbol, sympify
from sympy.core.relational import Relational

from symopt.derivation.steps import Line, Reason
from symopt.notation import Index

_GOES = (" → 0", " → ∞")
# what goes to 0 or beyond all bounds is that small or large; squares and roots of it stay apart
_FAR = Integer(10) ** 90


@dataclass(frozen=True)
class Premises:
    """``values`` that letters have, ``conditions`` that hold, ``limits``: letters that go to one.

    A number that goes to 0 is a very small one, one without bounds a very large one.
    """

    values: Mapping[Expr, Expr]
    conditions: tuple[Relational, ...] = ()
    limits: tuple[Expr, ...] = ()


def premises(line: Line, title: Reason = "") -> Premises:
    """Those of a line, under a title that may have some: α = 0.1, "if u < κ", ε → 0.

    >>> from sympy.abc import a, u
    >>> premises(Line(u, a, ("if ", u < 1, ", ", a, " = 0.5, half of it"))).conditions
    (u < 1,)
    """
    pieces: list[str | Expr] = []
    for reason in (title, line.reason, *line.where):
        pieces += (*_pieces(reason), "")
    limits = {
        one: _FAR if after.startswith(" → ∞") else 1 / _FAR
        for one, after in pairwise(pieces)
        if isinstance(one, Symbol) and isinstance(after, str) and after.startswith(_GOES)
    }
    near = {one: value for one, value in limits.items() if not isinstance(one, Index)}
    return Premises({**near, **dict(_values(pieces))}, tuple(_conditions(pieces)), tuple(limits))


def _pieces(reason: Reason) -> tuple[str | Expr, ...]:
    return (reason,) if isinstance(reason, str) else reason


def _values(pieces: list[str | Expr]) -> Iterator[tuple[Expr, Expr]]:
    for one, after, value in zip(pieces, pieces[1:], [*pieces[2:], ""], strict=False):
        if not isinstance(one, Symbol | Indexed) or not isinstance(after, str):
            continue
        if after == " = " and not isinstance(value, str):
            yield one, _exact(sympify(value))
        elif after.startswith(" = "):
            number = _number(after[3:])
            if number is not None:
                yield one, number


def _exact(value: Expr) -> Expr:
    return Rational(str(value)) if value.is_Float else value


def _number(text: str) -> Expr | None:
    word = text.replace(",", " ").replace(":", " ").split(" ")[0]
    try:
        return Rational(str(Decimal(word)))
    except InvalidOperation:
        return None


def _conditions(pieces: list[str | Expr]) -> Iterator[Relational]:
    """Relations behind an "if", and those that are joined to them by "and"."""
    under = False
    for one in pieces:
        if isinstance(one, str):
            under = one.endswith("if ") or (under and one == " and ")
        elif under and isinstance(one, Relational):
            yield one
