"""The passes of a layer as functions without arguments, and what they are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Pass = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True)
class Given:
    """An input, the gradient of its output, parameters, labels or targets, and numbers by name."""

    x: np.ndarray
    dy: np.ndarray
    parameters: Mapping[str, np.ndarray]
    others: tuple[np.ndarray, ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        return self.parameters[key] if key in self.parameters else self.numbers[key]


@dataclass(frozen=True)
class Passes:
    """Each gives its results by name: ``y``, ``dx``, and ``dgamma`` for a parameter ``gamma``.

    ``backward`` is of the last forward pass. A loss that makes both at once has ``both``.
    """

    forward: Pass | None = None
    backward: Pass | None = None
    inference: Pass | None = None
    both: Pass | None = None
    note: str = ""

    def can(self, does: str) -> bool:
        """Whether there is such a pass."""
        if does == "both":
            return self.both is not None or None not in (self.forward, self.backward)
        return getattr(self, does) is not None

    def doing(self, does: str) -> Pass:
        """The pass of this name."""
        forward, backward = self.forward, self.backward
        if does == "backward":
            assert forward is not None
            forward()
        if does != "both" or self.both is not None:
            found: Pass = getattr(self, does)
            return found
        assert forward is not None
        assert backward is not None
        return lambda: {**forward(), **backward()}
