"""Works: what is timed, at which size, and what is to be reached; read from ``works.toml``."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from symopt.declaration import Declaration, Layer, Loss, UpdateRule
from symopt.errors import UsageError

Shape = tuple[int, ...]
# of what the table does not name
RULE_SIZES = ("1e3", "1e5", "1e6", "1e7")
LAYER_SHAPE = (32, 64, 56, 56)
LOSS_SHAPE = (4096, 1000)
STEP, FORWARD, BACKWARD, BOTH = "step", "forward", "backward", "both"
INFERENCE, START = "inference", "start"


@dataclass(frozen=True)
class Bar:
    """``who`` is to take at most so much of the time of the peer ``over``."""

    over: str
    most: float
    who: str = "symopt"


@dataclass(frozen=True)
class Work:
    """One thing to time: a declaration, what is done, the shapes of its arrays, and bars."""

    declared: Declaration
    does: str
    size: str
    shapes: tuple[Shape, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    bars: tuple[Bar, ...] = ()

    @property
    def name(self) -> str:
        """``adam/1e6``, ``batch_norm/forward/32x64x56x56``."""
        middle = () if self.does == STEP else (self.does,)
        return "/".join((self.declared.name, *middle, self.size))

    @property
    def elements(self) -> int:
        """The elements of all shapes together."""
        return sum(math.prod(one) for one in self.shapes)


@cache
def table() -> dict[str, Any]:
    """What ``works.toml`` holds."""
    return tomllib.loads((files("symopt.bench") / "works.toml").read_text(encoding="utf-8"))


def works(catalogue: Iterable[Declaration]) -> tuple[Work, ...]:
    """The works of the table, those of declarations in this catalogue, in its order."""
    known = {one.name: one for one in catalogue}
    made = [
        _work(known[name], size, row)
        for row in table()["work"]
        for name in row["of"]
        for size in row.get("shapes", row.get("parameters"))
        if name in known
    ]
    return tuple(sorted(made, key=lambda one: one.does == START))


def works_of(declared: Declaration) -> tuple[Work, ...]:
    """The works of a declaration: those of the table by its name, or some of usual sizes.

    Raises
    ------
    UsageError
        For what is neither an update rule nor a layer or loss.
    """
    found = works((declared,))
    if found:
        return found
    if isinstance(declared, UpdateRule):
        return tuple(_work(declared, size, {}) for size in RULE_SIZES)
    if isinstance(declared, Loss):
        return (_work(declared, LOSS_SHAPE, {"does": BOTH}),)
    if isinstance(declared, Layer):
        return tuple(_work(declared, LAYER_SHAPE, {"does": one}) for one in (FORWARD, BACKWARD))
    raise UsageError(
        f"{declared.name} is {declared.a_kind}, of which there is nothing to time; name an update "
        "rule, a layer over groups of elements or a loss"
    )


def small(work: Work) -> Work:
    """The same work at a size at which only its answers are of interest."""
    if isinstance(work.declared, UpdateRule):
        most = 1000 if len(work.shapes) == 1 else 60
        shapes: tuple[Shape, ...] = tuple((min(most, math.prod(one)),) for one in work.shapes[:20])
        return Work(work.declared, work.does, work.size, shapes, work.settings, work.bars)
    most_settings = {key: min(2, one) for key, one in work.settings.items()}
    shapes = tuple(tuple(min(4, one) for one in shape) for shape in work.shapes)
    return Work(work.declared, work.does, work.size, shapes, most_settings, work.bars)


def each_once(several: Iterable[Work]) -> tuple[Work, ...]:
    """Works that are different ones at their small size."""
    found: dict[Any, Work] = {}
    for one in several:
        few = small(one)
        found.setdefault((few.declared.name, few.does, few.shapes), one)
    return tuple(found.values())


def _work(declared: Declaration, size: str | Sequence[int], row: Mapping[str, Any]) -> Work:
    words = size if isinstance(size, str) else "x".join(map(str, size))
    shapes = parameter_shapes(size) if isinstance(size, str) else (tuple(size),)
    bars = tuple(Bar(**one) for one in row.get("bars", ()))
    return Work(declared, row.get("does", STEP), words, shapes, row.get("settings", {}), bars)


def parameter_shapes(words: str) -> tuple[Shape, ...]:
    """Shapes of parameters from words: ``1e6``, ``1000x1000`` (tensors x elements), ``resnet50``.

    >>> parameter_shapes("2x1e3")
    ((1000,), (1000,))
    >>> len(parameter_shapes("resnet50")), sum(map(math.prod, parameter_shapes("resnet50")))
    (161, 25557032)
    """
    if words in NETWORKS:
        return NETWORKS[words]()
    tensors, _, elements = words.rpartition("x")
    return ((int(float(elements)),),) * (int(float(tensors)) if tensors else 1)


def _resnet50() -> tuple[Shape, ...]:
    """The shapes of what ResNet-50 learns: He et al., 2015, table 1, all normalized."""
    shapes: list[Shape] = []

    def convolution(inputs: int, outputs: int, side: int) -> None:
        shapes.extend(((outputs, inputs, side, side), (outputs,), (outputs,)))

    convolution(3, 64, 7)
    inputs = 64
    for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            convolution(inputs, width, 1)
            convolution(width, width, 3)
            convolution(width, 4 * width, 1)
            if block == 0:
                convolution(inputs, 4 * width, 1)
            inputs = 4 * width
    return (*shapes, (1000, inputs), (1000,))


NETWORKS: dict[str, Callable[[], tuple[Shape, ...]]] = {"resnet50": _resnet50}
