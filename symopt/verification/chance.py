"""The random letters of a layer: their values by the judge's own random words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
from sympy import Basic, Expr

from symopt.declaration import Drawn, Layer
from symopt.errors import DeclarationError
from symopt.nodes import Bernoulli
from symopt.notation import Hyperparameter, Sequence
from symopt.verification.arithmetic import Arithmetic
from symopt.verification.cases import Setting, drawn_within
from symopt.verification.group_world import Letters
from symopt.verification.meaning import Meaning, meaning
from symopt.verification.philox import random_words
from symopt.verification.quantity import HIGH, Quantity, scalar

_WORDS = 2**32  # that there are of one position
MOST = 2**64  # seeds, and steps
_ENDS = (0, 1, 2**32 - 1, 2**32, MOST - 1)
_AT_ENDS = 0.25
_TRIES, _COMMON = 200, 0.25


@dataclass(frozen=True)
class Chance:
    """One random letter: which of the layer's it is, and the probability of a 1."""

    letter: Sequence
    number: int
    share: Expr
    meaning: Meaning

    def probability(self, ops: Arithmetic, numbers: Mapping[Basic, Quantity]) -> Quantity:
        """The probability of a 1, with these hyperparameters."""
        return self.meaning(Letters(ops, numbers).place)

    def values(
        self, shape: tuple[int, ...], seed: int, step: int, probability: Quantity
    ) -> np.ndarray | None:
        """Whether each element is 1: its word is below the probability's part of all.

        Elements are counted with the last axis first. None where a value depends on how the
        probability is rounded.
        """
        count = prod(shape)
        ends = (probability.value + side * HIGH.mpf(probability.error) for side in (-1, 1))
        low, high = (int(HIGH.nint(min(max(one, 0), 1) * _WORDS)) for one in ends)
        words = np.fromiter(random_words(count, self.number, seed, step), np.int64, count)
        unsure = (low <= words) & (words < high)
        return None if unsure.any() else (words < low).reshape(shape)


def chances(layer: Layer) -> tuple[Chance, ...]:
    """The random letters of a layer, in the order in which they are drawn.

    Raises
    ------
    DeclarationError
        For a distribution that the judge does not draw from.
    """
    stated = (one.meant.content for one in layer.statements)
    return tuple(
        _chance(number, one)
        for number, one in enumerate(one for one in stated if isinstance(one, Drawn))
    )


def _chance(number: int, one: Drawn) -> Chance:
    if not isinstance(one.distribution, Bernoulli):
        raise DeclarationError(
            f"{one.letter} is drawn from {one.distribution}, from which the judge does not draw"
        )
    share = one.distribution.share
    return Chance(one.letter.base, number, share, meaning(share))


def settled_draws(
    several: tuple[Chance, ...],
    shape: tuple[int, ...],
    ops: Arithmetic,
    numbers: Mapping[Basic, Quantity],
    random: np.random.Generator,
) -> tuple[dict[str, int], dict[str, np.ndarray]]:
    """A seed and a step, and the values with them, none of which depends on rounding."""
    shares = {one: one.probability(ops, numbers) for one in several}
    while True:
        seed, step = word_drawn(random), word_drawn(random)
        found = {
            one.letter.spelling.python: one.values(shape, seed, step, share)
            for one, share in shares.items()
        }
        sure = {name: values for name, values in found.items() if values is not None}
        if len(sure) == len(found):
            return {"seed": seed, "step": step}, sure


def balanced(
    several: tuple[Chance, ...],
    parameters: tuple[Hyperparameter, ...],
    ops: Arithmetic,
    random: np.random.Generator,
) -> tuple[Setting, ...]:
    """Hyperparameters with which both values of all random letters are common, if any are found."""
    for _ in range(_TRIES if several else 0):
        values = {one: drawn_within(one, random) for one in parameters}
        numbers: dict[Basic, Quantity] = {one: scalar(value) for one, value in values.items()}
        shares = [one.probability(ops, numbers).value for one in several]
        if all(_COMMON <= one <= 1 - _COMMON for one in shares):
            return (Setting("balanced", values),)
    return ()


def word_drawn(random: np.random.Generator) -> int:
    """A seed or a step, now and then at an end of its range or of a word."""
    if random.random() < _AT_ENDS:
        return _ENDS[random.integers(len(_ENDS))]
    return int(random.integers(MOST - 1, dtype=np.uint64, endpoint=True))
