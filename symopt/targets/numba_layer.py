"""A layer as a Python module of Numba kernels that stands alone: functions and a class."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from symopt.declaration import Layer, Loss
from symopt.derivation.api import statements
from symopt.derivation.layer import derive_layer
from symopt.derivation.unbiased import scales
from symopt.printing.unicode import UnicodePrinter, unicode
from symopt.program.group_kernel import GroupKernel
from symopt.program.ir import STREAM, Kernel, RowFunction, Scratch
from symopt.program.parts import FIRST, LAST, PARTS, SINCE, UNTIL
from symopt.program.sweeps import BLOCK, NOTHING
from symopt.targets.elementary import elementary_words
from symopt.targets.layer_class import class_words
from symopt.targets.layer_functions import functions, layer_kernels
from symopt.targets.layer_known import is_met_again
from symopt.targets.layer_mask import mask_function
from symopt.targets.layer_shapes import quoted, shape_words
from symopt.targets.numba_rule import dtype_words, heading
from symopt.targets.python_code import lines, number_code
from symopt.targets.row_code import row_lines
from symopt.targets.taking import combined
from symopt.targets.target import Options
from symopt.targets.templates import render


def render_layer(layer: Layer, options: Options) -> str:
    """The text of the module."""
    return render("numba", "layer.py.jinja", **layer_words(layer, options))


def layer_words(layer: Layer, options: Options) -> dict[str, Any]:
    """All that the templates of a layer lay out, with its kernels as lines of Python."""
    backward = derive_layer(layer)
    kernels = layer_kernels(layer, backward)
    made = [each for one in kernels if one for each in (one, one.flat) if each]
    return {
        **heading(layer, statements(layer)),
        **dtype_words(options),
        "derived": [
            *(UnicodePrinter().equation(one.letter, one.value) for one in scales(layer)),
            *(
                formula
                for formula, _, check in backward.derivation.rows()
                if check.startswith("proved")
            ),
        ],
        "block": BLOCK,
        "rows": [_row(row) for one in made for row in one.kernel.rows],
        "kernels": [_kernel(one) for one in made],
        **elementary_words((one.kernel for one in made), options),
        "functions": [*functions(layer, kernels), *mask_function(layer)],
        "sums_apart": any(one.partial for one in made),
        "streams": any(one.kernel.of_kind(STREAM) for one in made),
        "draws": bool(kernels.forward.drawn),
        "gathers": any(one.gathered for one in made),
        "meets_again": is_met_again(layer, kernels),
        "kept": quoted(one.lower() for one in layer.axes.kept),
        "shapes": shape_words(layer),
        "is_loss": isinstance(layer, Loss),
        "class": class_words(layer, kernels),
    }


def _kernel(one: GroupKernel) -> dict[str, Any]:
    kernel: Kernel = one.kernel
    numbers, body = lines(kernel)
    typed = any("real(" in line for line, _ in (*numbers, *body))
    head = [f"real = {kernel.over}.dtype.type"] if typed else []
    if any(isinstance(one, Scratch) for one in kernel.body):
        head.insert(0, f"dtype = {kernel.over}.dtype")
    if kernel.lengths:
        head.append(f"{', '.join(kernel.lengths)}{_comma(kernel.lengths)} = {kernel.over}.shape")
    return {
        "name": kernel.name,
        "arguments": ", ".join(argument.name for argument in kernel.arguments),
        "lines": [*head, *shown_lines(numbers), *shown_lines(body)],
        "result": kernel.result,
        "shared": one.in_parts,
        "flat": one.kernel.name.endswith("_flat"),
        "stages": one.stages > 1,
        "once": one.once,
        "passed": ", ".join(a.name for a in kernel.arguments if a.name not in _WITHIN),
        "fixed": ", ".join(a.name for a in kernel.arguments if a.name not in _COUNTED),
        "faults": [f'("{id}", "{unicode(divisor)}")' for id, divisor in one.faults],
    }


# which parts a kernel does, and all that a driver counts through and passes on as it counts
_WITHIN = {one.name for one in (FIRST, LAST)}
_COUNTED = {one.name for one in (FIRST, LAST, SINCE, UNTIL, PARTS)}


def _comma(parts: Iterable[str]) -> str:
    return "," if len(tuple(parts)) == 1 else ""


def _row(row: RowFunction) -> dict[str, Any]:
    numbers, body = row_lines(row)
    names = [f"sum_{k}" for k in range(1, len(row.parts) + 1)]
    return {
        "name": row.name,
        "arguments": ", ".join((*row.arrays, *row.numbers)),
        "model": row.arrays[0],
        "counter": row.counter.name,
        "views": list(zip(row.blocks, row.arrays, strict=True)),
        "places": row.places,
        "numbers": shown_lines(numbers),
        "lines": shown_lines(body),
        "pairs": [
            {
                "sum": name,
                "part": part.name,
                "nothing": number_code(NOTHING[how]),
                "empty": f"_rank({empty})" if how == "max" else empty,
                "taken": combined(name, how, f"_ranked({part})" if how == "max" else part.name),
            }
            for name, part, how in zip(names, row.parts, row.combine, strict=True)
            for empty in [f"real({number_code(NOTHING[how])})"]
        ],
        "result": ", ".join(names),
    }


def shown_lines(part: Iterable[tuple[str, str]]) -> list[str]:
    """Lines with the ids of equations in a column of their own."""
    part = list(part)
    column = min(72, max((len(line) for line, note in part if note), default=0))
    return [f"{line:<{column}}  # {note}" if note else line for line, note in part]
