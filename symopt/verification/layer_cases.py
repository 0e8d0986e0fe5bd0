"""What layers are tried on: shapes with small groups, and data of which a pass may make little."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from symopt.verification.cases import HUGE_IN_GRADIENTS, Setting
from symopt.verification.groups import Arrangement
from symopt.verification.reductions import TO_ONE

SHAPES = ((3, 4), (2, 2, 3), (1, 2, 2, 2), (2, 4, 1, 2), (1, 3), (2, 1))
STEPS = (1, 2, 5, 30)

_MEAN = 1e4  # in spreads
_LEVEL = 1e4  # exponentials overflow at it, and vanish at its negative

Draw = Callable[[Arrangement, str, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Case:
    """One call of each kernel: hyperparameters, how the array is divided, which kind of data.

    A loss has a ``reduction`` besides, where its kernels take one.
    """

    setting: Setting
    arrangement: Arrangement
    kind: str
    reduction: str = ""

    @property
    def words(self) -> str:
        """The case in words, as they end a counterexample."""
        reduced = f", reduction {self.reduction!r}" if self.reduction else ""
        words = f"{self.arrangement.words}{reduced}, {self.kind} data"
        return f"{words}, {self.setting.word} hyperparameters"

    @property
    def one_number(self) -> bool:
        """Whether the losses of all groups become one number."""
        return self.reduction in TO_ONE


def cases(
    settings: tuple[Setting, ...],
    arranged: tuple[Arrangement, ...],
    reductions: tuple[str, ...],
    random: np.random.Generator,
) -> tuple[Case, ...]:
    """The defaults on each array, reduced in each way, then each setting on each kind of data."""
    found = [Case(settings[0], *one) for one in product(arranged, ("ordinary",), reductions)]
    for number, (setting, kind) in enumerate(product(settings, KINDS)):
        one = arranged[random.integers(len(arranged))]
        found.append(Case(setting, one, kind, reductions[number % len(reductions)]))
    return tuple(found)


def data(case: Case, dtype: str, random: np.random.Generator) -> np.ndarray:
    """An array of the case's kind."""
    return KINDS[case.kind](case.arrangement, dtype, random).astype(dtype)


def labels(one: Arrangement, random: np.random.Generator) -> np.ndarray:
    """The place of one element in each group, counted from 0."""
    (size,) = {len(members) for members in one.members.values()}
    return np.asarray(random.integers(0, size, size=one.statistic_shape))


def outer_gradient(shape: tuple[int, ...], dtype: str, random: np.random.Generator) -> np.ndarray:
    """The gradient by the output: ordinary numbers, and a zero beside others."""
    found = np.asarray(random.normal(size=shape))
    if found.size > 1:
        found.flat[random.integers(found.size)] = 0.0
    return found.astype(dtype)


def _ordinary(one: Arrangement, _: str, random: np.random.Generator) -> np.ndarray:
    return 10 ** random.uniform(-1, 1) * (random.normal(size=one.shape) + random.normal())


def _far_from_zero(one: Arrangement, _: str, random: np.random.Generator) -> np.ndarray:
    side = random.choice((-1, 1))
    return 10 ** random.uniform(-1, 1) * (random.normal(size=one.shape) + side * _MEAN)


def _of_ten_thousand(one: Arrangement, _: str, random: np.random.Generator) -> np.ndarray:
    return random.normal(size=one.shape) + _LEVEL * random.integers(-1, 2, size=one.shape)


def _constant(one: Arrangement, _: str, random: np.random.Generator) -> np.ndarray:
    found = np.empty(one.shape)
    for members in one.members.values():
        level = random.normal()
        for at in members:
            found[at] = level
    return found


def _huge(one: Arrangement, dtype: str, random: np.random.Generator) -> np.ndarray:
    return HUGE_IN_GRADIENTS[dtype] * random.normal(size=one.shape)


def _tiny(one: Arrangement, dtype: str, random: np.random.Generator) -> np.ndarray:
    return random.normal(size=one.shape) / HUGE_IN_GRADIENTS[dtype]


def _with_zeros(one: Arrangement, _: str, random: np.random.Generator) -> np.ndarray:
    return random.normal(size=one.shape) * random.integers(0, 2, size=one.shape)


def _zero(one: Arrangement, _: str, random: np.random.Generator) -> np.ndarray:
    return 0 * random.normal(size=one.shape)


KINDS: dict[str, Draw] = {
    "ordinary": _ordinary,
    "far from zero": _far_from_zero,
    "of ten thousand": _of_ten_thousand,
    "constant": _constant,
    "huge": _huge,
    "tiny": _tiny,
    "half zero": _with_zeros,
    "zero": _zero,
}
