"""Kernels as C text, each local number and pointer declared where it is first written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sympy import Expr

from symopt.errors import LoweringError
from symopt.program.blocks import free
from symopt.program.ir import (
    Assign,
    Call,
    Fault,
    Kernel,
    Loop,
    Node,
    RowFunction,
    Scratch,
    Stop,
    View,
    Whole,
)
from symopt.program.sweeps import NOTHING
from symopt.targets.c_printer import DOUBLE, RESERVED, CPrinter, Real, c_whole
from symopt.targets.python_code import Lines


@dataclass(frozen=True)
class Arrays:
    """What C has to know of a kernel's arrays: the types of their elements, and their lengths.

    ``lengths`` are by counter; without them, rows of a batch are as long as all other arrays.
    ``noted`` is how many numbers a fault takes.
    """

    types: Mapping[str, str]
    lengths: Mapping[str, str] | None = None
    noted: int = 0


def c_lines(
    owner: str, kernel: Kernel, real: Real, arrays: Arrays
) -> tuple[Lines, frozenset[str], Mapping[str, tuple[str, ...]]]:
    """The body of a kernel as lines of C, each with the id of its equation.

    Beside it the helpers that it calls, and what types its row functions are handed numbers of.

    Raises
    ------
    LoweringError
        For what the language has no form of, or a letter that is one of its words.
    """
    scope = _Scope(real, frozenset(_written_again(kernel)), arrays, kernel)
    for one in kernel.arguments:
        if one.name in RESERVED:
            raise LoweringError(
                f"{owner} has a letter with the Python name {one.name}, which is a word of C; "
                "rename it with python='…'"
            )
        kind = arrays.types.get(one.name)
        if kind is not None:
            scope.pointers[one.name] = f"{'' if one.written else 'const '}{kind}"
        scope.known.add(one.name)
    found = [line for one in kernel.numbers for line in scope.number(one)]
    found += scope.body(kernel.body, 0)
    return tuple(found), frozenset(scope.helpers), scope.handed


@dataclass
class _Scope:
    """What is declared by now: each local number and pointer where it is first written."""

    real: Real
    again: frozenset[str]
    arrays: Arrays
    kernel: Kernel
    known: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    pointers: dict[str, str] = field(default_factory=dict)
    helpers: set[str] = field(default_factory=set)
    handed: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def printed(self, expr: Expr, elementwise: bool = True) -> str:
        real = self.real if elementwise else DOUBLE
        printer = CPrinter(elementwise, real, self.names, self.arrays.lengths)
        text: str = printer.doprint(expr)
        self.helpers |= set(printer.needs)
        return text

    def typed(self, one: Assign) -> str:
        """A number as text, typed like the arrays where it is to be."""
        text = self.printed(one.value, elementwise=False)
        if not one.cast or self.real is DOUBLE:
            return text
        return f"({self.real.type}){text}" if one.value.is_Symbol else f"({self.real.type})({text})"

    def number(self, one: Assign) -> Iterator[tuple[str, str]]:
        """A number of the step; an argument that is typed like the arrays gets another name."""
        text, name = self.typed(one), str(one.target)
        if one.target.is_Symbol and name in self.known and one.cast:
            if text == name:
                return  # a double already
            self.names[name] = free(f"{name}_{self.real.dtype}", set(self.known))
        kind = self.real.type if one.cast else DOUBLE.type
        yield self.stored(one.target, "", text, kind), one.note

    def stored(self, target: Expr, augment: str, text: str, kind: str) -> str:
        """``target = text;``, with its type where the target is new."""
        shown = self.printed(target)
        if not target.is_Symbol or shown in self.known:
            return f"{self.combined(shown, augment, text)};"
        self.known.add(shown)
        self.types[shown] = kind
        return f"{'' if shown in self.again else 'const '}{kind} {shown} = {text};"

    def kind_of(self, value: Expr) -> str:
        """The type of what is computed of elements: that of an array's element, or the arrays'."""
        if value.is_Indexed:
            name = str(value.base.label)
            return self.arrays.types.get(name, self.real.type)
        return self.real.type

    def body(self, nodes: Sequence[Node], depth: int) -> Iterator[tuple[str, str]]:
        indent = "    " * depth
        for node in nodes:
            for line, note in self.node(node):
                yield f"{indent}{line}", note

    def node(self, node: Node) -> Iterator[tuple[str, str]]:
        match node:
            case Assign(target, value, augment, cast, note, wide):
                text = self.typed(node) if wide or cast else self.printed(value)
                kind = self.real.type if cast else DOUBLE.type if wide else self.kind_of(value)
                yield self.stored(target, augment, text, kind), note
            case Loop(counter, start, stop, inner, stride):
                step = f"++{counter}" if stride == 1 else f"{counter} += {stride}"
                yield f"for (int64_t {counter} = {start}; {counter} < {stop}; {step}) {{", ""
                before = set(self.known)
                yield from self.body(inner, 1)
                self.known = before
                yield "}", ""
            case Scratch(name, size):
                yield f"{self.real.type} {name}[{size}];", ""
            case Stop(name, start, size, last):
                end = f"{start} + {size}"
                yield f"const int64_t {name} = {end} < {last} ? {end} : {last};", ""
            case View(name, array, start, row):
                place = f"{row} * size + {start}" if row is not None else f"{start}"
                yield f"{self.pointers[array]} *restrict {name} = {array} + {place};", ""
            case Whole(target, value):
                yield f"const int64_t {target} = {c_whole(value)};", ""
            case Fault(divisor, equation, group):
                place = f"part * {self.arrays.noted}"
                shown = self.printed(divisor, elementwise=False)
                yield f"if ({shown} == 0.0 && fault[{place}] == 0) {{", ""
                for axis, noted in enumerate((str(equation), *map(str, group))):
                    yield f"    fault[{place}{f' + {axis}' if axis else ''}] = {noted};", ""
                yield "}", ""
            case Call():
                yield from self.call(node)
            case _:
                raise LoweringError(
                    f"C has no form of {type(node).__name__} yet; use the numba target"
                )

    def call(self, node: Call) -> Iterator[tuple[str, str]]:
        """Sums over a row, or a block, taken into their targets."""
        name = node.function.lstrip("_")
        row = next((one for one in self.kernel.rows if one.name == node.function), None)
        if row is None:
            self.helpers.add(name)
            passed = [self.printed(one) for one in node.arguments]
        else:
            arrays = node.arguments[: len(row.arrays)]
            numbers = node.arguments[len(row.arrays) :]
            self.handed[row.name] = tuple(self.types.get(str(x), self.real.type) for x in numbers)
            passed = [self.kernel.lengths[-1], *map(self.row, arrays), *map(self.printed, numbers)]
        if len(node.targets) == 1:
            text = f"{name}_{self.real.dtype}({', '.join(passed)})"
            yield self.stored(node.targets[0], node.combine[0], text, DOUBLE.type), ""
            return
        yield f"double {name}[{len(node.targets)}];", ""
        yield f"{name}_{self.real.dtype}({', '.join([*passed, name])});", ""
        for place, (target, how) in enumerate(zip(node.targets, node.combine, strict=True)):
            yield self.stored(target, how, f"{name}[{place}]", DOUBLE.type), ""

    def row(self, array: Expr) -> str:
        """Where a row of an array begins: x[n, c] ⇒ x + (n * C + c) * S."""
        if not array.is_Indexed:
            return str(array)
        printer = CPrinter(True, self.real, self.names, self.arrays.lengths)
        return f"{array.base.label} + ({printer.place(array.indices)}) * {self.kernel.lengths[-1]}"

    def combined(self, target: str, how: str, value: str) -> str:
        """``target = value``, ``target += value``, or the larger of the two, a NaN passed on."""
        if how == "max":
            self.helpers.add("maximum")
            wide = self.types.get(target) == DOUBLE.type
            return f"{target} = maximum_{(DOUBLE if wide else self.real).dtype}({target}, {value})"
        return f"{target} {how}= {value}"


def c_row(row: RowFunction, kinds: Sequence[str], real: Real) -> dict[str, Any]:
    """A row function: sums within blocks in the arrays' dtype, across them in double precision."""
    scope = _Scope(real, frozenset(map(str, row.parts)), Arrays({}), Kernel("", (), (), ()))
    scope.known = {*map(str, row.parts), *row.numbers, *(place for place, _ in row.places)}
    scope.types = dict.fromkeys(map(str, row.parts), real.type)
    lines = list(scope.body(row.body, 0))
    found = [f"sum_{k}" for k in range(1, len(row.parts) + 1)]
    several = len(found) > 1
    scope.types |= dict.fromkeys(found, DOUBLE.type)
    summed = all(how == "+" for how in row.combine)
    pairs = list(zip(row.blocks, row.arrays, strict=True))
    const = {block: "" if block in row.written else "const " for block in row.blocks}
    given = ["const int64_t size"]
    given += [f"{const[block]}{real.type} *restrict {array}" for block, array in pairs]
    given += [f"const {kind} {one}" for kind, one in zip(kinds, row.numbers, strict=True)]
    given += ["double *restrict found"] if several else []
    return {
        "name": f"{row.name.lstrip('_')}_{real.dtype}",
        "returns": "void" if several else "double",
        "signature": [f"{line}," for line in given[:-1]] + [f"{given[-1]})"],
        "real": real.type,
        "counter": row.counter.name,
        "views": [
            (f"{const[block]}{real.type} *restrict {block}", array) for block, array in pairs
        ],
        "places": row.places,
        "reduction": ", ".join(map(str, row.parts)) if summed else "",
        "lines": lines,
        "pairs": [
            {
                "sum": name,
                "part": str(part),
                "nothing": scope.printed(NOTHING[how], elementwise=False),
                "taken": scope.combined(name, how, str(part)),
            }
            for name, part, how in zip(found, row.parts, row.combine, strict=True)
        ],
        "result": [f"found[{k}] = {name};" for k, name in enumerate(found)]
        if several
        else [f"return {found[0]};"],
        "helpers": frozenset(scope.helpers),
    }


def _written_again(kernel: Kernel) -> Iterator[str]:
    """The local numbers that change once they have a value."""
    for one in kernel.numbers:
        if one.augment:
            yield str(one.target)
    yield from _changed(kernel.body)


def _changed(nodes: Sequence[Node]) -> Iterator[str]:
    for node in nodes:
        match node:
            case Assign(target, augment=how) if how:
                yield str(target)
            case Call(targets=targets):
                yield from map(str, targets)
            case Loop(body=inner):
                yield from _changed(inner)
