"""The class of a layer's module: its parameters, running averages and hyperparameters."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from symopt.declaration import Layer, Loss
from symopt.program.ir import NUMBER, STEP, WORD, Argument
from symopt.program.randomness import WORDS
from symopt.targets.calling import number_check
from symopt.targets.layer_functions import arguments, outer_and_labels, statistics_kept
from symopt.targets.layer_names import GROUPS, LayerKernels
from symopt.targets.numba_rule import class_name


def class_words(layer: Layer, kernels: LayerKernels) -> dict[str, Any]:
    """All that the template of the class lays out."""
    learned, averages = kernels.forward.learned, kernels.averages
    initial = {one.spelling.python: value for one, value in layer.initial}
    numbers = [a for a in arguments(layer, kernels, "forward") if a.kind == NUMBER]
    later = arguments(layer, kernels, "inference") if kernels.inference else ()
    open_starts = [name for name in (*learned, *averages) if name not in initial]
    _, labels = outer_and_labels(layer, kernels.forward.statistics)
    inputs = (*kernels.forward.inputs, *labels)
    saved = _saved(
        kernels, [*inputs, *statistics_kept(kernels)], arguments(layer, kernels, "backward")
    )
    output = kernels.forward.results[0][0]
    gradients = [name for name, _ in kernels.backward.results]
    sizes = _sizes(layer, bool(learned), bool(averages))
    checked = [one.partition(":")[0] for one in sizes]
    by_input = [f"d{one}" for one in kernels.forward.inputs]
    return {
        "name": class_name(layer.name),
        "sizes": sizes,
        "starts": [f"{name}: float" for name in open_starts],
        "numbers": [
            f"{one.name}: float" + ("" if one.default is None else f" = {one.default!r}")
            for one in sorted(numbers, key=lambda one: one.default is not None)
        ],
        "number_names": [one.name for one in numbers],
        "number_signature": ", ".join(f"{one.name}: Any" for one in numbers),
        "number_table": [f'"{one.name}": {number_check(one)}' for one in numbers],
        "learned": [(name, _start(name, initial), _shape(layer)) for name in learned],
        "averages": [(name, _start(name, initial), _group(layer)) for name in averages],
        "learned_table": _table(learned),
        "average_table": _table(averages),
        "counts": any(one.kind == STEP and one.name != GROUPS for one in later),
        "inputs": list(inputs),
        "forward": _passed(arguments(layer, kernels, "forward"), kernels, ()),
        "backward": _passed(arguments(layer, kernels, "backward"), kernels, saved),
        "inference": _passed(later, kernels, ()),
        "results": [output, *statistics_kept(kernels)],
        "saved_table": ", ".join(f'"{name}": {value}' for name, value in saved.items()),
        "saved_type": "Any" if kernels.forward.drawn else "np.ndarray",
        "adjoint_name": f"d{output}",
        "adjoint": f"d{output}: " + ("Any = 1.0" if isinstance(layer, Loss) else "np.ndarray"),
        "gradients": ", ".join(f'"{one}"' for one in gradients),
        "input_gradients": ", ".join(f'gradients["{one}"]' for one in by_input),
        "input_gradient_type": "np.ndarray" if len(by_input) == 1 else "tuple[np.ndarray, ...]",
        "draws": bool(kernels.forward.drawn),
        "has_groups": "G" in layer.axes.kept,
        "size_checks": [f'_check_size("{one}", {one})' for one in checked if one != GROUPS],
    }


def _table(names: Iterable[str]) -> str:
    return ", ".join(f'"{one}": self.{one}' for one in names)


def _start(name: str, initial: dict[str, Any]) -> str:
    return repr(float(initial[name])) if name in initial else name


def _sizes(layer: Layer, learned: bool, averages: bool) -> list[str]:
    """What has to be known of the input beforehand."""
    axes = layer.axes
    found: list[str] = []
    if "R" in axes.kept:
        return ["shape: int | tuple[int, ...]"] if learned else []
    if learned or "G" in axes.kept or (averages and "C" in axes.kept):
        found.append("channels: int")
    if averages and "S" in axes.kept:
        found.append("spatial: tuple[int, ...]")
    if "G" in axes.kept:
        found.append(f"{GROUPS}: int")
    return found


def _shape(layer: Layer) -> str:
    return "shape" if "R" in layer.axes.kept else "channels"


def _group(layer: Layer) -> str:
    """The shape of a running average; such a layer averages over N."""
    words = {"C": "(channels,)", "G": "(groups,)", "S": "tuple(spatial)"}
    return " + ".join(words[one] for one in layer.axes.kept) or "()"


def _saved(
    kernels: LayerKernels, arrays: Iterable[str], backward: Iterable[Argument]
) -> dict[str, str]:
    """What a call in training keeps for backward, by name.

    Where anything is drawn, that is what it was drawn by, and of the arrays those that are read.
    """
    if not kernels.forward.drawn:
        return {one: one for one in arrays}
    read = {one.name: one.kind for one in backward}
    numbers = [one for one, kind in read.items() if kind == NUMBER]
    first = kernels.forward.inputs[0]
    return {
        **{one: one for one in arrays if one in read},
        **{one: f"self.{one}" for one in WORDS},
        **{one: f'self.hyperparameters["{one}"]' for one in numbers},
        "outline": f"({first}.shape, {first}.dtype)",
    }


def _passed(taken: Iterable[Argument], kernels: LayerKernels, saved: Collection[str]) -> list[str]:
    """The arguments of a function from what an object holds or has saved."""
    own = {*kernels.forward.learned, *kernels.averages}
    found = []
    for one in taken:
        value = one.name
        if one.name in saved:
            value = f'saved["{one.name}"]'
        elif one.kind == NUMBER:
            value = f'self.hyperparameters["{one.name}"]'
        elif one.kind in (STEP, WORD) or one.name in own:
            value = f"self.{one.name}"
        found.append(f"{one.name}={value}")
    return found
