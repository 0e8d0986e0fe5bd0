"""What kernels are tried on: hyperparameters inside and at the ends of their ranges, and arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from sympy import Basic, FiniteSet, Interval, S, Set, sympify

from symopt.errors import DeclarationError
from symopt.notation import Hyperparameter

HUGE = {"float32": 1e15, "float64": 1e120}  # their squares are finite
HUGE_IN_GRADIENTS = {"float32": 1e11, "float64": 1e90}  # their cubes are finite, and so is 1/σ³
_START = ("zero", "normal", "near one")
_GRADIENTS = ("normal", "zero", "huge", "tiny", "one-signed", "wild")
_TRIES = 200


@dataclass(frozen=True)
class Setting:
    """Values of the hyperparameters, and in a word how they were chosen."""

    word: str
    values: dict[Hyperparameter, float]

    def exchanged(self, parameter: Hyperparameter, value: float) -> Setting:
        """The same choice, one hyperparameter another."""
        word = f"{parameter.spelling.python} = {value:g}"
        return Setting(word, {**self.values, parameter: value})


def settings(
    parameters: Iterable[Hyperparameter],
    defaults: Mapping[Hyperparameter, float],
    random: np.random.Generator,
) -> tuple[Setting, ...]:
    """The defaults, two random choices, and each admissible end of a range by itself."""
    parameters = tuple(parameters)
    usual = {one: defaults.get(one, drawn_within(one, random)) for one in parameters}
    found = [Setting("default", usual)]
    if parameters:
        found += [
            Setting("random", {one: drawn_within(one, random) for one in parameters})
            for _ in range(2)
        ]
    found += [
        found[0].exchanged(one, end)
        for one in parameters
        for end in admissible_ends(one.domain)
        if end != usual[one]
    ]
    return tuple(found)


def _number(one: Hyperparameter, value: float) -> float:
    return int(value) if one.is_integer else float(value)


def drawn_within(one: Hyperparameter, random: np.random.Generator) -> float:
    """A random number of the hyperparameter's range.

    Raises
    ------
    DeclarationError
        If none is found.
    """
    for _ in range(_TRIES):
        value = _number(one, _drawn(one.domain, random))
        if admits(one.domain, value):
            return value
    raise DeclarationError(
        f"no value of {one.spelling.python} was found in its range {one.domain}; "
        "give it a default and a range that is an interval"
    )


@lru_cache(maxsize=4096, typed=True)  # SymPy takes a millisecond, and tells 1.0 from 1
def admits(domain: Set, value: float) -> bool:
    """Whether a number lies in the range."""
    return bool(domain.contains(sympify(value)) == True)  # noqa: E712  # may be symbolic


def _drawn(domain: Set, random: np.random.Generator) -> float:
    if isinstance(domain, FiniteSet):
        return float(random.choice(sorted(float(one) for one in domain.args)))
    low, high = edges(domain)
    if domain.is_subset(S.Integers):
        first = int(low) if np.isfinite(low) else -5
        return float(random.integers(first, int(min(high, first + 30)) + 1))
    if np.isfinite(low) and np.isfinite(high):
        near = 10 ** random.uniform(-5, 0)
        return float(
            high - near * (high - low) if random.random() < 0.5 else random.uniform(low, high)
        )
    away = 10 ** random.uniform(-6, 0.5)
    if np.isfinite(low):
        return float(low + away)
    return float(high - away if np.isfinite(high) else random.normal())


def edges(domain: Set) -> tuple[float, float]:
    """The ends of a range, whether they belong to it or not."""
    return float(domain.inf), float(domain.sup)


def admissible_ends(domain: Set) -> list[float]:
    """The finite ends that belong to the range."""
    ends = dict.fromkeys(end for end in edges(domain) if np.isfinite(end))
    return [end for end in ends if isinstance(domain, Interval) and admits(domain, end)]


def starts(size: int, dtype: str, random: np.random.Generator) -> np.ndarray:
    """Parameters before the first step: zeros, of both signs, and near 1, in turn."""
    found = random.normal(size=size)
    kinds = np.arange(size) % len(_START)
    found[kinds == _START.index("zero")] = 0.0
    near = kinds == _START.index("near one")
    found[near] = 1 + 1e-3 * found[near]
    return found.astype(dtype)


def gradients(
    shape: tuple[int, ...],
    dtype: str,
    random: np.random.Generator,
    huge: Mapping[str, float] = HUGE,
) -> np.ndarray:
    """Gradients of one step: of each component one kind, from zero through tiny to huge."""
    found = random.normal(size=shape)
    kinds = np.arange(shape[-1]) // len(_START) % len(_GRADIENTS)
    scale = {"zero": 0.0, "huge": huge[dtype], "tiny": 1 / huge[dtype]}
    for word, factor in scale.items():
        found[..., kinds == _GRADIENTS.index(word)] *= factor
    one_signed = kinds == _GRADIENTS.index("one-signed")
    found[..., one_signed] = np.abs(found[..., one_signed])
    wild = kinds == _GRADIENTS.index("wild")
    found[..., wild] *= 10.0 ** random.integers(-7, 8, size=found[..., wild].shape)
    return found.astype(dtype)


def by_name(values: Mapping[Basic, float]) -> dict[str, float]:
    """Hyperparameters under their Python names."""
    return {one.spelling.python: value for one, value in values.items()}
