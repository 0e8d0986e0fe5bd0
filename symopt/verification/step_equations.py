"""The lines of one step made ready: as bounded numbers, as exact ones, and differentiated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sympy import Basic

from symopt.verification.arithmetic import Arithmetic, as_geometric_sum
from symopt.verification.chains import Chain
from symopt.verification.differences import Fine
from symopt.verification.group_world import Letters
from symopt.verification.meaning import Meaning, meaning
from symopt.verification.one_step import EXAMPLES, TIME, OneStep, Source, StepLine, Unclear
from symopt.verification.quantity import Quantity


class Lines:
    """Some lines of a step as functions of the letters that they read."""

    def __init__(self, lines: Iterable[StepLine], held: tuple[Basic, ...] = ()) -> None:
        self._steps: list[tuple[StepLine, Meaning]] = [(x, meaning(x.right)) for x in lines]
        equations = [(line.letter, line.right) for line, _ in self._steps]
        self.chain = Chain(equations, held)
        self.fine = Fine(equations)

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
