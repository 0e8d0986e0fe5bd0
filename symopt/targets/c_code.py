"""Kernels as C text, each local number and pointer declared where it is first written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sympy import Expr

from symopt.errors import LoweringError
from symopt.program.blocks import free
from symopt.program.ir import (
    ARRAY,
    BATCH,
    Assign,
    Call,
    Kernel,
    Loop,
    Node,
    Scratch,
    Stop,
    View,
)
from symopt.targets.c_printer import DOUBLE, RESERVED, CPrinter, Real
from symopt.targets.python_code import Lines


def c_lines(owner: str, kernel: Kernel, real: Real) -> tuple[Lines, frozenset[str]]:
    """The body of a kernel as lines of C, each with the id of its equation; the helpers it needs.

    Raises
    ------
    LoweringError
        For what the language has no form of, or a letter that is one of its words.
    """
    scope = _Scope(real, frozenset(_written_again(kernel)))
    for one in kernel.arguments:
        if one.name in RESERVED:
            raise LoweringError(
                f"{owner} has a letter with the Python name {one.name}, which is a word of C; "
                "rename it with python='…'"
            )
        pointer = real.type if one.kind in (ARRAY, BATCH) else DOUBLE.type
        scope.pointers[one.name] = f"{'' if one.written else 'const '}{pointer}"
        scope.known.add(one.name)
    found = [line for one in kernel.numbers for line in scope.number(one)]
    found += scope.body(kernel.body, 0)
    return tuple(found), frozenset(scope.helpers)


@dataclass
class _Scope:
    """What is declared by now: each local number and pointer where it is first written."""

    real: Real
    again: frozenset[str]
    known: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    pointers: dict[str, str] = field(default_factory=dict)
    helpers: set[str] = field(default_factory=set)

    def printed(self, expr: Expr, elementwise: bool = True) -> str:
        printer = CPrinter(elementwise, self.real if elementwise else DOUBLE, self.names)
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
        if one.target.is_Symbol and name in self.pointers:
            if text == name:
                return  # a double already
            self.names[name] = free(f"{name}_{self.real.dtype}", set(self.known))
        yield self.stored(one.target, "", text, one.cast), one.note

    def stored(self, target: Expr, augment: str, text: str, real: bool) -> str:
        """``target = text;``, with its type where the target is new."""
        shown = self.printed(target)
        if not target.is_Symbol or shown in self.known:
            return f"{self.combined(shown, augment, text)};"
        self.known.add(shown)
        kind = self.real.type if real else DOUBLE.type
        return f"{'' if shown in self.again else 'const '}{kind} {shown} = {text};"

    def body(self, nodes: Sequence[Node], depth: int) -> Iterator[tuple[str, str]]:
        indent = "    " * depth
        for node in nodes:
            for line, note in self.node(node):
                yield f"{indent}{line}", note

    def node(self, node: Node) -> Iterator[tuple[str, str]]:
        match node:
            case Assign(target, value, augment, cast, note, wide):
                text = self.typed(node) if wide or cast else self.printed(value)
                yield self.stored(target, augment, text, cast or not wide), note
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
            case Call(function, arguments, targets, combine) if len(targets) == 1:
                passed = ", ".join(self.printed(one) for one in arguments)
                name = function.lstrip("_")
                self.helpers.add(name)
                text = f"{name}_{self.real.dtype}({passed})"
                yield self.stored(targets[0], combine[0], text, real=False), ""
            case _:
                raise LoweringError(
                    f"C has no form of {type(node).__name__} yet; use the numba target"
                )

    def combined(self, target: str, how: str, value: str) -> str:
        """``target = value``, ``target += value``, or the larger of the two, a NaN passed on."""
        if how == "max":
            self.helpers.add("maximum")
            return f"{target} = maximum_{self.real.dtype}({target}, {value})"
        return f"{target} {how}= {value}"


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
