"""A penalty of one layer: |θ_l| and ‖θ_l‖ of an array of parameters.

|θ_l| is the sum of the components' absolute values and ‖θ_l‖ the root of the sum of their squares.
So a term of the penalty with θ outside a norm is summed over the components, any other is a number;
where there is no norm at all, the whole is summed, numbers in it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sympy import Add, Basic, Indexed, Mul

from symopt.errors import DeclarationError
from symopt.nodes import Norm, Sigma
from symopt.notation import Sequence, sequence
from symopt.verification.arithmetic import Arithmetic
from symopt.verification.meaning import Meaning, meaning
from symopt.verification.place import Place
from symopt.verification.quantity import Format, Quantity, exact, scalar
from symopt.views import occurrences, rewrite

# more digits than the 50 that numbers have, so that nothing is rounded
EXACT = Format("exact", 400, -1074, 1024)


@dataclass(frozen=True)
class Move:
    """One component moved ``by`` a little, at one ``occurrence`` of θ in the penalty or at all."""

    element: int
    occurrence: int | None
    by: Any


class Layer:
    """The penalty of one array with these hyperparameters, in this format."""

    def __init__(
        self, right: Basic, theta: np.ndarray, numbers: Mapping[Basic, float], form: Format
    ) -> None:
        self.ops = Arithmetic(form)
        self.size = theta.size
        self.theta = [exact(float(x)) for x in theta]
        self.numbers = {symbol: scalar(value) for symbol, value in numbers.items()}
        self._letters: list[Sequence] = []
        self._move: Move | None = None
        self._meanings: dict[Basic, Meaning] = {}
        self._right = rewrite(right, self._told_apart)

    @property
    def occurrences(self) -> int:
        """How often θ stands in the penalty."""
        return len(self._letters)

    def total(self, move: Move | None = None) -> Quantity:
        """The penalty, where asked with one component moved."""
        self._move = move
        return self._total(self._right)

    def _told_apart(self, node: Basic) -> Basic | None:
        if not isinstance(node, Indexed):
            return None
        letter = sequence(f"judge_{len(self._letters)}")
        self._letters.append(letter)
        return letter[node.indices]

    def _total(self, expr: Basic) -> Quantity:
        if isinstance(expr, Sigma) and expr.index.counts == "layer":
            return self._total(expr.body)
        if isinstance(expr, Add) and expr.has(Norm):
            return self.ops.add([self._total(part) for part in expr.args])
        if not occurrences(expr, Indexed):
            return self._at(expr, 0)
        if isinstance(expr, Mul):
            parts = [self._at(part, 0) for part in expr.args if not occurrences(part, Indexed)]
            inner = [part for part in expr.args if occurrences(part, Indexed)]
            if len(inner) == 1:
                return self.ops.multiply([*parts, self._total(inner[0])])
        if not _outside_norms(expr):
            return self._at(expr, 0)
        return self.ops.add([self._at(expr, element) for element in range(self.size)])

    def _at(self, expr: Basic, element: int) -> Quantity:
        if expr not in self._meanings:
            self._meanings[expr] = meaning(expr)
        return self._meanings[expr](Place(self, 1, {}, element))

    def value(self, letter: Sequence, time: int | None, place: Place) -> Quantity:
        """One component of θ at one occurrence; a layer has no time."""
        if letter not in self._letters or time is not None:
            raise DeclarationError(f"a penalty reads {letter}; it knows the parameters alone")
        found, move = self.theta[place.element], self._move
        if move is None or move.element != place.element:
            return found
        if move.occurrence is not None and self._letters[move.occurrence] != letter:
            return found
        moved = found.value + move.by
        return Quantity(moved, float(abs(moved)), 0.0)

    def gradient(self, place: Place) -> Quantity:
        """Refused: a penalty has none."""
        raise DeclarationError(f"a penalty reads a gradient, of component {place.element}")

    def number(self, symbol: Basic) -> Quantity:
        """A hyperparameter of the penalty itself."""
        return self.numbers[symbol]

    def range(self, sigma: Sigma, place: Place) -> range:
        """Refused: only the sum over layers has a meaning."""
        raise DeclarationError(f"a penalty sums over {sigma.index}, at {place.element}")


def _outside_norms(expr: Basic) -> bool:
    """Whether the parameters stand outside every norm."""
    if isinstance(expr, Norm):
        return False
    return isinstance(expr, Indexed) or any(map(_outside_norms, expr.args))
