"""The functions of a tensor layer's module: what each takes, checks, does and returns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from symopt.derivation.tensor_layer import TensorBackward
from symopt.notation import Hyperparameter
from symopt.printing.unicode import unicode
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
    read = function.letters
    return [one for one in backward.layer.hyperparameters if one.is_integer or str(one) in read]


def _function(backward: TensorBackward, function: TensorFunction) -> dict[str, Any]:
    defaults = backward.layer.default_values
    numbers = taken_numbers(backward, function)
    returned = [
        f'_narrowed("{one.name}", {one.name}, {function.arrays[0]}.dtype, kept)'
        if one.wide
        else one.name
        for one in function.results
    ]
    words = shapes(backward)
    return {
        "name": function.name,
        "signature": [
            *(f"{one}: np.ndarray" for one in function.arrays),
            *number_signature(defaults, numbers),
            "*",
            "kept: dict[Any, np.ndarray] | None = None",
        ],
        "single": len(returned) == 1,
        "summary": _SUMMARIES[function.name],
        "returns": [one.name for one in function.results],
        "words": [
            *(f"{one}: an array of shape {words[one]}." for one in function.arrays),
            *(_number_words(defaults, one) for one in numbers),
        ],
        "lines": [
            *(f"{one} = {number_check(one)}" for one in numbers),
            *_arrays_and_sizes(backward, function, numbers),
            *_results(function),
            *_body(function),
        ],
        "returned": ", ".join(returned),
    }


def _arrays_and_sizes(
    backward: TensorBackward, function: TensorFunction, numbers: Iterable[Hyperparameter]
) -> Iterator[str]:
    """What is handed over, checked, with the lengths that it tells."""
    table = ", ".join(f'"{one}": {one}' for one in function.arrays)
    whole = [str(one) for one in numbers if one.is_integer]
    yield f"arrays = {{{table}}}"
    yield "_check_arrays(arrays)"
    yield f"sizes = _sizes({', '.join(['arrays', *whole])})"
    letters = [one for one in size_letters(backward) if one in function.letters]
    if letters:
        values = (f'sizes["{one}"]' for one in letters)
        yield from call(f"{_several(letters)} = (", values, ")" if len(letters) > 1 else ",)")
    yield f"{_several(function.arrays)} = (np.ascontiguousarray(one) for one in arrays.values())"


def _several(names: Sequence[str]) -> str:
    """Names that a tuple is taken apart into."""
    return ", ".join(names) + ("," if len(names) == 1 else "")


def _results(function: TensorFunction) -> Iterator[str]:
    """Where results are written."""
    for one in function.results:
        shape = tuple_code(map(whole_code, one.lengths))
        if one.wide:
            yield f'{one.name} = _zeros("{one.name}", {shape}, kept)'
        else:
            made = f'_result("{one.name}", {shape}, {function.arrays[0]}.dtype, kept)'
            yield f"{one.name} = {made}"


def _body(function: TensorFunction) -> Iterator[str]:
    """What is done; what is no finite number is passed on without a word, as kernels do."""
    lines = host_lines(function.body, Names(function.arrays[0]))
    if any(isinstance(node, MatrixProduct) for node in nodes(function.body)):
        yield 'with np.errstate(over="ignore", invalid="ignore"):'
        yield from (f"    {line}" for line in lines)
    else:
        yield from lines


def shapes(backward: TensorBackward) -> dict[str, str]:
    """The shapes of all arrays that functions take, in words."""
    outline = backward.layer.outline
    y = outline.output.base.spelling.python
    found = {one.spelling.python: outline.shapes[one] for one in outline.arrays}
    found[f"d{y}"] = outline.output_shape
    return {name: tuple_code(map(str, lengths)) for name, lengths in found.items()}


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
