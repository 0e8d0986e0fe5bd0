"""The class of a tensor layer's module: what it learns, where that starts, and its numbers."""

from __future__ import annotations

from typing import Any

from sympy import Expr, Pow, S

from symopt.derivation.tensor_layer import TensorBackward
from symopt.derivation.tensor_sizes import class_letters
from symopt.nodes import Normal
from symopt.notation import Hyperparameter, Sequence
from symopt.program.lower_tensor import TensorProgram
from symopt.program.tensor_ir import TensorFunction
from symopt.targets.numba_rule import class_name
from symopt.targets.python_code import number_code
from symopt.targets.tensor_code import tuple_code
from symopt.targets.tensor_functions import number_check, number_signature, taken_numbers
from symopt.targets.whole_numbers import whole_code
from symopt.views import canonical


def tensor_class(backward: TensorBackward, program: TensorProgram) -> dict[str, Any]:
    """All that the templates of the class lay out."""
    layer = backward.layer
    outline = layer.outline
    sizes = [str(one) for one in class_letters(layer)]
    starts = dict(layer.initial)
    open_starts = [one.spelling.python for one in outline.learned if one not in starts]
    inputs = [one.spelling.python for one in outline.inputs]
    learned = [one.spelling.python for one in outline.learned]
    y = outline.output.base.spelling.python
    numbers = layer.hyperparameters
    return {
        "name": class_name(layer.name),
        "sizes": [f"{one}: int" for one in sizes],
        "starts": [f"{one}: float" for one in open_starts],
        "numbers": number_signature(layer.default_values, numbers),
        "number_names": [str(one) for one in numbers],
        "number_signature": ", ".join(f"{one}: Any" for one in numbers),
        "number_table": [f'"{one}": {number_check(one)}' for one in numbers],
        "size_checks": [f'_check_size("{one}", {one})' for one in sizes],
        "read_numbers": [str(one) for one in _read_at_start(backward)],
        "learned": [_learned(backward, one, starts) for one in outline.learned],
        "starts_drawn": any(isinstance(one, Normal) for one in starts.values()),
        "learned_table": ", ".join(f'"{one}": self.{one}' for one in learned),
        "inputs": inputs,
        "inference": [],
        "counts": False,
        "draws": False,
        "has_groups": False,
        "forward": _passed(backward, program.forward, inputs, learned, ""),
        "backward": _passed(backward, program.backward, inputs, learned, f"d{y}"),
        "results": [y],
        "saved_table": ", ".join(f'"{one}": {one}' for one in inputs),
        "adjoint": f"d{y}: np.ndarray",
        "gradients": ", ".join(f'"{one.name}"' for one in program.backward.results),
        "input_gradients": ", ".join(f'gradients["d{one}"]' for one in inputs),
        "input_gradient_type": "np.ndarray" if len(inputs) == 1 else "tuple[np.ndarray, ...]",
    }


def _read_at_start(backward: TensorBackward) -> list[Hyperparameter]:
    """The hyperparameters on which shapes or starts depend."""
    layer = backward.layer
    exprs: list[Expr] = [start for _, start in layer.initial]
    exprs += [one for letter in layer.outline.learned for one in layer.outline.shapes[letter]]
    used = {symbol for one in exprs for symbol in one.free_symbols}
    return [one for one in layer.hyperparameters if one in used]


def _learned(
    backward: TensorBackward, letter: Sequence, starts: dict[Sequence, Expr]
) -> tuple[str, str]:
    """The name of what is learned, and the code that makes it."""
    name = letter.spelling.python
    shape = tuple_code(map(whole_code, backward.layer.outline.shapes[letter]))
    start = starts.get(letter)
    if isinstance(start, Normal):
        return name, f"_drawn(numbers, {shape}, {_deviation(start)}, dtype)"
    value = name if start is None else number_code(canonical(start))
    return name, f"np.full({shape}, {value}, dtype)"


def _deviation(start: Normal) -> str:
    """The standard deviation as code: one root in place of a product of roots."""
    deviation = canonical(start.deviation)
    rooted = any(not one.exp.is_Integer for one in deviation.atoms(Pow))
    return number_code(Pow(start.variance, S.Half, evaluate=False) if rooted else deviation)


def _passed(
    backward: TensorBackward,
    function: TensorFunction,
    inputs: list[str],
    learned: list[str],
    outer: str,
) -> list[str]:
    """The arguments of a function from what an object holds or has saved."""
    found = []
    for one in function.arrays:
        value = one
        if one in learned:
            value = f"self.{one}"
        elif one in inputs and outer:
            value = f'saved["{one}"]'
        found.append(f"{one}={value}")
    numbers = taken_numbers(backward, function)
    return [*found, *(f'{one}=self.hyperparameters["{one}"]' for one in numbers)]
