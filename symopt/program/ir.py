"""The loop language: what a kernel does, as frozen values that no target has a say in.

Expressions are SymPy's, as written, over three kinds of atoms: a local number (``Symbol``), an
element of an array (``Indexed``) and a literal. A literal may stand only where numbers are
computed once per step, in float64; inside a loop every number is typed like the arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Indexed, IndexedBase, Set, Symbol

ARRAY, BATCH, SCALAR_STATE, NUMBER, STEP = "array", "batch", "scalar state", "number", "step"


@dataclass(frozen=True)
class Argument:
    """One argument of a kernel; ``written`` arrays are updated in place."""

    name: str
    kind: str
    written: bool = False
    domain: Set | None = None
    default: float | None = None


@dataclass(frozen=True)
class Assign:
    """``target = value``, or ``target += value`` with ``augment``; ``cast`` types a number."""

    target: Expr
    value: Expr
    augment: str = ""
    cast: bool = False
    note: str = ""


@dataclass(frozen=True)
class Loop:
    """``body`` for each whole number from ``start`` up to ``stop``, that not included."""

    counter: Symbol
    start: Expr | str
    stop: Expr | str
    body: tuple[Node, ...]
    stride: int = 1


@dataclass(frozen=True)
class Scratch:
    """A small array of the arrays' dtype that holds partial sums."""

    name: str
    size: int


@dataclass(frozen=True)
class Stop:
    """The end of a block: the smaller of the next block's start and the number of elements."""

    name: str
    start: Symbol
    size: int


Node = Assign | Loop | Scratch | Stop


@dataclass(frozen=True)
class Kernel:
    """A compiled function: numbers first, once per step, then loops over elements.

    ``size`` is the number of elements, read off ``over``; ``count`` names the number of examples
    read off the batch ``batch``.
    """

    name: str
    arguments: tuple[Argument, ...]
    numbers: tuple[Assign, ...]
    body: tuple[Node, ...]
    over: str = ""
    batch: str = ""
    count: str = ""
    result: str = ""

    def of_kind(self, *kinds: str) -> tuple[Argument, ...]:
        """The arguments of these kinds, in order."""
        return tuple(one for one in self.arguments if one.kind in kinds)


def local(name: str) -> Symbol:
    """A number inside a kernel."""
    return Symbol(name, real=True)


def element(name: str, *places: Expr) -> Indexed:
    """An element of an array."""
    return IndexedBase(Symbol(name, real=True))[places]
