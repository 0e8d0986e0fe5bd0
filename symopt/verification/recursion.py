"""What each letter of a declaration is at each step: by recursion, or from what was recorded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from sympy import Basic

from symopt.errors import DeclarationError
from symopt.nodes import Sigma
from symopt.notation import Sequence
from symopt.verification.anatomy import Anatomy
from symopt.verification.arithmetic import Arithmetic, as_geometric_sum
from symopt.verification.definitions import Definition
from symopt.verification.meaning import Meaning, integer, meaning
from symopt.verification.place import Place
from symopt.verification.quantity import Quantity, scalar

_Key = tuple[Sequence, int, int]


class Recursion(ABC):
    """The letters beside one run with these hyperparameters.

    ``now`` is the step under judgement, counted from 1. States that refer to their own past are
    taken from what the run recorded before the step, exactly as it stands there, so each step is
    judged alone. Sums over the past are summed anew from the whole history.
    """

    size: int

    def __init__(self, taken: Anatomy, ops: Arithmetic, numbers: Mapping[Basic, float]) -> None:
        self.anatomy = taken
        self.ops = ops
        self.numbers = {symbol: scalar(value) for symbol, value in numbers.items()}
        self.now = 0
        self._meanings: dict[Basic, Meaning] = {}
        self._scalars: dict[_Key, Quantity] = {}
        self._known: dict[_Key, Quantity] = {}
        self._open: set[_Key] = set()

    @abstractmethod
    def resumed(self, one: Definition) -> bool:
        """Whether a letter's past is read from what was recorded."""

    @abstractmethod
    def recorded(self, one: Definition, time: int, place: Place) -> Quantity:
        """A letter at a time before the step under judgement."""

    @abstractmethod
    def given(self, letter: Sequence, time: int, place: Place) -> Quantity:
        """A letter that no equation defines."""

    @abstractmethod
    def gradient(self, place: Place) -> Quantity:
        """The gradient at a place."""

    @property
    def examples(self) -> int:
        """How many examples the present step was handed."""
        return 1

    def forget(self, all_steps: bool = False) -> None:
        """Drop what was found from inputs and records, or from hyperparameters alone too."""
        self._known.clear()
        if all_steps:
            self._scalars.clear()

    def place(self, element: int = 0) -> Place:
        """The present step at one component."""
        return Place(self, self.now, {}, element)

    def read(self, expr: Basic, place: Place) -> Quantity:
        """An expression of the declaration at a place."""
        if expr not in self._meanings:
            self._meanings[expr] = meaning(expr)
        return self._meanings[expr](place)

    def value(self, letter: Sequence, time: int | None, place: Place) -> Quantity:
        """A letter at a time; without one, at the present step."""
        time = place.now if time is None else time
        one = self.anatomy.definitions.get(letter)
        if one is None:
            return self.given(letter, time, place)
        # before the first step all is as it was handed over
        if time < max(self.now, 1) + one.offset and self.resumed(one):
            return self.recorded(one, time, place)
        key = (letter, time, place.element if letter in self.anatomy.driven else -1)
        memo = self._known if letter in self.anatomy.driven else self._scalars
        if key not in memo:
            if key in self._open:
                raise DeclarationError(f"{one.id} defines {letter} by itself, in a circle")
            self._open.add(key)
            memo[key] = self._evaluated(one, time, place)
            self._open.discard(key)
        return memo[key]

    def _evaluated(self, one: Definition, time: int, place: Place) -> Quantity:
        there = Place(self, time - one.offset, {}, place.element)
        if there.now < 1 and one.initial is not None:
            return self.read(one.initial, there)
        result = self.read(one.right, there)
        if one.mixed and result.bounded:
            result = self.ops.averaged(result, [self.read(past, there) for past in one.mixed])
        if one.kept is None:
            return result
        return as_geometric_sum(result, self.value(one.kept, time, place))

    def number(self, symbol: Basic) -> Quantity:
        """A hyperparameter."""
        return self.numbers[symbol]

    def range(self, sigma: Sigma, place: Place) -> range:
        """The values of a sum's index: its bounds, or all examples."""
        if sigma.bounds is None:
            return range(1, self.examples + 1)
        low, high = (int(integer(one)(place)) for one in sigma.bounds)
        return range(low, high + 1)
