"""Which elements of an array a layer averages together, found coordinate by coordinate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from symopt.declaration import Layer

Key = tuple[int, ...]


@dataclass(frozen=True)
class Arrangement:
    """An array of a ``shape``, with what a layer needs to know besides to find its groups.

    ``groups`` counts the groups of consecutive channels, where there are such; ``leading`` the
    axes before those that parameters have, where these differ from element to element.
    """

    layer: Layer
    shape: tuple[int, ...]
    groups: int | None = None
    leading: int | None = None

    @property
    def words(self) -> str:
        """The shape as a reader would type it."""
        groups = "" if self.groups is None else f", groups = {self.groups}"
        leading = "" if self.leading in (None, 1) else f", {self.leading} axes before the elements"
        return f"x of shape {self.shape}{groups}{leading}"

    @cached_property
    def averaged(self) -> frozenset[str]:
        """The axes that are averaged over, as declared."""
        return frozenset(self.layer.over.replace(",", " ").split())

    @cached_property
    def members(self) -> dict[Key, tuple[Key, ...]]:
        """The coordinates of the elements of each group, under its place among the statistics."""
        found: dict[Key, list[Key]] = {}
        for at in product(*map(range, self.shape)):
            found.setdefault(self.group(at), []).append(at)
        return {key: tuple(ones) for key, ones in found.items()}

    def group(self, at: Key) -> Key:
        """The group of an element: its coordinates along all axes that are not averaged over."""
        if self.leading is not None:
            return at[: self.leading]
        examples, channel, *space = at
        key = () if "N" in self.averaged else (examples,)
        if self.groups is not None:
            key = (*key, channel // (self.shape[1] // self.groups))
        elif "C" not in self.averaged:
            key = (*key, channel)
        return key if "H" in self.averaged else (*key, *space)

    def parameter(self, at: Key) -> Key:
        """Where an element's parameters stand in their arrays."""
        return at[1:2] if self.leading is None else at[self.leading :]

    @property
    def statistic_shape(self) -> tuple[int, ...]:
        """The shape of an array with one number for each group."""
        return tuple(1 + max(column) for column in zip(*self.members, strict=True))

    @property
    def parameter_shape(self) -> tuple[int, ...]:
        """The shape of an array of parameters."""
        return self.shape[1:2] if self.leading is None else self.shape[self.leading :]


def arrangements(
    layer: Layer, shapes: tuple[tuple[int, ...], ...], learns: bool
) -> Iterator[Arrangement]:
    """Each shape in each way in which the layer can divide it.

    Without parameters nothing says which axes are leading, and the first one is.
    """
    for shape in shapes:
        if layer.per == "element":
            for leading in range(1, len(shape) if learns else 2):
                yield Arrangement(layer, shape, leading=leading)
        elif "C/G" in layer.over:
            for groups in range(1, shape[1] + 1):
                if shape[1] % groups == 0:
                    yield Arrangement(layer, shape, groups=groups)
        else:
            yield Arrangement(layer, shape)
