"""A schedule's function beside its declaration, at many steps."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from itertools import combinations

import numpy as np
from sympy import Basic

from symopt.declaration import Schedule
from symopt.errors import DeclarationError
from symopt.nodes import Sigma
from symopt.notation import Sequence
from symopt.verification.anatomy import Anatomy, anatomy
from symopt.verification.arithmetic import Arithmetic
from symopt.verification.cases import Setting, by_name, settings
from symopt.verification.meaning import Meaning, integer, meaning
from symopt.verification.place import Place
from symopt.verification.quantity import FLOAT64, Quantity, scalar
from symopt.verification.verdict import Point, Tally, Verdict

_FIRST_STEPS = 12
_RANDOM_STEPS = 24
_BEYOND = 5  # how many times the longest phase the steps go


def judge_schedule(schedule: Schedule, function: Callable[..., float], seed: int = 0) -> Verdict:
    """Whether ``function(t=…, **hyperparameters)`` is the declared schedule, in double precision.

    It is tried at the first steps, at and beside every sum of the integer hyperparameters, where
    a schedule may turn, and at random steps beyond.

    Raises
    ------
    DeclarationError
        If the schedule has no meaning for the judge.
    """
    taken = anatomy(schedule)
    letter = list(taken.definitions)[-1]
    tally = Tally(schedule.name, "float64", FLOAT64)
    random = np.random.default_rng([seed, zlib.crc32(schedule.name.encode())])
    for setting in settings(taken.hyperparameters, schedule.default_values, random):
        clock = _Clock(taken, setting.values)
        for step in _steps(setting.values, random):
            declared = clock.value(letter, step, Place(clock, step, {}, 0))
            found = float(function(t=step, **by_name(setting.values)))
            where = f"{taken.definitions[letter].id}, step {step}"
            tally.point(declared, found, Point(where, _words(step, setting)))
            if tally.refuted:
                return tally.verdict()
    return tally.verdict()


def _words(step: int, setting: Setting) -> Callable[[], str]:
    def inputs() -> str:
        named = by_name(setting.values).items()
        words = [f"t = {step}", *(f"{name} = {value!r}" for name, value in named)]
        return f"with {', '.join(words)} ({setting.word} hyperparameters)"

    return inputs


def _steps(values: Mapping[Basic, float], random: np.random.Generator) -> list[int]:
    """The first steps, those beside every turn, and random ones."""
    lengths = [int(value) for value in values.values() if isinstance(value, int)]
    sums = [sum(some) for k in range(len(lengths) + 1) for some in combinations(lengths, k)]
    turns = {turn * times + side for turn in sums for times in (1, 2) for side in (-1, 0, 1, 2)}
    last = _BEYOND * max([20, *sums])
    drawn = random.integers(1, last, size=_RANDOM_STEPS, endpoint=True)
    return sorted(_positive([*range(1, _FIRST_STEPS + 1), *turns, *map(int, drawn)]))


def _positive(steps: Iterable[int]) -> set[int]:
    return {step for step in steps if step >= 1}


class _Clock:
    """The letters of a schedule, which depend on nothing but the step and hyperparameters."""

    size = 1

    def __init__(self, taken: Anatomy, numbers: Mapping[Basic, float]) -> None:
        self.anatomy = taken
        self.ops = Arithmetic(FLOAT64)
        self.numbers = {symbol: scalar(value) for symbol, value in numbers.items()}
        self._meanings: dict[Basic, Meaning] = {}

    def value(self, letter: Sequence, time: int | None, place: Place) -> Quantity:
        one = self.anatomy.definitions.get(letter)
        if one is None:
            raise DeclarationError(
                f"{self.anatomy.declared.name} reads {letter}, which it does not define"
            )
        there = place._replace(now=(place.now if time is None else time) - one.offset)
        expr = one.initial if there.now < 1 and one.initial is not None else one.right
        if expr not in self._meanings:
            self._meanings[expr] = meaning(expr)
        return self._meanings[expr](there)

    def gradient(self, place: Place) -> Quantity:
        raise DeclarationError(f"{self.anatomy.declared.name} reads a gradient at {place.now}")

    def number(self, symbol: Basic) -> Quantity:
        return self.numbers[symbol]

    def range(self, sigma: Sigma, place: Place) -> range:
        if sigma.bounds is None:
            raise DeclarationError(f"{self.anatomy.declared.name} has a sum without bounds")
        low, high = (integer(one)(place) for one in sigma.bounds)
        return range(low, high + 1)
