"""The targets there are."""

from __future__ import annotations

from symopt.errors import UsageError, nearest
from symopt.targets.target import Target

NAMES = ("numba", "latex")


def target(name: str) -> Target:
    """The target of this name, loaded when it is asked for."""
    if name == "numba":
        from symopt.targets.numba import NUMBA

        return NUMBA
    if name == "latex":
        from symopt.targets.latex import LATEX

        return LATEX
    raise UsageError(f"there is no target '{name}'; {nearest(name, NAMES)}")
