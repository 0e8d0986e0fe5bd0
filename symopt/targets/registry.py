"""The targets there are."""

from __future__ import annotations

from symopt.errors import UsageError, nearest
from symopt.targets.target import Target

# those that are rendered unless some are chosen, and all
NAMES = ("numba", "latex")
KNOWN = (*NAMES, "c")


def target(name: str) -> Target:
    """The target of this name, loaded when it is asked for."""
    if name == "numba":
        from symopt.targets.numba import NUMBA

        return NUMBA
    if name == "latex":
        from symopt.targets.latex import LATEX

        return LATEX
    if name == "c":
        from symopt.targets.c import C

        return C
    raise UsageError(f"there is no target '{name}'; {nearest(name, KNOWN)}")
