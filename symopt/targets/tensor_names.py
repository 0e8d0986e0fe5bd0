"""Whether the names of a tensor layer's letters leave room for all others in its file."""

from __future__ import annotations

from symopt.derivation.tensor_layer import TensorBackward
from symopt.errors import LoweringError
from symopt.program.contractions import MADE
from symopt.program.lower_tensor import OWN as KERNELS
from symopt.program.lower_tensor import letter_names
from symopt.targets.tensor_code import OWN as LINES

_MODULE = {
    "DTYPES", "SHAPES", "WINDOWS", "arrays", "averages", "backward", "deviation", "dtype", "error",
    "evaluate", "forward", "found", "given", "gradients", "hyperparameters", "key", "kept",
    "load_state_dict", "mine", "names", "numbers", "one", "outlines", "parameters", "real", "reuse",
    "saved", "seed", "shape", "sizes", "state_dict", "train", "training", "wrong",
}  # fmt: skip


def check_names(backward: TensorBackward) -> None:
    """Nothing, when no letter of the layer is called like something else in its module.

    Raises
    ------
    LoweringError
        Names the letter that has to be renamed.
    """
    layer = backward.layer
    letters = sorted(letter_names(backward))
    outline = layer.outline
    own = [one.spelling.python for one in (*outline.arrays, outline.output.base)]
    clashes = {f"d{name}" for name in own} & ({*own} | set(map(str, layer.hyperparameters)))
    clashes |= {f"d{name}" for name in own} & set(map(str, outline.ranges.values()))
    for name in letters:
        private = name.startswith("_") or MADE.fullmatch(name)
        if private or name in {*_MODULE, *KERNELS, *LINES, *clashes}:
            raise LoweringError(
                f"{layer.name} has a letter with the Python name {name}, which its file needs for "
                "something else; rename it with python='…'"
            )
