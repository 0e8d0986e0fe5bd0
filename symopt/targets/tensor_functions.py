"""The functions of a tensor layer's module: what each takes, checks, does and returns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sympy import Expr

from symopt.derivation.tensor_layer import TensorBackward
from symopt.notation import Hyperparameter
from symopt.printing.unicode import unicode
from symopt.program.ir import ARRAY
from symopt.program.lower_tensor import TensorProgram
from symopt.program.tensor_ir import MatrixProduct, TensorFunction, nodes
from symopt.targets.ranges import admissible
from symopt.targets.tensor_code import Names, call, host_lines, tuple_code
from symopt.targets.whole_numbers import whole_code

_SUMMARIES = {
    "forward": "The output of the layer",
    "backward": "The gradients of a loss, given its gradient by the output",
}


def tensor_functions(backward: TensorBackward, program: TensorProgram) -> list[dict[str, Any]]:
    """The public functions of the module, in the order in which they are shown."""
    return [_function(backward, one) for one in (program.forward, program.backward)]


def taken_numbers(backward: TensorBackward, function: TensorFunction) -> list[Hyperparameter]:
    """The hyperparameters that a function takes: those of sizes, and those that it reads."""
    read = {a.name for kernel in function.kernels for a in kernel.arguments if a.kind != ARRAY}
    read |= {str(symbol) for one in nodes(function.body) for symbol in _numbers(one)}
    return [one for one in backward.layer.hyperparameters if one.is_integer or str(one) in read]


def _numbers(node: Any) -> set[Expr]:
    number = getattr(node, "number", None)
    return number.free_symbols if number is not None else set()


def _function(backward: TensorBackward, function: TensorFunction) -> dict[str, Any]:
    layer = backward.layer
    numbers = taken_numbers(backward, function)
    whole = [str(one) for one in numbers if one.is_integer]
    model = function.arrays[0]
    lines = [f"{one} = {number_check(one)}" for one in numbers]
    table = ", ".join(f'"{one}": {one}' for one in function.arrays)
    lines.append(f"arrays = {{{table}}}")
    lines.append("_check_arrays(arrays)")
    lines.append(f"sizes = _sizes({', '.join(['arrays', *whole])})")
    letters = _used(backward, function)
    if letters:
        comma = "," if len(letters) == 1 else ""
        values = (f'sizes["{one}"]{comma}' for one in letters)
        lines += call(f"{', '.join(letters)}{comma} = (", values, ")")
    names = ", ".join(function.arrays)
    comma = "," if len(function.arrays) == 1 else ""
    lines.append(f"{names}{comma} = (np.ascontiguousarray(one) for one in arrays.values())")
    for one in function.results:
        shape = tuple_code(map(whole_code, one.lengths))
        made = f'_zeros("{one.name}", {shape}, kept)' if one.wide else (
            f'_result("{one.name}", {shape}, {model}.dtype, kept)')  # fmt: skip
        lines.append(f"{one.name} = {made}")
    body = list(host_lines(function.body, Names(model)))
    if any(isinstance(node, MatrixProduct) for node in nodes(function.body)):
        # what is no finite number is passed on without a word, as kernels do
        lines.append('with np.errstate(over="ignore", invalid="ignore"):')
        body = [f"    {line}" for line in body]
    returned = [
        f'_narrowed("{one.name}", {one.name}, {model}.dtype, kept)' if one.wide else one.name
        for one in function.results
    ]
    return {
        "name": function.name,
        "signature": [
            *(f"{one}: np.ndarray" for one in function.arrays),
            *number_signature(layer.default_values, numbers),
            *([] if "*" in number_signature(layer.default_values, numbers) else ["*"]),
            "kept: dict[Any, np.ndarray] | None = None",
        ],
        "single": len(returned) == 1,
        "summary": _SUMMARIES[function.name],
        "returns": [one.name for one in function.results],
        "words": [
            *(f"{one}: an array of shape {shapes(backward)[one]}." for one in function.arrays),
            *(_number_words(layer.default_values, one) for one in numbers),
        ],
        "lines": [*lines, *body],
        "returned": ", ".join(returned),
    }


def shapes(backward: TensorBackward) -> dict[str, str]:
    """The shapes of all arrays that functions take, in words."""
    outline = backward.layer.outline
    y = outline.output.base.spelling.python
    found = {one.spelling.python: outline.shapes[one] for one in outline.arrays}
    found[f"d{y}"] = outline.output_shape
    return {name: tuple_code(map(str, lengths)) for name, lengths in found.items()}


def _used(backward: TensorBackward, function: TensorFunction) -> list[str]:
    """The lengths that the lines of a function speak of."""
    used = {a.name for kernel in function.kernels for a in kernel.arguments if a.kind != ARRAY}
    for one in function.results:
        used |= {str(symbol) for length in one.lengths for symbol in length.free_symbols}
    for node in nodes(function.body):
        for symbol in _symbols(node):
            used.add(str(symbol))
    numbers = set(map(str, backward.layer.hyperparameters))
    return [one for one in size_letters(backward) if one in used - numbers]


def _symbols(node: Any) -> set[Expr]:
    """The letters in lengths and numbers of a node."""
    exprs: list[Expr] = []
    for side in (getattr(node, name, None) for name in ("left", "right", "target")):
        exprs += [length for group in getattr(side, "groups", ()) for length in group]
    for space in (node, *getattr(node, "spaces", ())):
        exprs += getattr(space, "lengths", ())
    exprs += [one for one in (getattr(node, "length", None),) if one is not None]
    found = {symbol for one in exprs for symbol in one.free_symbols}
    return found | _numbers(node)


def size_letters(backward: TensorBackward) -> list[str]:
    """All letters for lengths by name, in the order of arrays, those of the output's last."""
    outline = backward.layer.outline
    several = [one for letter in outline.arrays for one in outline.shapes[letter]]
    letters = (str(one) for one in (*several, *outline.output_shape) if one.is_Symbol)
    return list(dict.fromkeys(letters))


# numbers


def number_signature(
    defaults: dict[Hyperparameter, float], numbers: Iterable[Hyperparameter]
) -> list[str]:
    """Numbers with types and defaults; those without one come first."""
    found: list[str] = []
    for one in sorted(numbers, key=lambda one: one in defaults):
        kind = "int" if one.is_integer else "float"
        found.append(f"{one}: {kind}" + (f" = {defaults[one]!r}" if one in defaults else ""))
    return found


def number_check(one: Hyperparameter) -> str:
    """The call that checks a number against its range."""
    code, words = admissible(str(one), one.domain, variable="x")
    check = "_check_whole" if one.is_integer else "_check_number"
    return f'{check}("{one}", {one}, lambda x: {code}, "{words}")'


def _number_words(defaults: dict[Hyperparameter, float], one: Hyperparameter) -> str:
    tail = f", by default {defaults[one]!r}" if one in defaults else ""
    named = f"; {unicode(one)} in the formulas" if unicode(one) != str(one) else ""
    return f"{one}: a number in {admissible(str(one), one.domain)[1]}{tail}{named}."
