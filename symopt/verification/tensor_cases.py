"""What tensor layers are tried on: sizes, hyperparameters, and data of several kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from sympy import Expr

from symopt.declaration import TensorLayer
from symopt.notation import Count, Hyperparameter
from symopt.verification.cases import admits, settings
from symopt.verification.tensor_world import World

CASES = 10
_SMALL, _TRIES = 120, 2000
# more numbers than one block of windows has
_LARGE = 2**18 + 2**16
_SCALES = {"float32": (1e12, 1e-15), "float64": (1e90, 1e-120)}
KINDS = ("ordinary", "ordinary", "ordinary", "cancelling", "half zero", "huge", "tiny")


@dataclass(frozen=True)
class TensorCase:
    """One call of each function: a world of some sizes, and which kind of data is in it."""

    world: World
    kind: str

    @property
    def words(self) -> str:
        """The case in words, as they end a counterexample."""
        names = [*self.world.lengths, *self.world.numbers]
        values = [*self.world.lengths.values(), *self.world.numbers.values()]
        listed = ", ".join(f"{n} = {float(v):g}" for n, v in zip(names, values, strict=True))
        return f"{listed}, {self.kind} data"


def tensor_cases(layer: TensorLayer, random: np.random.Generator) -> tuple[TensorCase, ...]:
    """Small sizes with each kind of data, the defaults first; then a batch without examples."""
    found: list[TensorCase] = []
    for number in range(CASES):
        world = _small(layer, random, usual=number == 0)
        if world is not None:
            found.append(TensorCase(world, KINDS[number % len(KINDS)]))
    batch = layer.outline.batch
    if batch is not None and found:
        first = found[0].world
        none = {**first.lengths, layer.outline.ranges[batch]: 0}
        found.append(TensorCase(World(layer, none, first.numbers), "ordinary"))
    return tuple(found)


def large_cases(layer: TensorLayer, random: np.random.Generator) -> tuple[TensorCase, ...]:
    """Lengths that double one after the other until sums are long, and a batch of many examples.

    Data have one sign: where terms cancel, the bound of a long sum is far larger than the sum.
    """
    world = _small(layer, random, usual=True)
    if world is None:
        return ()
    batch = layer.outline.batch
    grown = [sorted(world.lengths, key=str)]
    grown += [[layer.outline.ranges[batch]]] if batch is not None else []
    found = (_grown(world, names, random) for names in grown)
    return tuple(TensorCase(one, "one-signed") for one in found if one is not None)


def _grown(world: World, names: list[Expr], random: np.random.Generator) -> World | None:
    """A world in which some lengths have doubled until there are many terms."""
    layer, lengths = world.layer, dict(world.lengths)
    for _ in range(_TRIES):
        points = _points(World(layer, lengths, world.numbers))
        if points >= _LARGE:
            return World(layer, lengths, world.numbers)
        one = names[random.integers(len(names))]
        longer = {**lengths, one: 2 * lengths[one] + int(random.integers(2))}
        if points < _points(World(layer, longer, world.numbers)) < 8 * _LARGE:
            lengths = longer  # a window that grows leaves fewer places
    return None


def without_a_place(layer: TensorLayer, random: np.random.Generator) -> World | None:
    """Lengths from 1 on at which some index of the output runs over no place."""
    for _ in range(_TRIES if layer.outline.sought else 0):
        world = _any(layer, random, usual=False)
        if min(world.length(layer.outline.ranges[one]) for one in layer.outline.sought) == 0:
            return world
    return None


def _small(layer: TensorLayer, random: np.random.Generator, usual: bool) -> World | None:
    """Lengths at which the output is not empty, and its sums are short."""
    for tried in range(_TRIES):
        more = tried // 200  # windows may need more room
        world = _any(layer, random, usual, more)
        if 1 <= _points(world) <= _SMALL * (1 + more):
            return world
    return None


def _any(layer: TensorLayer, random: np.random.Generator, usual: bool, more: int = 0) -> World:
    """Lengths up to 3, in space up to 5."""
    outline = layer.outline
    lengths = {one for shape in outline.shapes.values() for one in shape if isinstance(one, Count)}
    wide = {
        one
        for letter, shape in outline.shapes.items()
        for one, margin in zip(shape, outline.margins[letter], strict=True)
        if margin != (0, 0)
    }
    drawn = {
        one: int(random.integers(1, (6 if one in wide else 4) + more))
        for one in sorted(lengths, key=str)
    }
    return World(layer, drawn, _numbers(layer, random, usual))


def _points(world: World) -> int:
    """The terms of all sums of the output."""
    found = 1
    for one in world.layer.outline.ranges.values():
        found *= max(0, world.length(one))
    return found


def _numbers(
    layer: TensorLayer, random: np.random.Generator, usual: bool
) -> dict[Hyperparameter, Any]:
    several = [one for one in layer.hyperparameters if not one.is_integer]
    tried = settings(several, layer.default_values, random)
    chosen = tried[0] if usual else tried[random.integers(len(tried))]
    found: dict[Hyperparameter, Any] = {one: Fraction(x) for one, x in chosen.values.items()}
    for one in layer.hyperparameters:
        if one.is_integer:
            default = layer.default_values.get(one)
            fixed = usual and default is not None
            found[one] = int(default) if fixed and default is not None else _near(one, random)
    return found


def _near(one: Hyperparameter, random: np.random.Generator) -> int:
    """A whole number near the first of a range."""
    low = int(one.domain.inf) if one.domain.inf.is_finite else -1
    values = [k for k in range(low, low + 4) if admits(one.domain, k)]
    return int(random.choice(values or [low]))


def drawn(case: TensorCase, dtype: str, random: np.random.Generator) -> dict[Any, np.ndarray]:
    """All arrays of a case, by letter, that of dL/dy by the output's."""
    world, outline = case.world, case.world.layer.outline
    letters = (*outline.arrays, outline.output.base)
    found = {one: random.normal(size=world.shape(one)) for one in letters}
    huge, tiny = _SCALES[dtype]
    for one, array in found.items():
        if case.kind == "half zero":
            array *= random.integers(0, 2, size=array.shape)
        elif case.kind == "cancelling":
            array += 1e3 * random.choice((-1, 1), size=array.shape)
        elif case.kind == "one-signed":
            array = abs(array)
        elif case.kind in ("huge", "tiny"):
            array *= huge if case.kind == "huge" else tiny
        found[one] = array.astype(dtype)
    return found


def exact(arrays: Mapping[Any, np.ndarray]) -> dict[Any, np.ndarray]:
    """The same arrays in fractions."""
    return {one: _fractions(array) for one, array in arrays.items()}


def _fractions(array: np.ndarray) -> np.ndarray:
    found = np.empty(array.shape, object)
    for at in np.ndindex(array.shape):
        found[at] = Fraction(float(array[at]))
    return found
