"""An update rule as the judge takes it: callables, and the names of what they are handed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symopt.verification.replay import Arrays


@dataclass(frozen=True)
class Vjp:
    """A function that gives dL/d(each argument) by its name, from dL/d(each new value).

    It takes the names in ``arguments``: those of what it is the gradient of, and ``dv`` for the
    adjoint of a new v. Arrays in its result are like the arguments, hyperparameters have numbers.
    """

    function: Callable[..., Mapping[str, Any]]
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Subject:
    """A kernel under judgement, as callables.

    ``step`` updates arrays in place and takes the names in ``arguments``; ``states(theta)`` gives
    the arrays before the first step, among them any that the declaration does not know.
    ``state_arguments`` names hyperparameters that ``states`` takes besides. ``gradient_point``
    gives the array at which the next gradient is to be taken. ``step_vjp`` and ``point_vjp`` are
    their gradients, where there are such. Each of ``makes`` gives an object that steps a list of
    arrays, handed the arrays and hyperparameters by name: it has ``step``, which takes a list for
    each input, ``params`` and ``states``.
    """

    step: Callable[..., None]
    arguments: tuple[str, ...]
    states: Callable[..., Arrays]
    gradient_point: Callable[..., np.ndarray] | None = None
    point_arguments: tuple[str, ...] = ()
    state_arguments: tuple[str, ...] = ()
    gradient: str = "g"
    step_vjp: Vjp | None = None
    point_vjp: Vjp | None = None
    makes: tuple[Callable[..., Any], ...] = ()
