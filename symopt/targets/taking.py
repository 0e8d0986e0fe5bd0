"""How a value is taken into a target, as Python text: put there, added, or the larger of both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def added(call: str, targets: Sequence[str], combine: Sequence[str]) -> Iterator[str]:
    """The results of a call taken into the targets, by way of locals where there are several."""
    if len(targets) == 1:
        yield combined(targets[0], combine[0], call)
        return
    names = [f"part_{k}" for k in range(1, len(targets) + 1)]
    yield f"{', '.join(names)} = {call}"
    for target, how, name in zip(targets, combine, names, strict=True):
        yield combined(target, how, name)


def combined(target: str, how: str, value: str) -> str:
    """``target = value``, ``target += value``, or the larger, also by ``rank``, a NaN passed on."""
    if how == "rank":
        return f"{target} = max({target}, _rank({value}))"
    if how == "max":
        return f"{target} = np.maximum({target}, {value})"
    return f"{target} {how}= {value}"
