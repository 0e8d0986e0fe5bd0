"""What a function of a tensor layer does beside its kernels: matrix products, and where they go.

Values of the loop language's outermost level, which runs in the host language: a product of
matrices is handed to a library there. Lengths are expressions in counts and hyperparameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Expr

from symopt.program.ir import ARRAY, Kernel


@dataclass(frozen=True)
class Stacked:
    """An array as a stack of matrices: its axes in another order, then gathered into groups.

    A group of no lengths is an axis of length 1.
    """

    array: str
    order: tuple[int, ...]
    groups: tuple[tuple[Expr, ...], ...]


@dataclass(frozen=True)
class MatrixProduct:
    """``target = left @ right``, matrix by matrix along the stack."""

    left: Stacked
    right: Stacked
    target: Stacked
    note: str = ""


@dataclass(frozen=True)
class Space:
    """An array of these lengths for what is needed on the way; all 0 at first if ``cleared``."""

    name: str
    lengths: tuple[Expr, ...]
    cleared: bool = False


@dataclass(frozen=True)
class Clear:
    """All entries of an array are 0."""

    array: str


@dataclass(frozen=True)
class Scale:
    """Each entry of an array times a number, which is computed in float64."""

    array: str
    number: Expr


@dataclass(frozen=True)
class Added:
    """``target += source``, whose axes are taken in this order.

    If ``summed``, its first axis is summed over before, in float64, and is none of them.
    """

    target: str
    source: str
    order: tuple[int, ...]
    summed: bool = False


@dataclass(frozen=True)
class Run:
    """A call of a kernel; sizes are handed over by name."""

    kernel: Kernel


@dataclass(frozen=True)
class Blocks:
    """``body`` for one block of an axis after the other, so that the ``spaces`` stay small.

    ``length`` is that of the axis, the first one of the ``parts`` and of the spaces; in the body
    they stand for their part in the present block, and ``length`` for what it has of the axis.
    """

    length: Expr
    spaces: tuple[Space, ...]
    parts: tuple[str, ...]
    body: tuple[HostNode, ...]


@dataclass(frozen=True)
class IfFinite:
    """``then`` where all of an array is finite, so that 0 times it is 0; else ``otherwise``."""

    array: str
    then: tuple[HostNode, ...]
    otherwise: tuple[HostNode, ...]


HostNode = MatrixProduct | Space | Clear | Scale | Added | Run | Blocks | IfFinite


@dataclass(frozen=True)
class Result:
    """An array that a function returns; a ``wide`` one is gathered in float64 and rounded last.

    It is 0 at first if so, and holds nothing yet otherwise.
    """

    name: str
    lengths: tuple[Expr, ...]
    wide: bool


@dataclass(frozen=True)
class TensorFunction:
    """A public function: the arrays that it takes, what it does, and what it returns."""

    name: str
    arrays: tuple[str, ...]
    results: tuple[Result, ...]
    body: tuple[HostNode, ...]

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        """The kernels that it runs, each once."""
        runs = (node for node in nodes(self.body) if isinstance(node, Run))
        return tuple({run.kernel.name: run.kernel for run in runs}.values())

    @property
    def letters(self) -> frozenset[str]:
        """The names of all lengths and hyperparameters that it speaks of."""
        found = {a.name for kernel in self.kernels for a in kernel.arguments if a.kind != ARRAY}
        exprs = [length for one in self.results for length in one.lengths]
        exprs += [expr for node in nodes(self.body) for expr in _expressions(node)]
        return frozenset(found | {str(symbol) for one in exprs for symbol in one.free_symbols})


def _expressions(node: HostNode) -> Iterator[Expr]:
    """The lengths and numbers that a node holds itself."""
    match node:
        case MatrixProduct(left, right, target):
            for side in (left, right, target):
                yield from (length for group in side.groups for length in group)
        case Space(_, lengths):
            yield from lengths
        case Scale(_, number):
            yield number
        case Blocks(length, spaces):
            yield length
            yield from (one for space in spaces for one in space.lengths)


def nodes(body: tuple[HostNode, ...]) -> Iterator[HostNode]:
    """All nodes, those inside of others after them."""
    for node in body:
        yield node
        if isinstance(node, Blocks):
            yield from nodes(node.body)
        elif isinstance(node, IfFinite):
            yield from nodes(node.then)
            yield from nodes(node.otherwise)
