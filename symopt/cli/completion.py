"""What the shell offers when a user presses tab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from symopt.cli.library import catalogue
from symopt.errors import UsageError, nearest
from symopt.printing.styles import STYLES, Style


def names(incomplete: str) -> list[str]:
    """Declarations of the catalogue and Python files that begin so."""
    known = [one.name for one in catalogue()]
    files = [str(path) for path in Path().glob("*.py")]
    return [one for one in (*known, *files) if one.startswith(incomplete)]


def regularizers(incomplete: str) -> list[str]:
    """Regularizers of the catalogue that begin so."""
    known = [one.name for one in catalogue() if one.kind == "regularizer"]
    return [one for one in known if one.startswith(incomplete)]


def among(*words: str) -> Callable[[str], list[str]]:
    """These words, those that begin so."""

    def offer(incomplete: str) -> list[str]:
        return [one for one in words if one.startswith(incomplete)]

    return offer


styles = among(*STYLES)
dtypes = among("float32", "float64")


def style_of(name: str) -> Style:
    """The house style of this name.

    Raises
    ------
    UsageError
        With the nearest name, for one that is not known.
    """
    if name not in STYLES:
        raise UsageError(f"there is no style '{name}'; {nearest(name, STYLES)}")
    return STYLES[name]
