"""Shapes of a layer's arrays: in words, and as a module reads them off its input."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from symopt.declaration import Layer, Loss
from symopt.declaration.axes import Axes
from symopt.program.blocks import BLOCK
from symopt.program.columns import ROWS, walks_columns
from symopt.program.group_kernel import ELEMENT, GROUP, LEARNED
from symopt.program.layout import layout
from symopt.program.separated import apart

LABEL, AVERAGE = "label", "average"


def input_shape(layer: Layer) -> str:
    """The shape of an input, in words."""
    if layer.elementwise:
        return "(…), whatever it is"
    if "R" in layer.axes.kept:
        return "(…, *elements), with the axes that parameters have last"
    return "(N, C, *spatial)"


def group_shape(layer: Layer) -> str:
    """The shape of a statistic, in words."""
    words = {"N": "N", "C": "C", "G": "groups", "S": "*spatial", "R": "…"}
    kept = [words[one] for one in layer.axes.kept]
    return f"({', '.join(kept)}{',' if len(kept) == 1 else ''})"


def shape_words(layer: Layer) -> dict[str, Any]:
    """How lengths are read off the input, and what that makes of every shape."""
    axes = layer.axes
    public = {
        "N": "x.shape[:1]", "C": "x.shape[1:2]", "G": "(groups,)", "S": "x.shape[2:]",
        "R": "x.shape[:lead]",
    }  # fmt: skip
    kept = [public[one] for one in axes.kept]
    return {
        "words": {
            ELEMENT: "a number for each element of the input",
            LEARNED: "a number for each element along the input's last axes"
            if "R" in axes.kept
            else "a number for each channel, along axis C",
            GROUP: f"a number for each group of elements, along {_along(axes.kept)}",
            AVERAGE: f"a number for each group of elements, along {_along(axes.kept)}",
        },
        "elementwise": layer.elementwise,
        "from_groups": "G" in axes.kept,
        "from_elements": "R" in axes.kept,
        "learned": "elements" if "R" in axes.kept else "(C,)",
        "learned_walked": _tuple(axes.parameters) if axes.parameters else "()",
        "group": " + ".join(kept) if kept else "()",
        **_walked(axes),
        "flat": bool(axes.flat),
        "channels_last": axes.channels_last,
        "count": " * ".join(axes.averaged),
        "loss": isinstance(layer, Loss),
        "averaged": ", ".join(f'"{one}": {one}' for one in axes.averaged),
    }


def _walked(axes: Axes) -> dict[str, str]:
    """How arrays are walked, and what parts may share: as they are, or flat."""
    shown = {
        "walked": _tuple(one.letter for one in axes.walked),
        "running_walked": _groups(axes),
        "group_walked": _groups(axes),
        "groups": _units(axes),
    }
    if axes.flat is None:
        return shown
    flat = {
        "walked": _tuple(one.letter for one in axes.flat.walked),
        "group_walked": _groups(axes.flat),
        "groups": _units(axes.flat),
    }
    return {
        key: f"{flat[key]} if flat else {value}" if flat.get(key, value) != value else value
        for key, value in shown.items()
    }


def _groups(axes: Axes) -> str:
    return _tuple(axes.kept) if axes.kept else "(1,)"


def _units(axes: Axes) -> str:
    """What is split into parts: groups, blocks of elements, or rows, several to a part.

    Parts of rows are added up once all are done, and so there are no more than are of use.
    """
    place = layout(axes, set())
    if axes.elementwise:
        return f"-(-E // {BLOCK})"
    if walks_columns(place):
        return f"min(-(-{axes.averaged[0]} // {ROWS}), -(-x.size // SHARED_FROM))"
    return " * ".join(apart(place)) or "1"


def _along(kept: tuple[str, ...]) -> str:
    words = {"N": "N", "C": "C", "G": "the groups", "S": "space", "R": "all other axes"}
    return " and ".join(words[one] for one in kept) or "no axis"


def quoted(names: Iterable[str]) -> str:
    """Names as a tuple in Python."""
    return _tuple(f'"{one}"' for one in names)


def _tuple(parts: Iterable[str]) -> str:
    parts = tuple(parts)
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
