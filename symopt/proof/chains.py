"""A derivation that somebody wrote, as a value: equations one after another, to be checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sympy import Basic, Eq, Expr, Symbol, evaluate

from symopt.calculus.adjoints import Definition
from symopt.declaration import Declaration, Equation, Initial, Layer, SideBySide, Value
from symopt.derivation.api import statements
from symopt.derivation.drawn import Draws, draws
from symopt.derivation.forward import forward
from symopt.derivation.steps import Reason, in_words
from symopt.errors import UsageError
from symopt.notation import primed
from symopt.printing.unicode import UnicodePrinter, unicode
from symopt.proof.verdict import REFUTED
from symopt.views import sums_as_written

DEFINED, AGREES, UNKNOWN = "defines", "agrees", "unknown"


@dataclass(frozen=True)
class Equality:
    """A line: both of its sides as they were written."""

    left: Expr
    right: Expr

    def __str__(self) -> str:
        return UnicodePrinter().equation(self.left, self.right)


@dataclass(frozen=True)
class Chain:
    """Lines that are said to follow one from the other, under assumptions.

    What is ``given`` holds from the start, the formulas of a declaration for instance; gradients
    are then those of the loss after its pass ``forward``, means those over what is ``drawn``. The
    first line with a letter alone on its left defines that letter.
    """

    name: str
    lines: tuple[Equality, ...]
    assumptions: tuple[Basic, ...] = ()
    file: str = ""
    given: tuple[Equality, ...] = ()
    forward: tuple[Definition, ...] = ()
    drawn: Draws = field(default_factory=dict)

    @property
    def whole(self) -> tuple[Equality, ...]:
        """What is given, then the lines."""
        return (*self.given, *self.lines)


def chain(*assumptions: Any) -> Callable[[Callable[[], Sequence[Any]]], Chain]:
    """A function that returns equations, one after another, as a chain of lines.

    A line is ``Eq(left, right)``, or an expression that the right side of the line before is said
    to be equal to. ``assumptions`` hold throughout: relations such as ``x > 0``, and declarations,
    whose formulas are then given, so that each line is held against them.

    >>> from sympy import sqrt
    >>> from sympy.abc import x
    >>> @chain(x > 0)
    ... def roots():
    ...     return [Eq(sqrt(x**2 + 2*x + 1), sqrt((x + 1)**2)), x + 1]
    >>> print(roots.lines[1])
    √((x + 1)²) = x + 1

    Raises
    ------
    UsageError
        For a line that is no equation, and for what is nothing to be assumed.
    """

    def made(body: Callable[[], Sequence[Any]]) -> Chain:
        with evaluate(False):
            stated = list(body())
        lines: list[Equality] = []
        for number, one in enumerate(stated, start=1):
            lines.append(_line(body.__name__, number, one, lines))
        if not lines:
            raise UsageError(f"{body.__name__} has no lines; return equations in a list")
        relations = tuple(one for one in assumptions if isinstance(one, Basic))
        sources = [one for one in assumptions if not isinstance(one, Basic)]
        known = tuple(line for one in sources for line in given(one))
        layers = [one for one in sources if isinstance(one, Layer)]
        run = tuple(step for one in layers for step in forward(one))
        drawn = {letter: value for one in layers for letter, value in draws(one).items()}
        file = body.__code__.co_filename
        return Chain(body.__name__, tuple(lines), relations, file, known, run, drawn)

    return made


def _line(name: str, number: int, stated: Any, before: Sequence[Equality]) -> Equality:
    if isinstance(stated, Eq):
        return Equality(*(sums_as_written(side) for side in stated.args))
    if isinstance(stated, Expr) and before:
        return Equality(before[-1].right, sums_as_written(stated))
    raise UsageError(
        f"line {number} of {name} is {stated}, which is no equation; write Eq(left, right)"
    )


def given(declared: Any) -> tuple[Equality, ...]:
    """The formulas of a declaration, as what a chain goes out from.

    >>> from symopt.catalog.lecture.adam import adam
    >>> print(*given(adam)[:3], sep="\\n")
    vₜ = β₁·vₜ₋₁ + (1 − β₁)·gₜ
    Gₜ = β₂·Gₜ₋₁ + (1 − β₂)·gₜ²
    v₀ = 0

    Raises
    ------
    UsageError
        For anything else.
    """
    if not isinstance(declared, Declaration):
        raise UsageError(
            f"a chain assumes {declared}; give relations such as x > 0, or declarations"
        )
    return tuple(line for one in statements(declared) for line in _stated(one.meant.content))


def _stated(content: Any) -> Iterator[Equality]:
    match content:
        case Equation():
            # a number that is changed in place has a prime once it is
            again = isinstance(content.left, Symbol) and content.right.has(content.left)
            yield Equality(primed(content.left) if again else content.left, content.right)
        case SideBySide():
            yield from (Equality(one.left, one.right) for one in content.equations)
        case Initial() if content.value.is_finite:
            yield from (Equality(one[0], content.value) for one in content.sequences)
        case Value():
            yield Equality(content.shown.left, content.shown.right)


@dataclass(frozen=True)
class Step:
    """A line with its status: it ``defines`` a letter, is ``proved``, ``agrees`` at points only.

    It is ``unknown`` where it has no numbers to be compared. ``conditions`` are those under which
    it is proved.
    """

    line: Equality
    status: str
    conditions: tuple[Reason, ...] = ()

    @property
    def where(self) -> tuple[str, ...]:
        """The conditions in words."""
        return tuple(dict.fromkeys(in_words(one) for one in self.conditions))

    def __str__(self) -> str:
        under = f", where {' and '.join(self.where)}" if self.where else ""
        return f"  {self.line}    {self.status}{under}"


@dataclass(frozen=True)
class ChainVerdict:
    """What became of a chain: ``proved``, ``refuted`` at a line, or ``undecided``.

    Of a refuted one: the ``number`` of the first line that does not follow, a ``point`` with both
    ``values``, and the ``slip`` by which a single edit mends it to ``corrected``, if one was found.
    """

    chain: Chain
    status: str
    steps: tuple[Step, ...]
    number: int = 0
    point: tuple[tuple[Basic, Basic], ...] = ()
    values: tuple[Basic, ...] = ()
    slip: str = ""
    corrected: Equality | None = None

    @property
    def counterexample(self) -> Mapping[Basic, Basic]:
        """The point at which the line fails."""
        return dict(self.point)

    def json(self) -> dict[str, Any]:
        """The verdict for machines; formulas in Unicode."""
        return {
            "chain": self.chain.name,
            "status": self.status,
            "lines": [
                {"line": str(one.line), "status": one.status, "where": list(one.where)}
                for one in self.steps
            ],
            "number": self.number,
            "counterexample": {unicode(one): unicode(value) for one, value in self.point},
            "values": [unicode(one) for one in self.values],
            "slip": self.slip,
            "corrected": str(self.corrected) if self.corrected else "",
        }

    def __str__(self) -> str:
        if self.status != REFUTED:
            return "\n".join([f"{self.status}: {self.chain.name}", *map(str, self.steps)])
        at = ", ".join(f"{unicode(one)} = {unicode(value)}" for one, value in self.point)
        left, right = map(unicode, self.values)
        rows = [
            f"refuted: {self.chain.name}, line {self.number} does not follow",
            f"  {self.chain.lines[self.number - 1]}",
            f"  at {at or 'every point'}",
            f"  left is {left}, right is {right}",
        ]
        if self.corrected is not None:
            rows += [f"  likely slip: {self.slip}", f"  mended: {self.corrected}"]
        else:
            rows.append("  no single slip was found that mends it")
        return "\n".join(rows)
