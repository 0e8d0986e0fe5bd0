"""A layer's equations for a group of m elements, written out: a plain letter for each element."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from sympy import Add, Basic, Expr, Indexed, Integer, Max

from symopt.declaration import Equation, Inference, Layer
from symopt.errors import DeclarationError
from symopt.nodes import Expectation, Gradient, Largest, Norm, Sigma
from symopt.notation import Index, Parameter, Sequence, Statistic, statistic
from symopt.views import rewrite


@dataclass(frozen=True)
class Line:
    """One equation for one element, or for the group: ``letter = right`` in plain letters.

    ``shown`` is the letter of the declaration and ``element`` which one, counted from 0. A
    running average reads its ``past`` and defines another plain letter.
    """

    id: str
    shown: Basic
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
    return Unrolled(size, tuple(_lines(layer.equations, size)))


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
    lines = tuple(_lines(later_equations(layer), size))
    needed = {line.letter for line in lines if line.shown == output(layer)}
    for line in reversed(lines):
        if line.letter in needed:
            needed |= read(line.right)
    return Unrolled(size, tuple(line for line in lines if line.letter in needed))


def output(layer: Layer) -> Sequence:
    """The letter that the last equation defines for each element.

    Raises
    ------
    DeclarationError
        If that equation defines none.
    """
    lefts = [one.left for _, one in layer.equations if not is_running(one)]
    if not lefts or not isinstance(lefts[-1], Indexed):
        raise DeclarationError(
            f"{layer.name} ends in no output for each element; let its last equation define y[i]"
        )
    return lefts[-1].base


def left_letter(equation: Equation) -> Basic:
    """The letter that an equation defines, for the group or for each element."""
    left = equation.left
    return left.base if isinstance(left, Indexed) else left


def _lines(equations: Iterable[tuple[str, Equation]], size: int) -> Iterator[Line]:
    """Each equation for each element; what follows a running average reads its new value."""
    renewed: dict[Basic, Basic] = {}
    for id, one in equations:
        shown = left_letter(one)
        if isinstance(one.left, Indexed):
            (index,) = one.left.indices
            for k in range(size):
                right = _plain(one.right, {index: k}, size, renewed)
                yield Line(id, shown, k, entry(shown, k), right)
        elif is_running(one):
            new = statistic(f"{shown.spelling.python.strip('_')}_new")
            yield Line(id, shown, None, new, _plain(one.right, {}, size, renewed), shown)
            renewed[shown] = new
        else:
            yield Line(id, shown, None, shown, _plain(one.right, {}, size, renewed))


def plain(expr: Basic, element: int, size: int) -> Expr:
    """An expression at one of so many elements, sums written out, in plain letters."""
    return _plain(expr, dict.fromkeys(expr.atoms(Index), element), size, {})


def _plain(
    expr: Basic, bound: Mapping[Index, int], size: int, renewed: Mapping[Basic, Basic]
) -> Expr:
    """An expression with sums written out and indexed letters replaced by plain ones."""

    def change(node: Basic) -> Basic | None:
        if isinstance(node, Sigma | Largest):
            terms = [
                _plain(node.body, {**bound, node.index: k}, size, renewed) for k in range(size)
            ]
            kind = Add if isinstance(node, Sigma) else Max
            return kind(*terms, evaluate=False) if size > 1 else terms[0]
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
