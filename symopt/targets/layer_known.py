"""Calls of a layer's function that are checked once, and met again with arrays that have moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from symopt.declaration import Layer, Loss
from symopt.program.group_kernel import ELEMENT, GroupKernel
from symopt.program.ir import ARRAY, COUNT, Argument
from symopt.targets.layer_calls import passed
from symopt.targets.layer_names import LayerKernels


def is_met_again(layer: Layer, kernels: LayerKernels) -> bool:
    """Whether all that can be wrong with a call lies in its numbers and in how its arrays lie.

    Labels may be wrong by what they hold, and what is drawn differs from call to call.
    """
    return not isinstance(layer, Loss) and not kernels.forward.drawn


def met_again(
    name: str,
    one: GroupKernel,
    running: GroupKernel | None,
    taken: Iterable[Argument],
    kinds: Mapping[str, str],
    model: str,
    checks: Iterable[str],
    results: Iterable[str],
) -> list[str]:
    """The lines of a function whose ``checks`` are made only where its call is a new one.

    Checks end with all arrays at hand. A ``running`` kernel follows.
    """
    taken, results = tuple(taken), tuple(results)
    arrays = [a for a in taken if a.kind == ARRAY]
    numbers = [a.name for a in taken if a.kind != ARRAY]
    given = ", ".join(a.name for a in arrays)
    made = [*checks, *_work(one, kinds, model)]
    made.append(f"call.results = {_tuple(results)}")
    if one.gathered:
        made.append(f"call.totals = {_tuple(one.gathered)}")
    if one.faults:
        made.append("call.noted = fault")
    if running is not None:
        made += [f"{a.name} = shapes.count" for a in running.kernel.of_kind(COUNT)]
        made += ["call.later = (", *passed(running, {}, model), ")"]
    moving = [kinds[a.name] == ELEMENT for a in arrays]
    places = [_place(one, a.name) if moves else -1 for a, moves in zip(arrays, moving, strict=True)]
    written = [a.written for a in arrays]
    made += [
        "_keep(",
        f'    kept, "{name}", call, given, numbers, [{given}], shapes,',
        f"    places={_tuple(map(str, places))},",
        f"    written={_tuple(map(str, written))},",
        ")",
    ]
    lines = [
        f"given, numbers = [{given}], {_tuple(numbers)}",
        f'call = _known(kept, "{name}", given, numbers)',
        "if call is None:",
        *(f"    {line}" for line in made),
        "call.run()",
    ]
    if one.faults:
        lines.append(f"call.check({one.kernel.name.upper()}_FAULTS)")
    if running is not None:
        lines.append(f"{running.kernel.name}(*call.later)")
    return [*lines, f"{', '.join(results)}{',' if len(results) == 1 else ''} = call.results"]


def _work(one: GroupKernel, kinds: Mapping[str, str], model: str) -> list[str]:
    """The call that is to be made, of the flat kernel where the input is flat."""
    lines = _one_call(one, kinds, model)
    if one.flat:
        flat = (f"    {line}" for line in _one_call(one.flat, kinds, model))
        lines = ["if shapes.flat:", *flat, "else:", *(f"    {line}" for line in lines)]
    noted = f"fault = np.zeros((shapes.parts, {1 + len(one.kept)}), np.int64)"
    return [noted, *lines] if one.faults else lines


def _one_call(one: GroupKernel, kinds: Mapping[str, str], model: str) -> list[str]:
    name = one.kernel.name
    return [
        f"call = _Call({name}_shared, {name}, shapes.parts, [",
        *passed(one, kinds, model),
        "])",
    ]


def _place(one: GroupKernel, name: str) -> int:
    """Which argument of the kernel an array is; -1 where it reads nothing but its shape."""
    names = [a.name for a in one.kernel.arguments]
    return names.index(name) if name in names else -1


def _tuple(parts: Iterable[str]) -> str:
    parts = tuple(parts)
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
