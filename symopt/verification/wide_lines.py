"""A layer's equations with one plain letter for all elements, and each sum a letter of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from sympy import Basic, Expr, Indexed

from symopt.declaration import Equation
from symopt.nodes import Expectation, Gradient, Largest, Norm, Sigma
from symopt.notation import Index, Sequence, Statistic, statistic
from symopt.verification.unrolled import is_running, left_letter
from symopt.views import rewrite

POSITION = statistic("judge_position")
EACH, GROUP, SUM, LARGEST = "each", "group", "sum", "largest"


class Entangled(Exception):
    """A sum in an equation reads two elements at once, so no array has its terms."""


@dataclass(frozen=True)
class WideLine:
    """``letter = right`` for each element or for the group, or what is summed or compared in it.

    ``shown`` is the letter of the declaration, if it is one; a running average has a ``past``.
    """

    letter: Statistic
    kind: str
    right: Expr
    shown: Basic | None = None
    past: Statistic | None = None


@cache
def each(letter: Sequence) -> Statistic:
    """The plain letter for all of a letter's values."""
    return statistic(f"{letter.spelling.python.strip('_')}_at_each")


def plain(letter: Basic) -> Basic:
    """The letter that stands for all values of a letter, or for one of each group."""
    return each(letter) if isinstance(letter, Sequence) else letter


def wide_lines(equations: Iterable[tuple[str, Equation]]) -> tuple[WideLine, ...]:
    """All lines, in the order in which they can be evaluated.

    Raises
    ------
    Entangled
        If a sum's terms depend on another index besides the sum's own.
    """
    made = _Lines()
    for _, one in equations:
        made.equation(one)
    return tuple(made.found)


class _Lines:
    """The lines so far; what follows a running average reads its new value."""

    def __init__(self) -> None:
        self.found: list[WideLine] = []
        self.renewed: dict[Basic, Basic] = {}

    def equation(self, one: Equation) -> None:
        shown = left_letter(one)
        if isinstance(one.left, Indexed):
            (index,) = one.left.indices
            right = self._plain(one.right, index)
            self.found.append(WideLine(each(shown), EACH, right, shown))
            return
        right = self._plain(one.right, None)
        if is_running(one):
            new = statistic(f"{shown.spelling.python.strip('_')}_new")
            self.found.append(WideLine(new, GROUP, right, shown, shown))
            self.renewed[shown] = new
        else:
            self.found.append(WideLine(shown, GROUP, right, shown))

    def _plain(self, expr: Basic, index: Index | None) -> Expr:
        def change(node: Basic) -> Basic | None:
            if isinstance(node, Sigma | Largest):
                inner = self._plain(node.body, node.index)
                kind = SUM if isinstance(node, Sigma) else LARGEST
                letter = statistic(f"judge_{kind}_{len(self.found)}")
                self.found.append(WideLine(letter, kind, inner))
                return letter
            if isinstance(node, Indexed | Index):
                own = node.indices[0] if isinstance(node, Indexed) else node
                if own != index:
                    raise Entangled
                return each(node.base) if isinstance(node, Indexed) else POSITION
            if isinstance(node, Norm | Gradient | Expectation):
                raise Entangled
            return self.renewed.get(node)

        return rewrite(expr, change)
