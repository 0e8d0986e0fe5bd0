"""The lines of one step made ready: as bounded numbers, as exact ones, and differentiated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sympy import Basic

from symopt.verification.arithmetic import (
    Arithmetic,
    as_geometric_sum,
    as_slope_of_geometric_sum,
)
from symopt.verification.chains import Chain
from symopt.verification.differences import Fine
from symopt.verification.group_world import Letters
from symopt.verification.meaning import Meaning, meaning
from symopt.verification.one_step import EXAMPLES, TIME, OneStep, Source, StepLine, Unclear
from symopt.verification.quantity import Quantity
from symopt.views import canonical


class Lines:
    """Some lines of a step as functions of the letters that they read."""

    def __init__(self, lines: Iterable[StepLine], held: tuple[Basic, ...] = ()) -> None:
        self._steps: list[tuple[StepLine, Meaning]] = [(x, meaning(x.right)) for x in lines]
        self.equations = {line.letter: line.right for line, _ in self._steps}
        self.chain = Chain(self.equations.items(), held)
        self.fine = Fine(self.equations.items())

    def run(self, ops: Arithmetic, known: Mapping[Basic, Quantity]) -> Letters:
        """What is known with what the lines define."""
        letters = Letters(ops, known)
        place = letters.place
        for line, right in self._steps:
            found = right(place)
            if line.mixed and found.bounded:
                found = ops.averaged(found, [letters.known[past] for past in line.mixed])
            if line.kept is not None:
                found = as_geometric_sum(found, letters.known[line.kept])
            letters.known[line.letter] = found
        return letters

    def opened(self, kept: Collection[Basic]) -> Chain:
        """The partial derivatives of the lines that are ``kept``, all others put in for letters."""
        inner: dict[Basic, Basic] = {}
        for letter, right in self.equations.items():
            inner[letter] = canonical(right).xreplace(
                {x: y for x, y in inner.items() if x not in kept}
            )
        return Chain([(x, right) for x, right in inner.items() if x in kept])

    def geometric_slopes(
        self, letters: Letters, moving: Mapping[Basic, Quantity]
    ) -> dict[Basic, Quantity]:
        """The slopes of responses that may have been computed as geometric sums."""
        known = letters.known
        return {
            line.letter: as_slope_of_geometric_sum(
                letters.ops,
                moving[line.letter],
                moving[line.kept],
                known[line.letter],
                known[line.kept],
            )
            for line, _ in self._steps
            if line.kept in moving and line.letter in moving
        }


class StepEquations:
    """A step's numbers, which depend on no data, and what each element makes of its data.

    ``followed`` are the numbers with a past.

    Raises
    ------
    Unclear
        If a number is read from before the first step, and none is declared.
    """

    def __init__(self, one: OneStep) -> None:
        self.one = one
        self.followed: tuple[Source, ...] = tuple(x for x in one.old if x not in one.data)
        for source in self.followed:
            if source not in one.starts:
                raise Unclear(f"{source} has no value before the first step")
        self.starts = Lines(
            StepLine("", one.old[x], one.starts[x], data=False) for x in self.followed
        )
        self.numbers = Lines([x for x in one.lines if not x.data], (EXAMPLES,))
        self.elements = Lines([x for x in one.lines if x.data], (TIME, EXAMPLES))
