"""What every kernel must satisfy, as a table that is checked after lowering."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sympy import Basic, Expr, Indexed, Mul, Number, Pow, S, Symbol

from symopt.notation import Sequence
from symopt.program.hits import Choice
from symopt.program.ir import (
    Assign,
    Call,
    Draw,
    Fault,
    Kernel,
    Loop,
    Node,
    Row,
    Scratch,
    Stage,
    Stop,
    View,
    WhereOne,
    Whole,
    local,
)


def check(kernel: Kernel) -> Kernel:
    """The kernel itself, when all invariants hold; a broken one is our own mistake."""
    for name, broken in INVARIANTS.items():
        for what in broken(kernel):
            raise AssertionError(f"{kernel.name}: {name}: {what}")
    return kernel


def every_node(body: tuple[Node, ...]) -> Iterator[Node]:
    """All nodes of a kernel's body, those inside of others too."""
    for node in body:
        yield node
        if isinstance(node, Loop | Stage):
            yield from every_node(node.body)
        if isinstance(node, WhereOne):
            yield from every_node((*node.near, *node.apart))


def _assigned(kernel: Kernel) -> Iterator[Assign]:
    return (node for node in every_node(kernel.body) if isinstance(node, Assign))


def _unnamed_entries(kernel: Kernel) -> Iterator[str]:
    for one in (*kernel.numbers, *_assigned(kernel)):
        for entry in one.value.atoms(Indexed) | one.target.atoms(Indexed):
            if isinstance(entry.base, Sequence):
                yield f"{entry} is still an entry of a sequence"


def _literals(expr: Basic) -> Iterator[Basic]:
    """Numbers that would be computed with; signs and small powers are none."""
    if isinstance(expr, Indexed):
        return
    if isinstance(expr, Number):
        yield expr
    elif isinstance(expr, Pow) and expr.args[1] in (S.NegativeOne, S.Half, 2, 3):
        yield from _literals(expr.args[0])
    elif isinstance(expr, Mul) and expr.args[0] is S.NegativeOne:
        for part in expr.args[1:]:
            yield from _literals(part)
    elif isinstance(expr, Choice):  # whole numbers are compared, and chosen among others
        yield from _literals(expr.there)
        yield from _literals(expr.elsewhere)
    else:
        for part in expr.args:
            yield from _literals(part)


def _untyped(kernel: Kernel) -> Iterator[str]:
    for one in (*_assigned(kernel), *(line for row in kernel.rows for line in row.body)):
        if one.wide or one.cast:
            continue
        for literal in _literals(one.value):
            yield f"{literal} stands untyped in {one.target} = {one.value}"


def _unknown(kernel: Kernel) -> Iterator[str]:
    known = {one.name for one in kernel.arguments} | {kernel.count, "size", "stop"}
    known |= set(kernel.lengths)
    for one in kernel.numbers:
        yield from _undefined(one.value, known)
        known |= {str(symbol) for symbol in one.target.free_symbols}
    for node in every_node(kernel.body):
        match node:
            case Assign(target, value):
                yield from _undefined(value, known)
                known.add(str(target.base.label if isinstance(target, Indexed) else target))
            case Loop(counter):
                known.add(counter.name)
            case Scratch(name) | Stop(name) | View(name):
                known.add(name)
            case Whole(target, value):
                yield from _undefined(value, known)
                known.add(target.name)
            case Row(name, array, places, first, step):
                for one in (local(array), *places, first, step):
                    yield from _undefined(one, known)
                known.add(name)
            case Call(_, arguments):
                for one in arguments:
                    yield from _undefined(one, known)
            case Draw(_, target, start, numbers):
                named = (one for one in (target, *numbers) if one.isidentifier())
                for one in (*map(Symbol, named), start):
                    yield from _undefined(one, known)
            case Fault(divisor):
                yield from _undefined(divisor, known)
    for row in kernel.rows:
        inside = {*row.blocks, *row.numbers, row.counter.name, "start", *map(str, row.parts)}
        inside |= {place for place, _ in row.places}
        for line in row.body:
            yield from _undefined(line.value, inside)
            inside.add(str(line.target))


def _undefined(expr: Expr, known: set[str]) -> Iterator[str]:
    for symbol in sorted(expr.atoms(Symbol), key=str):
        if symbol.name not in known:
            yield f"{symbol} is read before it is known"


def _secretly_written(kernel: Kernel) -> Iterator[str]:
    scratch = {node.name for node in every_node(kernel.body) if isinstance(node, Scratch)}
    allowed = {one.name for one in kernel.arguments if one.written} | scratch
    allowed |= {
        node.name
        for node in every_node(kernel.body)
        if isinstance(node, View | Row) and node.array in allowed
    }
    for one in _assigned(kernel):
        if isinstance(one.target, Indexed) and str(one.target.base.label) not in allowed:
            yield f"{one.target} is written, but no output"
    for call in (node for node in every_node(kernel.body) if isinstance(node, Call)):
        for target in call.targets:
            if isinstance(target, Indexed) and str(target.base.label) not in allowed:
                yield f"{target} is added to, but no output"


def _twice(kernel: Kernel) -> Iterator[str]:
    names = [one.name for one in kernel.arguments]
    yield from (f"{name} names two arguments" for name in set(names) if names.count(name) > 1)


INVARIANTS: dict[str, Callable[[Kernel], Iterator[str]]] = {
    "loops read elements and locals only": _unnamed_entries,
    "numbers inside loops are typed": _untyped,
    "what is read is known": _unknown,
    "only outputs are written": _secretly_written,
    "names are told apart": _twice,
}
