"""What a hyperparameter may be called in another declaration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, permutations, product

from sympy import Expr, Interval

from symopt.notation import Hyperparameter

# choices of which letter is which that are tried
_MOST = 12


def readings(letter: Hyperparameter) -> list[Expr]:
    """The letter itself, and of a share also what is left of 1.

    >>> from symopt.symbols import alpha, beta
    >>> readings(alpha), readings(beta)
    ([alpha], [beta, 1 - beta])
    """
    share = letter.domain.is_subset(Interval(0, 1))
    return [letter, 1 - letter] if share else [letter]


def choices(
    ours: Sequence[Hyperparameter], theirs: Sequence[Hyperparameter]
) -> Iterator[dict[Hyperparameter, Expr]]:
    """Hyperparameters of the second declaration by those of the first; first none is another."""
    yield {}
    less = min(len(ours), len(theirs))
    ways = (
        dict(zip(theirs, images, strict=False))
        for several in permutations(ours, less)
        for images in product(*map(readings, several))
    )
    yield from islice(ways if less else (), _MOST)
