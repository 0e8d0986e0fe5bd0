"""Statements in one line each, in whichever rendering the printer gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sympy import Basic, Expr, S

from symopt.declaration.statements import (
    Aside,
    Ask,
    Content,
    Debias,
    Default,
    Drawn,
    Equation,
    Holds,
    Inference,
    Initial,
    Minimize,
    Shape,
    SideBySide,
    Slip,
    Unbias,
    Value,
)
from symopt.notation import Statistic, hat
from symopt.symbols import t


class Printer(Protocol):
    """What a rendering of formulas offers."""

    def doprint(self, expr: Basic) -> str:
        """An expression."""

    def equation(self, left: Basic, right: Basic, definition: bool = False) -> str:
        """An equation or a definition."""

    def chain(self, parts: Sequence[Basic]) -> str:
        """Several equal things."""

    def minimum(self, expr: Basic, variable: Basic) -> str:
        """An objective."""

    def side_by_side(self, formulas: Sequence[str]) -> str:
        """Several formulas on one line."""

    def number(self, value: float) -> str:
        """A default."""

    def drawn(self, letter: Basic, distribution: Basic) -> str:
        """What a random letter is drawn from."""

    def asked(self, letter: Basic, condition: str) -> str:
        """A number that is still to be derived, and what is asked of it."""

    def request(self, name: str, left: Basic, about: Basic) -> str:
        """A quantity that is still to be derived."""

    def shape(self, letter: Basic, lengths: Sequence[Basic], more: Sequence[str | Expr]) -> str:
        """An array with the lengths of its axes, and what is to be said of them in words."""

    def sentence(self, parts: Sequence[str | Expr]) -> str:
        """Words with formulas among them."""


def display(content: Content, printer: Printer) -> str:
    """The statement as the printer writes it; a misprint as the slide has it."""
    match content:
        case Equation(left, right, definition):
            return printer.equation(left, right, definition)
        case Initial(value, sequences):
            return printer.chain([*(one[S.Zero] for one in sequences), value])
        case Default(parameter, value):
            return f"{printer.doprint(parameter)} = {printer.number(value)}"
        case Debias(sequences):
            requests = [
                printer.request("debias", hat(one), one)
                if isinstance(one, Statistic)
                else printer.request("debias", hat(one)[t], one[t])
                for one in sequences
            ]
            return printer.side_by_side(requests)
        case SideBySide(equations):
            return printer.side_by_side([display(one, printer) for one in equations])
        case Minimize(expr, variable):
            return printer.minimum(expr, variable)
        case Drawn(letter, distribution):
            return printer.drawn(letter, distribution)
        case Unbias(letter, shown):
            return printer.asked(letter, display(shown, printer))
        case Value(Equation(_, right)):
            return printer.doprint(right)
        case Ask():
            return printer.sentence(content.sentence)
        case Shape(letter, lengths, margins):
            return printer.shape(letter, lengths, around(lengths, margins))
        case Aside(shown) | Inference(shown) | Holds(shown) | Slip(shown):
            return display(shown, printer)


def around(lengths: Sequence[Expr], margins: Sequence[tuple[Expr, Expr]]) -> tuple[str | Expr, ...]:
    """What stands around an array, in words: `` with r zeros on either side of H and L``."""
    axes: dict[tuple[Expr, Expr], list[Expr]] = {}
    for length, margin in zip(lengths, margins, strict=True):
        if margin != (0, 0):
            axes.setdefault(margin, []).append(length)
    found: list[str | Expr] = []
    for (before, after), beside in axes.items():
        found.append(" and " if found else " with ")
        found += _zeros(before, after)
        found += [part for one in beside for part in (one, " and ")][:-1]
    return tuple(found)


def _zeros(before: Expr, after: Expr) -> list[str | Expr]:
    if before == after:
        return [before, " zeros on either side of "]
    if before != 0 and after != 0:
        return [before, " zeros before and ", after, " after "]
    return [before, " zeros before "] if after == 0 else [after, " zeros after "]
