"""What is handed to the judge of monitors: a module as callables, and what they are called with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from symopt.verification.watch import Values


@dataclass(frozen=True)
class MonitorSubject:
    """A monitor's module under judgement, as callables.

    ``step`` takes the names in ``arguments`` and returns the new states by name and the output;
    ``states`` takes the hyperparameters in ``state_arguments`` and returns the states before the
    first observation. ``make`` makes an object from all hyperparameters by name.
    """

    step: Callable[..., tuple[Values, float]]
    arguments: tuple[str, ...]
    states: Callable[..., Values]
    state_arguments: tuple[str, ...] = ()
    make: Callable[..., Any] | None = None
