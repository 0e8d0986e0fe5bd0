"""The kernels of a layer together, and whether its letters' names leave room for all others."""

from __future__ import annotations

import re
from typing import NamedTuple

from symopt.declaration import Layer
from symopt.errors import LoweringError
from symopt.program.group_kernel import GroupKernel
from symopt.program.layer_letters import letter_names
from symopt.program.layout import layout
from symopt.program.parts import PART_NAMES
from symopt.program.randomness import WORDS, sources

GROUPS = "groups"


class LayerKernels(NamedTuple):
    """The kernels of a layer; some layers keep no averages and know no inference."""

    forward: GroupKernel
    backward: GroupKernel
    running: GroupKernel | None
    inference: GroupKernel | None

    @property
    def averages(self) -> tuple[str, ...]:
        """The running averages, updated in place."""
        return tuple(name for name, _ in self.running.results) if self.running else ()


# what the text of a generated module calls its own
_OWN = {
    "DTYPES", "READ", "WORDS", "WRITTEN", "arrays",
    "averages", "axis", "backward", "call", "channels", "dtype", "elements", "error", "evaluate",
    "fault", "forward", "found", "given", "gradients", "groups", "hyperparameters", "inference",
    "kept", "key", "last", "lead", "learned", "length", "lengths", "load_state_dict", "mine",
    "names", "numbers",
    "one", "outlines", "parameters", "real", "reuse", "saved", "shape", "shapes", "size",
    "spatial", "start", "state_dict", "stop", "train", "training", "wrong",
}  # fmt: skip
# and what it calls its own where anything is drawn
_OF_CHANCE = {"outline", *WORDS}
_NUMBERED = re.compile(r"(part|sum|total|largest)_\d+\w*")


def check_names(layer: Layer) -> None:
    """Nothing, when no letter of the layer is called like something else in its module.

    Raises
    ------
    LoweringError
        Names the letter that has to be renamed.
    """
    names = sorted(letter_names(layer))
    walked = [one for one in (layer.axes, layer.axes.flat) if one]
    suffixes = {layout(one, set(names)).suffix for one in walked}
    adjoints = {f"d{name}" for name in names}
    lengths = {one.letter for one in layer.axes.walked}
    in_group = {f"{name}{suffix}" for name in names for suffix in suffixes}
    drawn = sources(layer)
    chance = {*_OF_CHANCE, *(one.limit for one in drawn)} if drawn else set()
    for name in names:
        private = name.startswith("_") or _NUMBERED.fullmatch(name) or name.endswith("_real")
        if private or name in _OWN | PART_NAMES | adjoints | in_group | lengths | chance:
            raise LoweringError(
                f"{layer.name} has a letter with the Python name {name}, which its file needs for "
                "something else; rename it with python='…'"
            )
