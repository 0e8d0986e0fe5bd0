"""``symopt.compile``: a declaration as a module of kernels, a network as a model."""

from __future__ import annotations

from types import ModuleType
from typing import overload

from symopt.declaration import Declaration, Network
from symopt.errors import UsageError
from symopt.runtime import compiling
from symopt.runtime.model import Model
from symopt.targets.target import Options


@overload
def compile(  # type: ignore[overload-overlap]  # a network is a declaration, but makes a model
    declared: Network, *, dtype: str = ..., seed: int = ...
) -> Model: ...
@overload
def compile(declared: Declaration, options: Options = ...) -> ModuleType: ...


def compile(
    declared: Declaration, options: Options | None = None, *, dtype: str = "", seed: int = 0
) -> ModuleType | Model:
    """The generated module of a declaration, ready to call; of a network, a model to train.

    A module is what ``symopt generate`` would write, imported from the user's cache; ``options``
    are its. A model has ``train_step`` and ``evaluate``; its arrays are of the ``dtype`` float32 or
    float64, by default the first, and ``seed`` decides starting values and what is random.

    >>> import numpy as np
    >>> from symopt.catalog.lecture.gd import gd
    >>> theta = np.array([1.0, 2.0])
    >>> compile(gd).step(theta, np.array([10.0, 20.0]), alpha=0.5)
    >>> theta
    array([-4., -8.])

    Raises
    ------
    SymoptError
        In one sentence, when the declaration does not lead to a kernel, or a network's layers do
        not fit each other.
    """
    if isinstance(declared, Network):
        return Model(declared, dtype=dtype or "float32", seed=seed)
    if dtype or seed:
        raise UsageError(
            f"{declared.name} is {declared.a_kind}, whose kernels take arrays of any dtype they "
            "know; dtype and seed are of networks"
        )
    return compiling.compile(declared, options or Options())
