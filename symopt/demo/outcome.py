"""What training with one rule came to."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """Loss over the training set and accuracy on the test set after the last step.

    The ``reference`` numbers are those of the same rule written straight in NumPy float64, and
    ``deviation`` is the largest difference between a parameter here and there; all three are None
    for a rule that has no such partner. ``schedule`` is empty for a rule without an alpha to
    schedule. ``seconds`` went into the kernel's gradients and steps; compiling is left out.
    """

    rule: str
    schedule: str
    steps: int
    loss: float
    accuracy: float
    reference_loss: float | None
    reference_accuracy: float | None
    deviation: float | None
    seconds: float

    def json(self) -> dict[str, Any]:
        """The outcome for machines; what is not finite is null."""
        return {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in asdict(self).items()
        }
