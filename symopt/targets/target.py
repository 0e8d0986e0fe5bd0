"""A target: what a kind of rendering is called, where its templates are, and how it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from symopt.declaration import Declaration
from symopt.printing.styles import LECTURE, Style


@dataclass(frozen=True)
class Options:
    """What a user may ask of a target: the dtypes that a kernel accepts, the style of LaTeX.

    With ``states`` "bfloat16", an update rule keeps its states in half of float32's memory, rounded
    at random; else they are of the parameters' dtype.
    """

    dtypes: tuple[str, ...] = ("float32", "float64")
    style: Style = LECTURE
    states: str = ""


@dataclass(frozen=True)
class Target:
    """One kind of rendering.

    ``render`` gives the text for one declaration, or nothing where the target has none for it;
    ``beside`` gives further files for one declaration, by name; ``index`` such that hold a whole
    collection together.
    """

    name: str
    extension: str
    render: Callable[[Declaration, Options], str | None]
    index: Callable[[str, tuple[Declaration, ...]], dict[str, str]]
    beside: Callable[[Declaration, Options], Mapping[str, str]] = lambda _declared, _options: {}
