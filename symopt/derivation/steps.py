"""A derivation as a value: lines, each with the reason for it and what it was checked by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sympy import Expr

from symopt.printing.latex import SlidePrinter
from symopt.printing.latex_text import text
from symopt.printing.styles import LECTURE, Style
from symopt.printing.unicode import UnicodePrinter

Reason = str | tuple[str | Expr, ...]


@dataclass(frozen=True)
class Line:
    """``left = right`` and the reason for it; ``check`` says how the line was tested, if it was.

    ``of`` is what the reason was applied to, where that is not the line before; ``where`` are the
    conditions under which the line holds. A ``detail`` is left out of a short derivation.
    """

    left: Expr
    right: Expr
    reason: Reason
    check: Reason = ""
    of: Reason = ""
    where: tuple[Reason, ...] = ()
    detail: bool = False

    @property
    def because(self) -> Reason:
        """The reason, what it was applied to, and the conditions of the line."""
        parts = [_tuple(self.reason)]
        if self.of:
            parts.append((" in ", *_tuple(self.of)))
        for k, one in enumerate(self.where):
            parts.append((" and " if k else ", where ", *_tuple(one)))
        joined = tuple(piece for part in parts for piece in part)
        return joined[0] if len(joined) == 1 and isinstance(joined[0], str) else joined


@dataclass(frozen=True)
class Derivation:
    """The lines that lead from a declared equation to what follows from it."""

    id: str
    title: Reason
    lines: tuple[Line, ...]
    assumptions: tuple[Reason, ...] = ()

    def rows(self) -> tuple[tuple[str, str, str], ...]:
        """Formula, reason and check of each line, in Unicode."""
        printer = UnicodePrinter()
        return tuple(
            (printer.equation(line.left, line.right), in_words(line.because), in_words(line.check))
            for line in self.lines
        )

    def short(self) -> Derivation:
        """The lines of the proof's ideas, without those of single rules."""
        return replace(self, lines=tuple(line for line in self.lines if not line.detail))

    def markdown(self) -> str:
        """Title, a table of formulas with reasons and checks, assumptions."""
        printer = SlidePrinter()
        # a bar within a cell would end it
        rows = [
            " | ".join(
                cell.replace("|", r"\|")
                for cell in (
                    f"${printer.equation(line.left, line.right)}$",
                    in_words(line.because),
                    in_words(line.check),
                )
            )
            for line in self.lines
        ]
        table = ["| line | reason | check |", "|---|---|---|", *(f"| {row} |" for row in rows)]
        assuming = ["", f"Assuming {', '.join(map(in_words, self.assumptions))}."]
        return "\n".join(
            [f"**{in_words(self.title)}**", "", *table, *(assuming if self.assumptions else [])]
        )

    def latex(self, style: Style = LECTURE) -> str:
        """Title, an ``align*`` block with reasons and checks, assumptions; needs amsmath only."""
        printer = SlidePrinter(style)
        beside = r"\parbox{{0.3\linewidth}}{{\raggedright\footnotesize {reason}}}"
        parts = [rf"\noindent {_in_text(self.title, printer)}:", self._aligned(printer, beside)]
        if self.assumptions:
            assumed = ", ".join(_in_text(one, printer) for one in self.assumptions)
            parts.append(rf"\noindent assuming {assumed}.")
        return "\n".join(parts)

    def _aligned(self, printer: SlidePrinter, beside: str) -> str:
        """The lines, each reason in the layout ``beside``."""
        rows = [
            rf"{printer.doprint(line.left)} &{printer.style.relation} {printer.doprint(line.right)}"
            rf" && {beside.format(reason=_reason(line, printer))}"
            for line in self.lines
        ]
        joined = " \\\\\n".join(rows)
        return f"\\begin{{align*}}\n{joined}\n\\end{{align*}}"

    def json(self) -> dict[str, Any]:
        """The derivation for machines."""
        printer = SlidePrinter()
        return {
            "id": self.id,
            "title": in_words(self.title),
            "assumptions": [in_words(one) for one in self.assumptions],
            "lines": [
                {
                    "unicode": UnicodePrinter().equation(line.left, line.right),
                    "latex": printer.equation(line.left, line.right),
                    "reason": in_words(line.reason),
                    "check": in_words(line.check),
                    "of": in_words(line.of),
                    "where": [in_words(one) for one in line.where],
                    "detail": line.detail,
                }
                for line in self.lines
            ],
        }

    def __str__(self) -> str:
        rows = [
            f"  {formula}    {reason}" + (f"  ({check})" if check else "")
            for formula, reason, check in self.rows()
        ]
        assuming = [f"  assuming {in_words(one)}" for one in self.assumptions]
        return "\n".join([in_words(self.title), *rows, *assuming])

    def _repr_latex_(self) -> str:
        # notebooks know text, but no boxes
        return self._aligned(SlidePrinter(), r"\text{{{reason}}}")


def _tuple(reason: Reason) -> tuple[str | Expr, ...]:
    return (reason,) if isinstance(reason, str) else reason


def _reason(line: Line, printer: SlidePrinter) -> str:
    check = f" ({_in_text(line.check, printer)})" if line.check else ""
    return _in_text(line.because, printer) + check


def in_words(reason: Reason) -> str:
    """A reason in Unicode, the formulas in it printed."""
    parts = (reason,) if isinstance(reason, str) else reason
    printer = UnicodePrinter()
    return "".join(one if isinstance(one, str) else printer.doprint(one) for one in parts)


def _in_text(reason: Reason, printer: SlidePrinter) -> str:
    """A reason as the body of LaTeX's text command."""
    parts = (reason,) if isinstance(reason, str) else reason
    return "".join(
        text(one) if isinstance(one, str) else f"${printer.doprint(one)}$" for one in parts
    )
