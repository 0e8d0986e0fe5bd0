"""The loop language: what a kernel does, as frozen values that no target has a say in.

Expressions are SymPy's, as written, over three kinds of atoms: a local number (``Symbol``), an
element of an array (``Indexed``) and a literal. A literal may stand only where numbers are
computed once per step, in float64; inside a loop every number is typed like the arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sympy import Basic, Expr, Indexed, IndexedBase, Set, Symbol

from symopt.views import rewrite

ARRAY, BATCH, SCALAR_STATE, NUMBER, STEP = "array", "batch", "scalar state", "number", "step"
COUNT = "count"
# an array of the bits of bfloat16 numbers; where in a tensor, and in which, an array begins
BITS, PLACE = "bits", "place"
# which parts of the work a call does, and where it notes what it may not divide by
PART = "part"
# numbers of a kernel's own: in float64 for each part, in float64, or in the arrays' dtype
TOTALS, WIDE, TYPED = "totals", "wide", "typed"
# the same in the arrays' dtype for each part: what several rows add to totals, or to parameters
NEAR_TOTALS, NEAR_LEARNED = "near totals", "near learned"
# whether a call writes past the caches
STREAM = "stream"
# whole numbers of 64 bits: those that a user chooses, and those made of probabilities
WORD, LIMIT = "word", "limit"


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
    """``target = value``, or ``target += value`` with ``augment``, the larger of the two by max.

    A ``wide`` value is a number that is computed in float64; ``cast`` types it like the arrays.
    """

    target: Expr
    value: Expr
    augment: str = ""
    cast: bool = False
    note: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Loop:
    """``body`` for each whole number from ``start`` up to ``stop``, that not included."""

    counter: Symbol
    start: Expr | str
    stop: Expr | str
    body: tuple[Node, ...]
    stride: int = 1


@dataclass(frozen=True)
class Stage:
    """What is done in the stage of this number; ``once``, not for each part of the work."""

    number: int
    once: bool
    body: tuple[Node, ...]


@dataclass(frozen=True)
class Scratch:
    """A small array of the arrays' dtype, or ``wide`` in float64, that holds partial sums."""

    name: str
    size: Expr | int
    wide: bool = False


@dataclass(frozen=True)
class Stop:
    """The end of a block: the smaller of the next block's start and the number of elements."""

    name: str
    start: Symbol
    size: int
    last: str = "size"


@dataclass(frozen=True)
class View:
    """One block of an array, or of its ``row``, under a name of its own, counted from 0.

    The compiler then knows that no place lies before the first, and loads several at a time.
    """

    name: str
    array: str
    start: Symbol
    row: Symbol | None = None


@dataclass(frozen=True)
class Call:
    """What a function of one row returns, added to each of the targets in turn, or by max."""

    function: str
    arguments: tuple[Expr, ...]
    targets: tuple[Expr, ...]
    combine: tuple[str, ...]


@dataclass(frozen=True)
class Draw:
    """Values of a random letter from position ``start`` up to ``stop``, written into a scratch.

    ``numbers`` are what the function takes besides: which letter it is, words and limits.
    """

    function: str
    target: str
    start: Symbol
    numbers: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True)
class Fault:
    """Where this divisor is zero, the group has no value by the equation of this number.

    The first such group of a part is noted in the part's row of ``fault``.
    """

    divisor: Expr
    equation: int
    group: tuple[Symbol, ...]


@dataclass(frozen=True)
class Whole:
    """``target = value``, both whole numbers: how far a loop runs."""

    target: Symbol
    value: Expr


@dataclass(frozen=True)
class Row:
    """The entries of an array along its last axis, from ``first`` on, each ``step`` places on.

    ``places`` are those along the axes before it. The row is counted from 0, as a block is.
    """

    name: str
    array: str
    places: tuple[Expr, ...]
    first: Expr
    step: Expr


@dataclass(frozen=True)
class WhereOne:
    """``near`` where a whole number is 1, ``apart`` elsewhere: the same, but for what is known."""

    number: Symbol
    near: tuple[Node, ...]
    apart: tuple[Node, ...]


@dataclass(frozen=True)
class Stream:
    """The entries of a row from ``first`` to ``last``, stored from ``source`` past the caches."""

    array: str
    places: tuple[Expr, ...]
    first: Symbol
    last: str
    source: str


@dataclass(frozen=True)
class Settle:
    """What was stored past the caches is there for all threads, if ``number`` is 1."""

    number: Symbol


Node = (
    Assign
    | Loop
    | Stage
    | Scratch
    | Stop
    | View
    | Call
    | Draw
    | Fault
    | Whole
    | Row
    | WhereOne
    | Stream
    | Settle
)


@dataclass(frozen=True)
class RowFunction:
    """Sums over one row, in blocks: within a block in the arrays' dtype, across them in float64.

    ``arrays`` are the rows, ``numbers`` what is the same along them; ``parts`` are the sums
    within a block, or the largest where ``combine`` is max, and ``body`` takes in one element of
    ``blocks``, which are the arrays' and counted from 0; to some of these it adds in place.
    ``places`` are those of labels among the numbers, in the present block and in 32 bits, each with
    its label; −1 where it is in none.
    """

    name: str
    arrays: tuple[str, ...]
    blocks: tuple[str, ...]
    numbers: tuple[str, ...]
    parts: tuple[Symbol, ...]
    combine: tuple[str, ...]
    counter: Symbol
    body: tuple[Assign, ...]
    places: tuple[tuple[str, str], ...] = ()

    @property
    def written(self) -> frozenset[str]:
        """The blocks that are added to in place."""
        targets = (one.target for one in self.body)
        return frozenset(str(one.base.label) for one in targets if isinstance(one, Indexed))


@dataclass(frozen=True)
class Kernel:
    """A compiled function: numbers first, once per step, then loops over elements.

    ``size`` is the number of elements, read off ``over``; ``count`` names the number of examples
    read off the batch ``batch``. Where ``lengths`` are named, they are the shape of ``over``, and
    ``rows`` the functions that the body calls.
    """

    name: str
    arguments: tuple[Argument, ...]
    numbers: tuple[Assign, ...]
    body: tuple[Node, ...]
    over: str = ""
    batch: str = ""
    count: str = ""
    result: str = ""
    lengths: tuple[str, ...] = ()
    rows: tuple[RowFunction, ...] = ()

    def of_kind(self, *kinds: str) -> tuple[Argument, ...]:
        """The arguments of these kinds, in order."""
        return tuple(one for one in self.arguments if one.kind in kinds)


def rewritten(nodes: tuple[Node, ...], change: Callable[[Basic], Basic | None]) -> tuple[Node, ...]:
    """The same nodes with some expressions in them replaced, wherever they are read or written."""

    def of(one: Node) -> Node:
        match one:
            case Assign(target, value):
                return replace(one, target=rewrite(target, change), value=rewrite(value, change))
            case Loop(body=body) | Stage(body=body):
                return replace(one, body=rewritten(body, change))
            case Call(_, arguments, targets):
                return replace(
                    one,
                    arguments=tuple(rewrite(x, change) for x in arguments),
                    targets=tuple(rewrite(x, change) for x in targets),
                )
            case Fault(divisor):
                return replace(one, divisor=rewrite(divisor, change))
        return one

    return tuple(map(of, nodes))


def local(name: str) -> Symbol:
    """A number inside a kernel."""
    return Symbol(name, real=True)


def element(name: str, *places: Expr) -> Indexed:
    """An element of an array."""
    return IndexedBase(Symbol(name, real=True))[places]
