"""What a step of training changes beside parameters, put back where the step fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

# what objects of generated classes count: batches seen, and drawings
_COUNTERS = ("t", "step")


class Undo:
    """The running averages and counters of some layers, remembered for the length of a block."""

    def __init__(self, layers: Sequence[Any]) -> None:
        self._layers = layers
        self._arrays = [(a, a.copy()) for one in layers for a in one.averages.values()]

    @contextmanager
    def if_it_fails(self) -> Iterator[None]:
        """Everything as it was, where the block raises."""
        counts = self._remembered()
        try:
            yield
        except BaseException:
            self._put_back(counts)
            raise

    @contextmanager
    def in_any_case(self, drawing: int) -> Iterator[None]:
        """Everything as it was after the block, in which layers draw by this number."""
        counts = self._remembered()
        for one in self._layers:
            if hasattr(one, "step"):
                one.step = drawing
        try:
            yield
        finally:
            self._put_back(counts)

    def finite(self) -> bool:
        """Whether all averages are finite numbers."""
        return all(bool(np.isfinite(array).all()) for array, _ in self._arrays)

    def _remembered(self) -> list[dict[str, int]]:
        for array, copy in self._arrays:
            copy[...] = array
        return [
            {name: getattr(one, name) for name in _COUNTERS if hasattr(one, name)}
            for one in self._layers
        ]

    def _put_back(self, counts: list[dict[str, int]]) -> None:
        for array, copy in self._arrays:
            array[...] = copy
        for one, several in zip(self._layers, counts, strict=True):
            for name, value in several.items():
                setattr(one, name, value)
