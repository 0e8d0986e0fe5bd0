"""The body of a tensor layer's function as lines of Python: matrix products, calls of kernels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sympy import Expr, Mul

from symopt.program.ir import ARRAY
from symopt.program.tensor_ir import (
    Added,
    Blocks,
    Clear,
    HostNode,
    IfFinite,
    MatrixProduct,
    Run,
    Scale,
    Space,
    Stacked,
)
from symopt.targets.python_code import number_code
from symopt.targets.whole_numbers import whole_code

_WIDTH = 84
# what the lines call their own
OWN = ("start", "step", "count", "here")


@dataclass(frozen=True)
class Names:
    """What arrays and lengths are called at some point of a function, where not by their own name.

    ``model`` is an array whose dtype all others have.
    """

    model: str
    arrays: Mapping[str, str] = field(default_factory=dict)
    lengths: Mapping[str, str] = field(default_factory=dict)

    def of(self, array: str) -> str:
        """An array, or its part in the present block."""
        return self.arrays.get(array, array)

    def length(self, expr: Expr) -> str:
        """A length as code."""
        return whole_code(expr, self.lengths)


def host_lines(body: Iterable[HostNode], names: Names) -> Iterator[str]:
    """The nodes as lines."""
    for node in body:
        match node:
            case MatrixProduct(left, right, target, note):
                sides = [_seen(left, names), _seen(right, names), f"out={_seen(target, names)}"]
                yield from call("np.matmul(", sides, ")" + (f"  # {note}" if note else ""))
            case Space():
                yield from _space(node, names)
            case Clear(array):
                yield f"{names.of(array)}.fill(0.0)"
            case Scale(array, number):
                found = names.of(array)
                yield f"np.multiply({found}, {number_code(number)}, out={found})"
            case Added():
                yield _added(node, names)
            case Run(kernel):
                arrays = [a.name for a in kernel.arguments if a.kind == ARRAY]
                sizes = [a.name for a in kernel.arguments if a.kind != ARRAY]
                passed = [*map(names.of, arrays), *(names.lengths.get(x, x) for x in sizes)]
                yield from call(f"{kernel.name}(", passed, ")")
            case Blocks():
                yield from _blocks(node, names)
            case IfFinite(array, then, otherwise):
                yield f"if _finite({names.of(array)}):"
                yield from (f"    {line}" for line in host_lines(then, names))
                yield "else:  # beside a zero around an array it would be no number"
                yield from (f"    {line}" for line in host_lines(otherwise, names))


def _seen(one: Stacked, names: Names) -> str:
    """An array as a stack of matrices, as a view where that can be."""
    text = names.of(one.array)
    if one.order == (1, 0):
        text += ".T"
    elif list(one.order) != sorted(one.order):
        text += f".transpose({', '.join(map(str, one.order))})"
    if any(len(group) != 1 for group in one.groups):
        lengths = (names.length(Mul(*group, evaluate=False)) if group else "1"
                   for group in one.groups)  # fmt: skip
        text += f".reshape({', '.join(lengths)})"
    return text


def _space(one: Space, names: Names, first: str = "") -> Iterator[str]:
    shape = [names.length(length) for length in one.lengths]
    shape = [first, *shape[1:]] if first else shape
    yield f'{one.name} = _result("{one.name}", {tuple_code(shape)}, {names.model}.dtype, kept)'
    if one.cleared:
        yield f"{one.name}.fill(0.0)"


def _added(one: Added, names: Names) -> str:
    source = names.of(one.source)
    if one.summed:
        source += ".sum(axis=0, dtype=np.float64)"
    if list(one.order) != sorted(one.order):
        source += f".transpose({', '.join(map(str, one.order))})"
    # in place, whatever is written into: a name, or a part of an array
    return f"{names.of(one.target)} += {source}"


def _blocks(one: Blocks, names: Names) -> Iterator[str]:
    length = names.length(one.length)
    each = (names.length(Mul(*space.lengths[1:], evaluate=False)) for space in one.spaces)
    yield f"step = _step({length}, {' + '.join(each)})"
    for space in one.spaces:
        yield from _space(space, names, "step")
    yield f"for start in range(0, {length}, step):"
    yield f"    count = min(step, {length} - start)"
    yield "    here = slice(start, start + count)"
    parts = {array: f"{array}[here]" for array in one.parts}
    spaces = {space.name: f"{space.name}[:count]" for space in one.spaces}
    inside = Names(
        names.model,
        {**names.arrays, **parts, **spaces},
        {**names.lengths, str(one.length): "count"},
    )
    yield from (f"    {line}" for line in host_lines(one.body, inside))


def call(head: str, parts: Iterable[str], tail: str) -> Iterator[str]:
    """A call in one line, or with its arguments in lines of their own where it is long."""
    passed = list(parts)
    line = f"{head}{', '.join(passed)}{tail}"
    if len(line) <= _WIDTH:
        yield line
        return
    yield head
    yield from (f"    {one}" for one in _packed(passed))
    yield tail


def _packed(parts: Iterable[str]) -> Iterator[str]:
    """Parts with commas, as many on a line as there is room for."""
    line = ""
    for one in parts:
        if line and len(line) + len(one) > _WIDTH:
            yield line.rstrip()
            line = ""
        line += f"{one}, "
    yield line.rstrip()


def tuple_code(parts: Iterable[str]) -> str:
    """Parts as a tuple."""
    several = tuple(parts)
    return f"({', '.join(several)}{',' if len(several) == 1 else ''})"
