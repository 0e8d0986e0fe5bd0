"""A layer as the judge takes it: callables, and the names of what goes in and out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from symopt.verification.reductions import REDUCTION, REDUCTIONS


@dataclass(frozen=True)
class LayerSubject:
    """A layer's or a loss's kernels under judgement, as callables that take all by keyword.

    ``forward`` returns ``results``, the output first and then statistics, and updates running
    averages in place. ``backward`` is handed those statistics besides and returns the gradients by
    the letters in ``gradients``; the gradient by the output y is its argument ``dy``.
    ``inference``, where there is one, returns the output once training is over. ``make`` builds
    an object of the layer's class from numbers and sizes by name and a ``dtype``, and where it
    ``reuses`` arrays, from ``reuse`` besides. With ``checks`` the kernels raise ``ValueError``
    where a declared value is a quotient by zero, and for arrays that do not fit, and take arrays
    laid out in memory in any way.

    A loss's kernels may take a ``reduction``, and return one number then, or take the gradient by
    it, unless it is "none"; labels are whole numbers, one for each group, that count from 0.

    ``mask`` tells for a ``shape`` where random letters are 1, one array for each of them.
    """

    forward: Callable[..., tuple[np.ndarray, ...]]
    forward_arguments: tuple[str, ...]
    results: tuple[str, ...]
    backward: Callable[..., tuple[np.ndarray, ...]]
    backward_arguments: tuple[str, ...]
    gradients: tuple[str, ...]
    inference: Callable[..., np.ndarray] | None = None
    inference_arguments: tuple[str, ...] = ()
    make: Callable[..., Any] | None = None
    make_arguments: tuple[str, ...] = ()
    reuses: bool = False
    mask: Callable[..., Any] | None = None
    mask_arguments: tuple[str, ...] = ()
    checks: bool = False

    @property
    def reductions(self) -> tuple[str, ...]:
        """The ways in which losses become one number."""
        return REDUCTIONS if REDUCTION in self.forward_arguments else ("",)
