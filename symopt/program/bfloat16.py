"""States kept in bfloat16: widened where a loop reads them, rounded at random where it is done."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sympy import Basic, Expr, Float, Function, Indexed, Range, Symbol

from symopt.program.blocks import free
from symopt.program.invariants import check
from symopt.program.ir import (
    ARRAY,
    BITS,
    NUMBER,
    PLACE,
    STEP,
    Argument,
    Assign,
    Kernel,
    Loop,
    Node,
    Stage,
    element,
    local,
)
from symopt.views import rewrite

# one draw has 32 random bits, of which each state takes 16
PER_DRAW = 2
# a seed is a float64 on its way to the kernel
SEEDS = Range(2**53)


class _Helper(Function):
    """A function that the generated module writes out, called by its own name."""

    def _pythoncode(self, printer: Any) -> str:
        words = ", ".join(printer.doprint(one) for one in self.args)
        return f"_{type(self).__name__}({words})"


class widened(_Helper):  # called as the generated function is
    """The float32 that a bfloat16 number is."""


class key_of(_Helper):
    """64 bits made of a seed, a step, the number of a tensor and that of a draw."""


class drawn(_Helper):
    """32 random bits for a place under a key."""


class rounded_by_low(_Helper):
    """A float32 rounded to one of its two neighbours in bfloat16, by the low half of a draw."""


class rounded_by_high(_Helper):
    """The same by the high half of a draw."""


_ROUNDED = (rounded_by_low, rounded_by_high)


def in_bfloat16(kernel: Kernel, states: Collection[str]) -> Kernel:
    """The kernel with these state arrays as the bits of bfloat16 numbers.

    A step computes in float32 with what it has not rounded yet, and rounds what it stores, so that
    a value is kept on average. What is random follows from the seed, the step, the number of the
    tensor and the place in it alone: not from threads, nor from where a stretch begins.
    """
    arguments = [_as_bits(one) if one.name in states else one for one in kernel.arguments]
    kept = [one for one in arguments if one.kind == BITS]
    written = [one.name for one in kept if one.written]
    taken = _names(kernel)
    wide = {one.name: local(free(f"{one.name}_wide", taken)) for one in kept}
    if not written:
        body = _widened(kernel.body, wide, {})
        return check(replace(kernel, arguments=tuple(arguments), body=body))
    first, tensor, seed = (free(name, taken) for name in ("first", "tensor", "seed"))
    draws = -(-len(written) // PER_DRAW)
    keys = [local(free(f"key_{k + 1}", taken)) for k in range(draws)]
    step = next((one for one in arguments if one.kind == STEP), None)
    if step is None:
        step = Argument(free("t", taken), STEP)
        place = next((k for k, one in enumerate(arguments) if one.kind == NUMBER), len(arguments))
        arguments.insert(place, step)
    place = arguments.index(step)
    arguments[place:place] = [Argument(first, PLACE), Argument(tensor, PLACE)]
    arguments.append(Argument(seed, NUMBER, domain=SEEDS, default=0))
    parts = local(seed), local(step.name), local(tensor)
    made = [Assign(key, key_of(*parts, Float(k))) for k, key in enumerate(keys)]
    rounding = _roundings(written, keys, local(first), taken)
    return check(
        replace(
            kernel,
            arguments=tuple(arguments),
            numbers=(*kernel.numbers, *made),
            body=_widened(kernel.body, wide, rounding),
        )
    )


def seed_of(kernel: Kernel) -> str:
    """The name of the seed, the last argument of a kernel that rounds at random; else nothing."""
    last = kernel.arguments[-1]
    return last.name if last.domain == SEEDS and kernel.of_kind(PLACE) else ""


def _as_bits(one: Argument) -> Argument:
    return replace(one, kind=BITS) if one.kind == ARRAY else one


Rounding = tuple[Symbol, Expr, type[_Helper]]


def _roundings(
    written: Sequence[str], keys: Sequence[Symbol], first: Symbol, taken: set[str]
) -> dict[str, Rounding]:
    """For each state: the local of its draw, the key and the half of the draw that it takes."""
    names = [local(free(f"random_{k + 1}", taken)) for k in range(len(keys))]
    return {
        name: (names[k // PER_DRAW], drawn(first, keys[k // PER_DRAW]), _ROUNDED[k % PER_DRAW])
        for k, name in enumerate(written)
    }


def _widened(
    nodes: tuple[Node, ...], wide: Mapping[str, Symbol], rounding: Mapping[str, Rounding]
) -> tuple[Node, ...]:
    """The same nodes; each innermost loop loads what it reads and stores what it has written."""
    found: list[Node] = []
    for one in nodes:
        if not isinstance(one, Loop | Stage):
            found.append(one)
        elif isinstance(one, Loop) and all(isinstance(inner, Assign) for inner in one.body):
            lines = tuple(inner for inner in one.body if isinstance(inner, Assign))
            found.append(replace(one, body=_loop(one.counter, lines, wide, rounding)))
        else:
            found.append(replace(one, body=_widened(one.body, wide, rounding)))
    return tuple(found)


def _loop(
    counter: Symbol,
    lines: tuple[Assign, ...],
    wide: Mapping[str, Symbol],
    rounding: Mapping[str, Rounding],
) -> tuple[Node, ...]:
    def change(node: Basic) -> Basic | None:
        return wide.get(str(node.base.label)) if isinstance(node, Indexed) else None

    sides = [side for one in lines for side in (one.target, one.value)]
    used = {str(node.base.label) for side in sides for node in side.atoms(Indexed)}
    stored = {str(one.target.base.label) for one in lines if isinstance(one.target, Indexed)}
    loads = [
        Assign(symbol, widened(element(name, counter)))
        for name, symbol in wide.items()
        if name in used
    ]
    body = [
        replace(one, target=rewrite(one.target, change), value=rewrite(one.value, change))
        for one in lines
    ]
    draws: dict[Symbol, Assign] = {}
    stores = []
    for name, (random, draw, half) in rounding.items():
        if name in stored:
            first, key = draw.args
            draws[random] = Assign(random, drawn(first + counter, key))
            stores.append(Assign(element(name, counter), half(wide[name], random)))
    return (*loads, *body, *draws.values(), *stores)


def _names(kernel: Kernel) -> set[str]:
    """All names in a kernel, its counters and locals among them."""
    found = {one.name for one in kernel.arguments} | {kernel.count, "size", "stop", "real", "dtype"}

    def gather(nodes: Sequence[Node]) -> None:
        for node in nodes:
            if isinstance(node, Loop | Stage):
                gather(node.body)
            if isinstance(node, Loop):
                found.add(node.counter.name)
            if isinstance(node, Assign):
                symbols = node.target.atoms(Symbol) | node.value.atoms(Symbol)
                found.update(one.name for one in symbols)

    gather((*kernel.numbers, *kernel.body))
    return found
