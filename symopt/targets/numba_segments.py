"""How a kernel of an update rule is run over stretches of many arrays, given their addresses."""

from __future__ import annotations

from typing import Any

from symopt.program.ir import (
    ARRAY,
    BATCH,
    BITS,
    NUMBER,
    PLACE,
    SCALAR_STATE,
    STEP,
    Argument,
    Kernel,
)
from symopt.targets.calling import joined


def segment_drivers(kernel: Kernel, inputs: int) -> dict[str, Any]:
    """What the templates of drivers take: calls of the kernel on views, made from addresses.

    ``rows[tensor]`` has a column for each array, in the order of the kernel's arguments: the
    parameter, ``inputs`` inputs, the states; then the number of examples of each batch. A state
    that all elements share is advanced by each segment in a place of its own, and stored by one of
    them, since the numbers of a step are the same for all of a tensor.
    """
    arrays = kernel.of_kind(ARRAY, BATCH, BITS, SCALAR_STATE)
    batches, scalars = kernel.of_kind(BATCH), kernel.of_kind(SCALAR_STATE)
    column = {one.name: place for place, one in enumerate(arrays)}
    examples = {one.name: len(arrays) + place for place, one in enumerate(batches)}
    kept = {one.name: place for place, one in enumerate(scalars)}

    def view(one: Argument) -> str:
        if one.kind == SCALAR_STATE:
            return f"kept[k, {kept[one.name]}:{kept[one.name] + 1}]"
        start = f"rows[tensor, {column[one.name]}]"
        if one.kind == BATCH:
            shape = f"(rows[tensor, {examples[one.name]}], size)"
            return f"numba.carray(_pointer({start}, model), {shape})"
        if one.kind == BITS:
            return f"numba.carray(_pointer({start} + start * 2, np.uint16), size)"
        return f"numba.carray(_pointer({start} + start * width, model), size)"

    def stored(name: str, tensor: str) -> str:
        return f"numba.carray(_pointer(rows[{tensor}, {column[name]}], kept), 1)[0]"

    # what is random depends on the tensor and the place in it
    places = ["start", "tensor"] if kernel.of_kind(PLACE) else []
    alone = [f"*arguments[:{len(arrays)}]", "0", "0", f"*arguments[{len(arrays)}:]"]
    return {
        "alone": joined(alone) if places else "*arguments",
        "own": joined(["rows", "segments", "model", *(["kept"] if kept else [])]),
        "arrays": len(arrays),
        "splits": not batches,
        "takes_width": any(one.kind == ARRAY for one in arrays),
        "views": [*map(view, arrays), *places, "*numbers"],
        "loads": [f"kept[k, {place}] = {stored(name, 'tensor')}" for name, place in kept.items()],
        "before": [f"kept = np.empty((len(segments), {len(kept)}))"] if kept else [],
        "stores": _stores(kept, stored) if kept else [],
        # in units of the parameter's bytes; what is updated is read and written
        "traffic": _traffic(kernel),
        "addresses": joined(f"arrays[{k}].ctypes.data" for k in range(len(arrays))),
        "always_long": " or True" if batches else "",
        "heads_signature": "" if batches else ", heads: tuple[int, ...]",
        "heads": "" if batches else ", tuple(map(_head, own.values()))",
        "cut_words": "" if not batches else "; a tensor with examples stays whole",
        **_numbers(kernel),
        "columns": len(arrays) + len(batches),
        "inputs": joined(
            f"({column[one.name]}, {examples.get(one.name, 0)}, {int(one.kind == BATCH)})"
            for one in arrays[1 : 1 + inputs]
        ),
        "counts": "".join(f", len(own[{column[one.name] - 1}])" for one in batches),
        "state_keys": "".join(f'"{one.name}", ' for one in arrays[1 + inputs :]).rstrip(" "),
    }


def _numbers(kernel: Kernel) -> dict[str, Any]:
    """How many numbers a step takes, how many of them a user gives, and how they are read."""
    every, given = kernel.of_kind(STEP, NUMBER), kernel.of_kind(NUMBER)
    return {
        "all_numbers": len(every),
        "given_numbers": len(given),
        "read_numbers": "".join(f"kept_numbers[{place}], " for place in range(len(every))).rstrip(
            " "
        ),
    }


def _traffic(kernel: Kernel) -> str:
    """How many times the parameter's bytes are read or written; half of them where it is bits."""
    shares = {ARRAY: 2, BITS: 1}
    halves = sum(shares[one.kind] * (1 + one.written) for one in kernel.of_kind(*shares))
    return str(halves // 2) if halves % 2 == 0 else str(halves / 2)


def _stores(kept: dict[str, int], stored: Any) -> list[str]:
    assigned = [
        f"        {stored(name, 'segments[k, 0]')} = kept[k, {place}]"
        for name, place in kept.items()
    ]
    return ["for k in range(len(segments)):", "    if segments[k, 1] == 0:", *assigned]
