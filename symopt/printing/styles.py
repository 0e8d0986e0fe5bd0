"""House styles: how indices, definitions and derivatives look, as values that a printer takes."""

from __future__ import annotations

from dataclasses import dataclass

LEIBNIZ = r"\frac{{d{loss}}}{{d{variable}}}"
PARTIAL = r"\frac{{\partial {loss}}}{{\partial {variable}}}"
NABLA = r"\nabla_{{{variable}}} {loss}"

SUBSCRIPT = "{letter}_{indices}"
SUPERSCRIPT = "{letter}^{{({indices})}}"


@dataclass(frozen=True)
class Style:
    r"""What a printer leaves to taste; the default is the lecture's own.

    ``derivative`` and ``index`` are layouts with the places ``{loss}``, ``{variable}`` and
    ``{letter}``, ``{indices}``; ``definition`` and ``relation`` are the signs ``:=`` and ``=``.

    >>> PAPER.definition
    '='
    """

    definition: str = ":="
    relation: str = "="
    derivative: str = LEIBNIZ
    index: str = SUBSCRIPT

    @property
    def index_is_exponent(self) -> bool:
        """Whether a power of an indexed letter needs brackets."""
        return "^" in self.index


LECTURE = Style()
PAPER = Style(definition="=", derivative=NABLA)
BOOK = Style(derivative=PARTIAL, index=SUPERSCRIPT)

STYLES = {"lecture": LECTURE, "paper": PAPER, "book": BOOK}
