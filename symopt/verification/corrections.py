"""Running averages without what they started from, at inference, by running the recurrence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy
from sympy import Basic, Expr, Indexed, S

from symopt.declaration import Debias, Equation, Layer
from symopt.errors import DeclarationError
from symopt.nodes import Sigma
from symopt.notation import Sequence, Statistic, hat, index, sequence
from symopt.verification.arithmetic import Arithmetic, as_geometric_sum
from symopt.verification.averages import unbiased
from symopt.verification.definitions import Definition, entries
from symopt.verification.meaning import Meaning, integer, meaning
from symopt.verification.place import Place
from symopt.verification.quantity import Quantity
from symopt.verification.unrolled import is_running
from symopt.views import rewrite

_t = index("t", "step")
_data = sequence("judge_data")


class Correction:
    """The corrected form of one running average after a number of steps.

    ``begun`` is the response to the start alone, ``kept`` what is left of a start of 1, and
    ``driven`` the response, from 0, to data that are 1 at each step.
    """

    def __init__(self, average: Statistic, id: str, equation: Equation, start: Expr) -> None:
        self.average = average
        self.corrected: Statistic = hat(average)
        letter = sequence(f"judge_{average.spelling.python.strip('_')}")

        def timed(node: Basic) -> Basic | None:
            if node == average:
                return letter[_t - 1]
            return _data[_t] if isinstance(node, Sigma | Indexed | Statistic) else None

        right = rewrite(equation.right, timed)
        definition = Definition(id, letter, _t, 0, right, start)
        *parts, whole = unbiased(definition, _has_data)
        self.letter = letter
        self.begun, self.kept, self.driven = (part.letter for part in parts)
        self._steps: list[tuple[Sequence, Meaning]] = [
            (part.letter, meaning(part.right)) for part in parts
        ]
        self._starts = [(part.letter, meaning(sympy.sympify(part.initial))) for part in parts]
        self._whole = meaning(whole.right)

    def responses(
        self, steps: int, ops: Arithmetic, numbers: Mapping[Basic, Quantity]
    ) -> _Responses:
        """The three responses after so many steps."""
        world = _Responses(ops, numbers)
        here = Place(world, 0, {}, 0)
        world.known = {letter: start(here) for letter, start in self._starts}
        for now in range(1, steps + 1):
            place = Place(world, now, {}, 0)
            world.known = {letter: right(place) for letter, right in self._steps}
        world.known[self.driven] = as_geometric_sum(
            world.known[self.driven], world.known[self.kept]
        )
        world.now = steps
        return world

    def value(self, raw: Quantity, responses: _Responses) -> Quantity:
        """The corrected average: what is more than the start's response, by that to ones."""
        responses.known[self.letter] = raw
        return self._whole(Place(responses, responses.now, {}, 0))

    def parts(self, responses: _Responses) -> tuple[Quantity, Quantity]:
        """What is subtracted from the average, and what it is divided by then."""
        return responses.known[self.begun], responses.known[self.driven]

    def raw(self, wanted: float, responses: _Responses) -> Any:
        """The running average that the correction turns into a number that is wanted."""
        known = responses.known
        return float(known[self.begun].value + known[self.driven].value * wanted)


def corrections(layer: Layer) -> tuple[Correction, ...]:
    """What a layer asks to be corrected, in the order in which it asks.

    Raises
    ------
    DeclarationError
        If a letter is no running average.
    """
    letters = [
        one
        for s in layer.statements
        if isinstance(s.meant.content, Debias)
        for one in s.meant.content.sequences
    ]
    running = {one.left: (id, one) for id, one in layer.equations if is_running(one)}
    for one in letters:
        if one not in running:
            raise DeclarationError(f"{layer.name} corrects {one}, which is no running average")
    starts = layer.initial_values
    return tuple(
        Correction(one, *running[one], sympy.sympify(starts.get(one, S.Zero))) for one in letters
    )


def _has_data(part: Basic) -> bool:
    return any(one.base == _data for one in entries(part))


class _Responses:
    """The world of a recurrence: what each response was at the step before."""

    size = 1

    def __init__(self, ops: Arithmetic, numbers: Mapping[Basic, Quantity]) -> None:
        self.ops = ops
        self.numbers = numbers
        self.known: dict[Sequence, Quantity] = {}
        self.now = 0

    def value(self, letter: Sequence, time: int | None, place: Place) -> Quantity:
        """A response at the step before, or after the last."""
        found = self.known.get(letter)
        if found is None or time not in (place.now - 1, place.now):
            raise DeclarationError(f"a running average reads {letter} at step {time}")
        return found

    def number(self, symbol: Basic) -> Quantity:
        """A hyperparameter."""
        return self.numbers[symbol]

    def gradient(self, place: Place) -> Quantity:
        """Refused: a running average reads no gradient."""
        raise DeclarationError(f"a running average reads a gradient, at step {place.now}")

    def range(self, sigma: Sigma, place: Place) -> range:
        """A sum over the steps so far."""
        assert sigma.bounds is not None
        low, high = (integer(one)(place) for one in sigma.bounds)
        return range(low, high + 1)
