"""The calls of a layer's kernels: over all parts, and of the flat one where the input is flat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from symopt.program.group_kernel import ELEMENT, GROUP, GroupKernel
from symopt.program.ir import (
    ARRAY,
    NEAR_LEARNED,
    NEAR_TOTALS,
    STREAM,
    TOTALS,
    TYPED,
    WIDE,
    Argument,
)
from symopt.program.parts import PART_ARGUMENTS, STAGE_ARGUMENTS
from symopt.targets.layer_shapes import LABEL


def called(one: GroupKernel, kinds: Mapping[str, str], model: str) -> list[str]:
    """The call of a kernel over all parts, of the flat one where the input is flat."""
    if not one.in_parts:
        return [f"{one.kernel.name}(", *passed(one, kinds, model), ")"]
    lines = _over_parts(one, kinds, model)
    if one.flat:
        flat = _over_parts(one.flat, kinds, model)
        lines = ["if shapes.flat:", *_indented(flat), "else:", *_indented(lines)]
    if not one.faults:
        return lines
    noted = f"fault = np.zeros((shapes.parts, {1 + len(one.kept)}), np.int64)"
    return [noted, *lines, f"_check_fault(fault, {one.kernel.name.upper()}_FAULTS)"]


def passed(one: GroupKernel, kinds: Mapping[str, str], model: str) -> list[str]:
    """What a kernel is handed, but for its parts: a line for each argument."""
    if not one.in_parts:
        return [
            f"    {a.name}.reshape(shapes.running_walked)," if a.kind == ARRAY else f"    {a.name},"
            for a in one.kernel.arguments
        ]
    kinds = {**kinds, **dict(one.results)}
    kinds = {key: GROUP if kind == LABEL else kind for key, kind in kinds.items()}
    found = (_passed(one, a, kinds, model) for a in one.kernel.arguments)
    return [f"    {part}," for part in found if part]


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _over_parts(one: GroupKernel, kinds: Mapping[str, str], model: str) -> list[str]:
    name = one.kernel.name
    return [
        f"_over_parts({name}_shared, {name}, shapes.parts,",
        *passed(one, kinds, model),
        ")",
    ]


def _passed(one: GroupKernel, argument: Argument, kinds: Mapping[str, str], model: str) -> str:
    name = argument.name
    if argument in PART_ARGUMENTS:  # which ``_over_parts`` knows
        return ""
    if argument in STAGE_ARGUMENTS:
        return str(one.stages) if argument == STAGE_ARGUMENTS[-1] else "0"
    if argument.kind == ARRAY and kinds[name] == ELEMENT and one.channels_last:
        return f"_walked({name}, shapes)"
    if argument.kind == ARRAY:
        shape = f"shapes.{kinds[name]}_walked"
        return f"{name}.reshape({f'(shapes.parts, *{shape})' if name in one.partial else shape})"
    if argument.kind == STREAM:
        written = next(key for key, kind in one.results if kind == ELEMENT)
        return f"_streams({written}, shapes.element_walked)"
    if argument.kind in _OWN:
        shape, typed = _OWN[argument.kind]
        dtype = f"{model}.dtype" if typed else "np.float64"
        return f'_result("{name}", {shape}, {dtype}, kept)'
    return name


# the shapes of a kernel's own arrays, and whether they are of the arrays' dtype
_OWN = {
    TOTALS: ("(shapes.parts, *shapes.group_walked)", False),
    WIDE: ("shapes.group_walked", False),
    TYPED: ("shapes.group_walked", True),
    NEAR_TOTALS: ("(shapes.parts, *shapes.group_walked)", True),
    NEAR_LEARNED: ("(shapes.parts, *shapes.learned_walked)", True),
}
