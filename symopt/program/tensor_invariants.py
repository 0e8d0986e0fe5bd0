"""What every function of a tensor layer must satisfy, as a table that is checked after lowering."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from symopt.program.ir import ARRAY
from symopt.program.tensor_ir import (
    Added,
    Blocks,
    Clear,
    IfFinite,
    MatrixProduct,
    Run,
    Scale,
    Space,
    Stacked,
    TensorFunction,
    nodes,
)


def check(function: TensorFunction) -> TensorFunction:
    """The function itself, when all invariants hold; a broken one is our own mistake."""
    for name, broken in INVARIANTS.items():
        for what in broken(function):
            raise AssertionError(f"{function.name}: {name}: {what}")
    return function


def _products(function: TensorFunction) -> Iterator[MatrixProduct]:
    return (node for node in nodes(function.body) if isinstance(node, MatrixProduct))


def _unlike(function: TensorFunction) -> Iterator[str]:
    for one in _products(function):
        *_, rows, inner = one.left.groups
        *_, other, columns = one.right.groups
        if inner != other or one.target.groups[-2:] != (rows, columns):
            yield f"{one.left} times {one.right} is no {one.target}"


def _stacks(function: TensorFunction) -> Iterator[str]:
    for one in _products(function):
        target = one.target.groups[:-2]
        for side in (one.left, one.right):
            stack = side.groups[:-2]
            ends = target[len(target) - len(stack) :]
            if any(mine not in ((), its) for mine, its in zip(stack, ends, strict=True)):
                yield f"{side} does not stack like {one.target}"


def _orders(function: TensorFunction) -> Iterator[str]:
    for one in _products(function):
        for side in (one.left, one.right, one.target):
            if sorted(side.order) != list(range(sum(map(len, side.groups)))):
                yield f"{side} leaves out an axis"
        if list(one.target.order) != sorted(one.target.order):
            yield f"{one.target} would be a copy"


def _spaces(function: TensorFunction) -> Iterator[Space]:
    for node in nodes(function.body):
        if isinstance(node, Space):
            yield node
        elif isinstance(node, Blocks):
            yield from node.spaces


def _unknown(function: TensorFunction) -> Iterator[str]:
    written = {one.name for one in function.results} | {one.name for one in _spaces(function)}
    known = written | set(function.arrays)
    for node in nodes(function.body):
        reads: tuple[str, ...] = ()
        writes: tuple[str, ...] = ()
        match node:
            case MatrixProduct(Stacked(left), Stacked(right), Stacked(target)):
                reads, writes = (left, right), (target,)
            case Added(target, source):
                reads, writes = (source,), (target,)
            case Clear(array) | Scale(array):
                writes = (array,)
            case IfFinite(array):
                reads = (array,)
            case Run(kernel):
                reads = tuple(a.name for a in kernel.of_kind(ARRAY) if not a.written)
                writes = tuple(a.name for a in kernel.of_kind(ARRAY) if a.written)
        yield from (f"{name} is read, but is nothing" for name in reads if name not in known)
        yield from (f"{name} is written, but no output" for name in writes if name not in written)


def _kernels(function: TensorFunction) -> Iterator[str]:
    runs = [node.kernel for node in nodes(function.body) if isinstance(node, Run)]
    named = {one.name: one for one in runs}
    yield from (f"{one.name} names two kernels" for one in runs if named[one.name] != one)


INVARIANTS: dict[str, Callable[[TensorFunction], Iterator[str]]] = {
    "factors have like inner axes": _unlike,
    "stacks are told apart alike": _stacks,
    "views have all axes": _orders,
    "what is read is known, only outputs are written": _unknown,
    "kernels are told apart": _kernels,
}
