"""Where the plain letters of one group have their values."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Basic

from symopt.errors import DeclarationError
from symopt.nodes import Sigma
from symopt.notation import Sequence
from symopt.verification.arithmetic import Arithmetic
from symopt.verification.meaning import Meaning, meaning
from symopt.verification.place import Place
from symopt.verification.quantity import Quantity
from symopt.verification.unrolled import Line, Unrolled

Quantities = dict[Basic, Quantity]


class Letters:
    """The values of plain letters and hyperparameters; there are no others in a group."""

    size = 1

    def __init__(self, ops: Arithmetic, known: Mapping[Basic, Quantity]) -> None:
        self.ops = ops
        self.known = dict(known)

    @property
    def place(self) -> Place:
        """The one place there is."""
        return Place(self, 0, {}, 0)

    def number(self, symbol: Basic) -> Quantity:
        """A plain letter, a hyperparameter or the number of elements."""
        return self.known[symbol]

    def value(self, letter: Sequence, time: int | None, place: Place) -> Quantity:
        """Refused: letters with indices were written out before."""
        raise DeclarationError(f"a layer reads {letter} at {time}, {place.element}, out of a group")

    def gradient(self, place: Place) -> Quantity:
        """Refused: a forward pass reads no gradient."""
        raise DeclarationError(f"a layer reads a gradient, of element {place.element}")

    def range(self, sigma: Sigma, place: Place) -> range:
        """Refused: sums were written out before."""
        raise DeclarationError(f"a layer sums over {sigma.index}, at {place.element}")


class Forward:
    """The lines of a group as functions of its letters, found once for each number of elements."""

    def __init__(self, unrolled: Unrolled) -> None:
        self._steps: list[tuple[Line, Meaning]] = [
            (line, meaning(line.right)) for line in unrolled.lines
        ]

    def run(self, letters: Letters) -> None:
        """Adds the letters that the lines define to those that are known."""
        place, ops = letters.place, letters.ops
        for line, right in self._steps:
            found = ops.lifted(right(place))
            if line.past is not None:
                found = ops.averaged(found, [letters.known[line.past]])
            letters.known[line.letter] = found
