"""How a function of a generated module is called: its arguments, their checks and their words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sympy import Range

from symopt.program.ir import (
    ARRAY,
    BATCH,
    BITS,
    NUMBER,
    SCALAR_STATE,
    STEP,
    WORD,
    Argument,
    Kernel,
)
from symopt.targets.ranges import admissible


def joined(parts: Iterable[str]) -> str:
    """The parts with commas between them."""
    return ", ".join(parts)


def annotated(one: Argument, array: str = "np.ndarray") -> str:
    """An argument with its type; ``array`` is that of an array."""
    if one.kind in (ARRAY, BATCH, BITS, SCALAR_STATE):
        return f"{one.name}: {array}"
    whole = one.kind in (STEP, WORD) or isinstance(one.domain, Range)
    return f"{one.name}: {'int' if whole else 'float'}"


def signature(arguments: Sequence[Argument], array: str = "np.ndarray") -> list[str]:
    """The arguments with types and defaults; those after the first default need one by name."""
    found: list[str] = []
    defaulted = False
    for one in arguments:
        if one.default is None and defaulted and "*" not in found:
            found.append("*")
        defaulted = defaulted or one.default is not None
        tail = "" if one.default is None else f" = {one.default!r}"
        found.append(annotated(one, array) + tail)
    return found


def flat(one: Argument) -> str:
    """An array as a kernel takes it: in one dimension, or a row for each example."""
    if one.kind == SCALAR_STATE:
        return one.name
    if one.kind == BATCH:
        return f"{one.name}.reshape(len({one.name}), -1)"
    return f"{one.name}.reshape(-1, order=order)"


def number_check(one: Argument) -> str:
    """The call that checks a number against its range."""
    if one.kind == STEP:
        return f"_check_step({one.name})"
    assert one.domain is not None
    code, words = admissible(one.name, one.domain, variable="x")
    return f'_check_number("{one.name}", {one.name}, lambda x: {code}, "{words}")'


def argument_words(kernel: Kernel) -> list[str]:
    """What a docstring says of each argument."""
    arrays = [one.name for one in kernel.of_kind(ARRAY)]
    words = [f"{joined(arrays)}: contiguous arrays of one shape and dtype, none overlapping."]
    bits = [one.name for one in kernel.of_kind(BITS)]
    if bits:
        words.append(f"{joined(bits)}: uint16 arrays of that shape, the bits of bfloat16 numbers.")
    words += [
        f"{one.name}: one gradient for each example, of shape ({kernel.count}, …)."
        for one in kernel.of_kind(BATCH)
    ]
    words += [
        f"{one.name}: an array of one float64, shared by all elements."
        for one in kernel.of_kind(SCALAR_STATE)
    ]
    words += [f"{one.name}: the number of the step, from 1 on." for one in kernel.of_kind(STEP)]
    for one in kernel.of_kind(NUMBER):
        assert one.domain is not None
        tail = "" if one.default is None else f", by default {one.default!r}"
        words.append(f"{one.name}: a number in {admissible(one.name, one.domain)[1]}{tail}.")
    words.append("Raises ValueError, before anything is changed, for arguments that do not fit.")
    return words
