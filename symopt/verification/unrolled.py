"""A layer's equations for a group of m elements, written out: a plain letter for each element."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from sympy import Add, Basic, Expr, Indexed, Integer, Max

from symopt.declaration import Equation, Inference, Layer, Loss
from symopt.errors import DeclarationError
from symopt.nodes import Expectation, Gradient, Largest, Norm, Sigma
from symopt.notation import Index, Label, Parameter, Sequence, Statistic, statistic
from symopt.views import canonical, rewrite


@dataclass(frozen=True)
class Line:
    """One equation for one element, or for the group: ``letter = right`` in plain letters.

    ``shown`` is the letter of the declaration and ``element`` which one, counted from 0; a sum
    within an equation has none. A running average reads its ``past`` and defines another plain
    letter.
    """

    id: str
    shown: Basic | None
    element: int | None
    letter: Statistic
    right: Expr
    past: Statistic | None = None


@dataclass(frozen=True)
class Unrolled:
    """All lines in the order of the declaration, and the letters they read and do not define."""

    size: int
    lines: tuple[Line, ...]

    @property
    def inputs(self) -> tuple[Basic, ...]:
        """Plain letters, parameters and statistics that come from outside."""
        found: dict[Basic, None] = {}
        for line in self.lines:
            found.update(dict.fromkeys(sorted(read(line.right), key=str)))
        return tuple(one for one in found if one not in {line.letter for line in self.lines})

    @property
    def equations(self) -> tuple[tuple[Basic, Expr], ...]:
        """The letters with their right sides."""
        return tuple((line.letter, line.right) for line in self.lines)

    @property
    def differentiated(self) -> tuple[tuple[Basic, Expr], ...]:
        """The equations that a gradient goes through: all but running averages."""
        return tuple((line.letter, line.right) for line in self.lines if line.past is None)

    def labelled(self, labels: Mapping[Label, int]) -> Unrolled:
        """The lines for these labels: what a delta picks out is read, and nothing else."""
        known = {label: Integer(number) for label, number in labels.items()}
        lines = (replace(one, right=canonical(one.right).xreplace(known)) for one in self.lines)
        return Unrolled(self.size, tuple(lines))

    def of(self, shown: Basic) -> tuple[Line, ...]:
        """The lines that define a letter of the declaration."""
        return tuple(line for line in self.lines if line.shown == shown)


@cache
def entry(letter: Sequence, element: int) -> Statistic:
    """The plain letter for one element's value."""
    return statistic(f"{letter.spelling.python.strip('_')}_at_{element}")


def read(expr: Basic) -> set[Basic]:
    """The plain letters, parameters and statistics in an expression."""
    return expr.atoms(Statistic, Parameter)


def is_running(equation: Equation) -> bool:
    """Whether an equation updates a statistic from its own past."""
    return isinstance(equation.left, Statistic) and equation.left in read(equation.right)


def training(layer: Layer, size: int) -> Unrolled:
    """What a forward pass computes, for groups of so many elements."""
    return Unrolled(size, _lines(layer.equations, size))


def later_equations(layer: Layer) -> tuple[tuple[str, Equation], ...]:
    """The equations that hold once training is over, each with its id."""
    instead = {
        left_letter(s.meant.content.shown): (layer.id_of(s.key), s.meant.content.shown)
        for s in layer.statements
        if isinstance(s.meant.content, Inference)
    }
    plain = [(id, one) for id, one in layer.equations if not is_running(one)]
    return tuple(instead.get(left_letter(one), (id, one)) for id, one in plain)


def inference(layer: Layer, size: int) -> Unrolled:
    """What the output is once training is over, and no line that it does not need."""
    lines = _lines(later_equations(layer), size)
    needed = {line.letter for line in lines if line.shown == output(layer)}
    for line in reversed(lines):
        if line.letter in needed:
            needed |= read(line.right)
    return Unrolled(size, tuple(line for line in lines if line.letter in needed))


