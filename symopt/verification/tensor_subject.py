"""A tensor layer as the judge takes it: callables, and the names of what goes in and out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class TensorSubject:
    """A layer's functions under judgement, as callables that take everything by keyword.

    ``forward`` returns the output; ``backward`` is handed its gradient by the output y as ``dy``
    and returns those by the letters in ``gradients``. Both raise ``ValueError`` for arrays and
    numbers that do not fit, and take arrays laid out in memory in any way. ``make`` builds an
    object of the layer's class from sizes and numbers by name, and a ``dtype``.
    """

    forward: Callable[..., np.ndarray]
    forward_arguments: tuple[str, ...]
    backward: Callable[..., Any]
    backward_arguments: tuple[str, ...]
    gradients: tuple[str, ...]
    make: Callable[..., Any]
    make_arguments: tuple[str, ...]
