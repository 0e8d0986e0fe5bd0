"""Results as pictures: time against size, and bandwidth against what the memory gives."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from symopt.bench.results import Result
from symopt.bench.works import STEP
from symopt.errors import UsageError

ROOF_BYTES = tuple(int(1e4 * 4**power) for power in range(10))
COLUMNS = 3


def check_plot(path: Path | None) -> None:
    """UsageError where a plot is wanted and cannot be made."""
    if path is None:
        return
    if find_spec("matplotlib") is None:
        raise UsageError("--plot needs matplotlib; write pip install 'symopt[bench]'")
    if path.suffix not in (".png", ".pdf", ".svg"):
        raise UsageError(f"--plot is {path}; end its name with .png, .pdf or .svg")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"--plot is {path}, but there is no folder {path.parent}; name another")


def plot(results: Sequence[Result], threads: int, path: Path) -> None:
    """A picture of each rule's times against its sizes, and one of bandwidths below its roof."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    sized = _by_rule(results)
    rows = -(-(len(sized) + 1) // COLUMNS)
    sheet = Figure(figsize=(5 * COLUMNS, 4 * rows), layout="constrained")
    FigureCanvasAgg(sheet)
    axes = sheet.subplots(rows, COLUMNS, squeeze=False).ravel()
    for place, (name, several) in zip(axes, sized.items(), strict=False):
        _times(place, name, several)
    _roof(axes[len(sized)], results, threads)
    for place in axes[len(sized) + 1 :]:
        place.set_axis_off()
    sheet.savefig(path)


def _by_rule(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Results of one array each, by rule, where there are several sizes."""
    found: dict[str, list[Result]] = {}
    for one in results:
        if one.work.does == STEP and len(one.work.shapes) == 1 and one.times:
            found.setdefault(one.work.declared.name, []).append(one)
    return {name: several for name, several in found.items() if len(several) > 1}


def _times(axes: Any, name: str, several: Sequence[Result]) -> None:
    for contestant in dict.fromkeys(key for one in several for key in one.times):
        points = sorted(
            (one.work.elements, one.times[contestant].median)
            for one in several
            if contestant in one.times
        )
        style = "o-" if contestant.startswith("symopt") else "x--"
        axes.loglog(*zip(*points, strict=True), style, label=contestant, linewidth=1)
    axes.set(title=name, xlabel="elements", ylabel="seconds a step")
    axes.legend(fontsize="x-small")


def _roof(axes: Any, results: Sequence[Result], threads: int) -> None:
    """Bytes that a work has to move over its time, against what a copy of as many bytes reaches."""
    from symopt.bench.bandwidth import bandwidth

    roof = [(size, bandwidth(size, threads)) for size in ROOF_BYTES]
    axes.loglog(*zip(*roof, strict=True), "k-", label="roof: bytes moved in C, or copied")
    for name in dict.fromkeys(one.work.declared.name for one in results if one.moved):
        points = [
            (one.moved, one.moved / one.times["symopt"].median)
            for one in results
            if one.work.declared.name == name and one.moved and "symopt" in one.times
        ]
        if points:
            axes.loglog(*np.array(points).T, "o", label=name, markersize=4)
    axes.set(title="roofline", xlabel="bytes that a call has to move", ylabel="bytes a second")
    axes.legend(fontsize="x-small")
