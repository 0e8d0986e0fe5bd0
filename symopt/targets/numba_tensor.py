"""A tensor layer as a Python module that stands alone: matrix products, Numba kernels, a class."""

from __future__ import annotations

from typing import Any

from sympy import Expr, Integer

from symopt.declaration import TensorLayer
from symopt.declaration.outline import entries
from symopt.derivation.api import statements
from symopt.derivation.steps import in_words
from symopt.derivation.tensor_layer import TensorBackward, derive_tensor_layer
from symopt.notation import Hyperparameter, Index
from symopt.printing.unicode import unicode
from symopt.program.ir import Kernel
from symopt.program.lower_tensor import TensorProgram, lower_tensor
from symopt.program.tensor_ir import Added, Blocks, IfFinite, nodes
from symopt.targets.elementary import elementary_words
from symopt.targets.numba_layer import shown_lines
from symopt.targets.numba_rule import dtype_words, heading, wrapped
from symopt.targets.python_code import lines
from symopt.targets.target import Options
from symopt.targets.templates import render
from symopt.targets.tensor_class import tensor_class
from symopt.targets.tensor_code import tuple_code
from symopt.targets.tensor_functions import shapes, tensor_functions
from symopt.targets.tensor_names import check_names
from symopt.targets.whole_numbers import whole_code


def render_tensor_layer(layer: TensorLayer, options: Options) -> str:
    """The text of the module."""
    backward = derive_tensor_layer(layer)
    check_names(backward)
    program = lower_tensor(backward)
    kernels = {one.name: one for one in (*program.forward.kernels, *program.backward.kernels)}
    made = tensor_class(backward, program)
    return render(
        "numba",
        "tensor.py.jinja",
        **heading(layer, statements(layer)),
        **dtype_words(options),
        derived=_derived(backward),
        sums=wrapped(_sums(program)),
        rows=[],
        kernels=[_kernel(one) for one in kernels.values()],
        **elementary_words(kernels.values(), options),
        functions=tensor_functions(backward, program),
        sizes=_sizes(backward),
        needs=_needs(program, bool(made["number_names"]), layer),
        **{"class": made},
    )


def _derived(backward: TensorBackward) -> list[str]:
    """The last line of each derivation: shapes, and each gradient in closed form."""
    rows = {}
    for derivation in backward.derivations:
        for line, (formula, _, _) in zip(derivation.lines, derivation.rows(), strict=True):
            rows[line.left] = formula
    assumed = [in_words(one) for one in backward.derivation.assumptions]
    return [*rows.values(), *assumed]


def _sums(program: TensorProgram) -> str:
    """Where sums are carried out in which precision, and how far they may be off."""
    kinds: dict[str, list[str]] = {}
    for function in (program.forward, program.backward):
        added = {one.target for one in nodes(function.body) if isinstance(one, Added)}
        for one in function.results:
            words = "in the arrays' dtype"
            if one.wide:
                words = "in float64, rounded once"
                if one.name in added:
                    words = "in the arrays' dtype within an example and in float64 over them"
            kinds.setdefault(words, []).append(one.name)
    listed = "; ".join(f"{', '.join(names)} {words}" for words, names in kinds.items())
    return (
        f"Products are added up in any order: {listed}. A sum of T products of f factors is off by "
        "at most T + f + 2 roundings of the sum of their magnitudes, and those of a number before "
        "it."
    )


def _kernel(kernel: Kernel) -> dict[str, Any]:
    numbers, body = lines(kernel)
    typed = any("real(" in line for line, _ in (*numbers, *body))
    head = [f"real = {kernel.over}.dtype.type"] if typed else []
    return {
        "name": kernel.name,
        "arguments": ", ".join(argument.name for argument in kernel.arguments),
        "lines": [*head, *shown_lines(numbers), *shown_lines(body)],
        "result": "",
    }


def _sizes(backward: TensorBackward) -> dict[str, Any]:
    """How lengths are read off arrays, and what follows from them."""
    layer = backward.layer
    whole = [one for one in layer.hyperparameters if one.is_integer]
    lengths = {one for shape in layer.outline.shapes.values() for one in shape}
    fixed = [one for one in lengths if isinstance(one, Integer)]
    given = [one for one in whole if one in lengths]
    return {
        "shapes": [
            (name, tuple_code(f'"{one}"' for one in _letters(backward, name)))
            for name in shapes(backward)
        ],
        "signature": ", ".join(
            ["arrays: dict[str, np.ndarray]", *(f"{one}: int" for one in whole)]
        ),
        "known": [
            *(f'"{one}": ({one}, "as declared")' for one in sorted(fixed, key=int)),
            *(f'"{one}": ({one}, "as given")' for one in given),
        ],
        "occupied": _occupied(backward),
        "last": [_last(letter, place) for letter, place in backward.extents.last],
    }


def _occupied(backward: TensorBackward) -> list[str]:
    """The axes along which an array is read at places that are there if the axis has any."""
    outline = backward.layer.outline
    found = {
        f'("{entry.base.spelling.python}", {axis})'
        for entry in entries(outline.equation.right)
        for axis, place in enumerate(entry.indices)
        if not isinstance(place, Index)
        and outline.margins[entry.base][axis] == (0, 0)
        and not any(place.has(one) for one in outline.sought)
    }
    return sorted(found)


def _letters(backward: TensorBackward, name: str) -> tuple[Expr, ...]:
    outline = backward.layer.outline
    found: dict[str, tuple[Expr, ...]] = {
        one.spelling.python: outline.shapes[one] for one in outline.arrays
    }
    return found.get(name, outline.output_shape)


def _last(letter: Expr, place: Expr) -> dict[str, Any]:
    """A length of the output from others: its formula, its code, and the letters in it."""
    symbols = sorted(place.free_symbols, key=str)
    read = {
        str(one): str(one) if isinstance(one, Hyperparameter) else f'found["{one}"][0]'
        for one in symbols
    }
    return {
        "letter": str(letter),
        "formula": unicode(place),
        "code": whole_code(place, read),
        "table": ", ".join(f'"{unicode(one)}": {read[str(one)]}' for one in symbols),
    }


def _needs(program: TensorProgram, numbers: bool, layer: TensorLayer) -> dict[str, bool]:
    """Which helpers a module takes."""
    functions = (program.forward, program.backward)
    inside = [node for one in functions for node in nodes(one.body)]
    return {
        "finite": any(isinstance(node, IfFinite) for node in inside),
        "blocks": any(isinstance(node, Blocks) for node in inside),
        "wide": any(result.wide for one in functions for result in one.results),
        "numbers": numbers,
        "whole": any(one.is_integer for one in layer.hyperparameters),
    }
