"""The functions of a layer's module: what each takes, checks, hands to its kernel and returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from symopt.declaration import Layer, Loss
from symopt.declaration.axes import Axes
from symopt.derivation.inference import at_inference
from symopt.derivation.layer import Backward
from symopt.derivation.running import corrections
from symopt.notation import Label
from symopt.program.group_kernel import ELEMENT, GROUP, LEARNED, GroupKernel
from symopt.program.ir import (
    ARRAY,
    COUNT,
    NUMBER,
    STEP,
    WORD,
    Argument,
)
from symopt.program.layer_letters import name_of
from symopt.program.lower_backward import lower_backward
from symopt.program.lower_layer import (
    lower_forward,
    lower_inference,
    lower_running,
)
from symopt.targets.calling import number_check, signature
from symopt.targets.layer_calls import called
from symopt.targets.layer_draws import (
    checked_words,
    drawn_arrays,
    drawn_numbers,
    word_words,
    words_of,
)
from symopt.targets.layer_known import is_met_again, met_again
from symopt.targets.layer_names import GROUPS, LayerKernels, check_names
from symopt.targets.layer_shapes import AVERAGE, LABEL, group_shape, input_shape, quoted
from symopt.targets.ranges import admissible


def layer_kernels(layer: Layer, backward: Backward) -> LayerKernels:
    """All kernels of a layer.

    Raises
    ------
    LoweringError
        If a letter of the layer has a name that its functions need for something else.
    """
    check_names(layer)
    later, corrected, axes = at_inference(layer), corrections(layer), layer.axes

    def inference(flat: Axes | None) -> GroupKernel:
        return lower_inference(layer, later, corrected, flat)

    return LayerKernels(
        _with_flat(partial(lower_forward, backward), axes),
        _with_flat(partial(lower_backward, backward), axes),
        lower_running(layer),
        _with_flat(inference, axes) if later else None,
    )


def _with_flat(lower: Callable[[Axes | None], GroupKernel], axes: Axes) -> GroupKernel:
    """The kernel, and beside it the flat one, where there is one."""
    if axes.flat is None:
        return lower(None)
    return replace(lower(None), flat=replace(lower(axes.flat), channels_last=axes.channels_last))


def functions(layer: Layer, kernels: LayerKernels) -> list[dict[str, Any]]:
    """The public functions of the module, in the order in which they are shown."""
    read = statistics_kept(kernels)
    found = [
        _function(layer, kernels, "forward", kernels.forward, read),
        _function(layer, kernels, "backward", kernels.backward, ()),
    ]
    if kernels.inference is not None:
        one = kernels.inference
        found.append(_function(layer, kernels, "inference", one, ()))
    return found


def statistics_kept(kernels: LayerKernels) -> tuple[str, ...]:
    """The statistics that forward returns: those that backward takes."""
    taken = kernels.backward.statistics
    return tuple(name for name, _ in kernels.forward.results if name in taken)


def arguments(layer: Layer, kernels: LayerKernels, name: str) -> tuple[Argument, ...]:
    """What a function takes: elements, learned numbers, statistics or averages, then numbers."""
    one: GroupKernel = getattr(kernels, name)
    # where no element is read, as for a gradient that is 0, the input still tells the shape
    read = one.inputs or kernels.forward.inputs[:1]
    inputs = sorted(read, key=lambda key: key in kernels.forward.inputs)
    groups = (*one.statistics, *kernels.averages) if name == "forward" else one.statistics
    numbers = {a.name: a for a in one.kernel.of_kind(NUMBER, STEP)}
    if name == "forward" and kernels.running is not None:
        numbers |= {a.name: a for a in kernels.running.kernel.of_kind(NUMBER)}
    numbers |= drawn_numbers(one.drawn)
    defaults = {k.spelling.python: v for k, v in layer.default_values.items()}
    own = [Argument(GROUPS, STEP)] if "G" in layer.axes.kept else []
    own += [numbers[key] for key in sorted(numbers) if numbers[key].kind == STEP]
    own += words_of(one.drawn)
    own += [
        Argument(key, NUMBER, domain=numbers[key].domain, default=defaults.get(key))
        for key in sorted(numbers)
        if numbers[key].kind == NUMBER
    ]
    first, labels = outer_and_labels(layer, groups)
    rest = [key for key in groups if key not in (*first, *labels)]
    arrays = (*first, *inputs, *labels, *_learned(layer, kernels, one), *rest)
    return (
        *(
            Argument(key, ARRAY, written=key in kernels.averages and name == "forward")
            for key in arrays
        ),
        *own,
    )


def outer_and_labels(layer: Layer, groups: Iterable[str]) -> tuple[list[str], list[str]]:
    """Of the numbers that groups have: the gradient by a loss, and the labels."""
    labels = {s.spelling.python for _, one in layer.equations for s in one.right.atoms(Label)}
    outer = f"d{name_of(layer.equations[-1][1].left)}"
    several = tuple(groups)
    return [one for one in several if one == outer], [one for one in several if one in labels]


def _learned(layer: Layer, kernels: LayerKernels, one: GroupKernel) -> tuple[str, ...]:
    """The learned numbers that are read; a shape that follows from one needs it in any case."""
    first = kernels.forward.learned[:1] if "R" in layer.axes.kept else ()
    return one.learned or first


def _function(
    layer: Layer,
    kernels: LayerKernels,
    name: str,
    one: GroupKernel,
    kept: tuple[str, ...],
) -> dict[str, Any]:
    taken = arguments(layer, kernels, name)
    first, labels = outer_and_labels(layer, one.statistics)
    model = next(a.name for a in taken if a.kind == ARRAY and a.name not in first)
    learned = _learned(layer, kernels, one)
    kinds = {
        **dict.fromkeys((*kernels.forward.inputs, *one.inputs), ELEMENT),
        **dict.fromkeys(learned, LEARNED),
        **dict.fromkeys(one.statistics, GROUP),
        **dict.fromkeys(kernels.averages, AVERAGE),
        **dict.fromkeys(labels, LABEL),
        **dict.fromkeys((drawing.name for drawing in one.drawn), ELEMENT),
    }
    arrays = [argument for argument in taken if argument.kind == ARRAY]
    lines = ["_check_reduction(reduction)"] if isinstance(layer, Loss) else []
    lines += [f"{a.name} = {number_check(a)}" for a in taken if a.kind == NUMBER]
    steps = [a.name for a in taken if a.kind == STEP and a.name != GROUPS]
    lines += [f"{one} = _check_step({one})" for one in steps]
    lines += checked_words(one.drawn)
    lines.append(f"shapes = _shapes({', '.join([model, *_shape_from(layer, learned)])})")
    if isinstance(layer, Loss) and first:
        lines.append(f"{first[0]} = _spread({first[0]}, shapes, {model}.dtype, reduction, kept)")
    lines += [_array_line(a, kinds[a.name], model) for a in arrays]
    if name == "forward" and kernels.averages:
        inside = [f'    {{"{a.name}": {a.name}}} |' for a in arrays]
        inside[-1] = inside[-1].removesuffix(" |") + ","
        lines += ["_check_apart(", *inside, f"    written={quoted(kernels.averages)},", ")"]
    lines += drawn_arrays(one, model)
    lines += [_made(one, result, kind, model) for result, kind in one.results]
    (main, _), *_ = one.results
    results = [key for key, kind in one.results if kind != GROUP or key in (main, *kept)]
    running = kernels.running if name == "forward" else None
    if is_met_again(layer, kernels):
        lines = met_again(name, one, running, taken, kinds, model, lines, results)
    else:
        lines += called(one, kinds, model)
        if running is not None:
            lines += [f"{a.name} = shapes.count" for a in running.kernel.of_kind(COUNT)]
            lines += called(running, {}, model)
    returned = [_narrowed(one, key, model) for key in results]
    if isinstance(layer, Loss) and name == "forward":
        returned[0] = f"_reduced({returned[0]}, shapes, reduction)"
    return {
        "name": name,
        "signature": [_loosely(one, first) for one in in_full(layer, taken)],
        "returns": results,
        "summary": _SUMMARIES[name],
        "words": [described(layer, a, kinds.get(a.name, "")) for a in taken],
        "lines": lines,
        "returned": ", ".join(returned),
        "single": len(returned) == 1,
    }


def _array_line(one: Argument, kind: str, model: str) -> str:
    if kind == LABEL:
        return f'{one.name} = _labels("{one.name}", {one.name}, shapes)'
    written = "WRITTEN" if one.written else "READ"
    return (
        f'{one.name} = _array("{one.name}", {one.name}, shapes, "{kind}", {model}.dtype, {written})'
    )


def in_full(layer: Layer, taken: tuple[Argument, ...]) -> list[str]:
    """The arguments, then by name: how losses become one number, and where results are kept."""
    found = signature(taken)
    by_name = ['reduction: str = "mean"'] if isinstance(layer, Loss) else []
    by_name.append("kept: dict[Any, Any] | None = None")
    return [*found, *([] if "*" in found else ["*"]), *by_name]


def _loosely(line: str, first: list[str]) -> str:
    """The gradient by a loss may be a number."""
    return f"{first[0]}: Any" if first and line == f"{first[0]}: np.ndarray" else line


_SUMMARIES = {
    "forward": "The layer in training",
    "backward": "The gradients of a loss, given its gradient by the output",
    "inference": "The layer once training is over",
}


def _shape_from(layer: Layer, learned: tuple[str, ...]) -> list[str]:
    if "G" in layer.axes.kept:
        return [GROUPS]
    if "R" in layer.axes.kept:
        return [learned[0] if learned else "None"]
    return []


def _made(one: GroupKernel, result: str, kind: str, model: str) -> str:
    if result in one.gathered:  # over all that share it, in float64
        shape = "(shapes.parts, *shapes.learned)" if result in one.partial else "shapes.learned"
        return f'{result} = _zeros("{result}", {shape}, kept)'
    if kind == ELEMENT and one.flat and one.flat.channels_last:
        return f'{result} = _element_result("{result}", shapes, {model}.dtype, kept)'
    return f'{result} = _result("{result}", shapes.{kind}, {model}.dtype, kept)'


def _narrowed(one: GroupKernel, result: str, model: str) -> str:
    """What is returned: of totals, the sum in the arrays' dtype."""
    if result not in one.gathered:
        return result
    narrowing = "_summed" if result in one.partial else "_narrowed"
    return f'{narrowing}("{result}", {result}, {model}.dtype, kept)'


def described(layer: Layer, one: Argument, kind: str) -> str:
    """What a docstring says of an argument."""
    if one.kind == ARRAY:
        words = {
            ELEMENT: f"an array of shape {input_shape(layer)}",
            LEARNED: f"one number for each {layer.per}",
            GROUP: f"one number for each group, of shape {group_shape(layer)}",
            AVERAGE: f"one number for each group, of shape {group_shape(layer)}, or in float64",
            LABEL: f"whole numbers from 0 on, of shape {group_shape(layer)}",
        }[kind]
        return f"{one.name}: {words}{', updated in place' if one.written else ''}."
    if one.name == GROUPS:
        return f"{one.name}: into how many groups the channels are split; it divides C."
    if one.kind == STEP:
        return f"{one.name}: the number of batches that the running averages have seen."
    if one.kind == WORD:
        return word_words(one)
    assert one.domain is not None
    tail = "" if one.default is None else f", by default {one.default!r}"
    return f"{one.name}: a number in {admissible(one.name, one.domain)[1]}{tail}."