def output(layer: Layer) -> Sequence | Statistic:
    """The letter that the last equation defines: for each element, of a loss for the group.

    Raises
    ------
    DeclarationError
        If that equation defines none.
    """
    lefts = [one.left for _, one in layer.equations if not is_running(one)]
    last = lefts[-1] if lefts else None
    if isinstance(layer, Loss):
        if not isinstance(last, Statistic):
            raise DeclarationError(
                f"{layer.name} ends in no number for a group; let its last equation define a "
                "statistic"
            )
        return last
    if not isinstance(last, Indexed):
        raise DeclarationError(
            f"{layer.name} ends in no output for each element; let its last equation define y[i]"
        )
    return last.base


def left_letter(equation: Equation) -> Basic:
    """The letter that an equation defines, for the group or for each element."""
    left = equation.left
    return left.base if isinstance(left, Indexed) else left


def _lines(equations: Iterable[tuple[str, Equation]], size: int) -> tuple[Line, ...]:
    """Each equation for each element; what follows a running average reads its new value."""
    made = _Lines(size)
    for id, one in equations:
        made.equation(id, one)
    return tuple(made.found)


class _Lines:
    """The lines so far, sums among them, and the new values of running averages."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.found: list[Line] = []
        self.renewed: dict[Basic, Basic] = {}
        self.sums: dict[Basic, Statistic] = {}

    def equation(self, id: str, one: Equation) -> None:
        """The lines of an equation: one for each element, or for the group."""
        shown = left_letter(one)
        if isinstance(one.left, Indexed):
            (index,) = one.left.indices
            for k in range(self.size):
                right = self._plain(id, one.right, {index: k})
                self.found.append(Line(id, shown, k, entry(shown, k), right))
            return
        right = self._plain(id, one.right, {})
        if is_running(one):
            new = statistic(f"{shown.spelling.python.strip('_')}_new")
            self.found.append(Line(id, shown, None, new, right, shown))
            self.renewed[shown] = new
        else:
            self.found.append(Line(id, shown, None, shown, right))

    def _plain(self, id: str, expr: Basic, bound: Mapping[Index, int]) -> Expr:
        """An expression with letters for sums, and plain letters in place of indexed ones."""

        def summed(node: Basic) -> Basic:
            return self._sum(id, node, bound)

        return _replaced(expr, bound, summed, self.renewed)

    def _sum(self, id: str, node: Basic, bound: Mapping[Index, int]) -> Statistic:
        """The letter of a sum or a maximum, written out in a line of its own.

        A square root of one term's square would else be that term's absolute value.
        """
        terms = [self._plain(id, node.body, {**bound, node.index: k}) for k in range(self.size)]
        written = _written_out(node, terms)
        if written not in self.sums:
            self.sums[written] = letter = statistic(f"judge_sum_{len(self.sums)}")
            self.found.append(Line(id, None, None, letter, written))
        return self.sums[written]


def plain(expr: Basic, element: int, size: int) -> Expr:
    """An expression at one of so many elements, sums written out, in plain letters."""
    return _at(expr, dict.fromkeys(expr.atoms(Index), element), size)


def _at(expr: Basic, bound: Mapping[Index, int], size: int) -> Expr:
    def summed(node: Basic) -> Basic:
        return _written_out(node, [_at(node.body, {**bound, node.index: k}, size)
                                   for k in range(size)])  # fmt: skip

    return _replaced(expr, bound, summed, {})


def _written_out(node: Basic, terms: list[Expr]) -> Expr:
    """A sum or a maximum of these terms."""
    kind = Add if isinstance(node, Sigma) else Max
    return kind(*terms, evaluate=False) if len(terms) > 1 else terms[0]


def _replaced(
    expr: Basic,
    bound: Mapping[Index, int],
    summed: Callable[[Basic], Basic],
    renewed: Mapping[Basic, Basic],
) -> Expr:
    """An expression with plain letters in place of indexed ones, sums replaced by ``summed``."""

    def change(node: Basic) -> Basic | None:
        if isinstance(node, Sigma | Largest):
            return summed(node)
        if isinstance(node, Indexed):
            (index,) = node.indices
            return entry(node.base, bound[index])
        if isinstance(node, Index):
            return Integer(bound[node] + 1)
        if isinstance(node, Norm | Gradient | Expectation):
            raise DeclarationError(
                f"{node} has no meaning for the judge in a layer, whose equations are about the "
                "elements of one group; write a sum over them"
            )
        return renewed.get(node)

    return rewrite(expr, change)
