"""The outline of a tensor layer: its arrays, how long their axes are, how far indices run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sympy import Basic, Expr, Indexed, S

from symopt.declaration.arrays import is_length
from symopt.declaration.statements import Equation, Shape
from symopt.errors import DeclarationError
from symopt.nodes import Sigma
from symopt.notation import Count, Index, Sequence, count
from symopt.printing.unicode import unicode
from symopt.views import occurrences

if TYPE_CHECKING:
    from symopt.declaration.values import TensorLayer

Margins = tuple[tuple[Expr, Expr], ...]


@dataclass(frozen=True)
class Outline:
    """The one equation of a tensor layer, its arrays in the order of their roles, and its indices.

    ``shapes`` and ``margins`` are those of all arrays that are read; ``ranges`` say how far each
    index runs, from 1 on. The ``sought`` indices of the output stand alone in no array: they run
    over all places at which nothing is read beyond an array and the zeros around it, and the last
    of these has a name in ``ranges``.
    """

    id: str
    equation: Equation
    inputs: tuple[Sequence, ...]
    learned: tuple[Sequence, ...]
    shapes: Mapping[Sequence, tuple[Expr, ...]]
    margins: Mapping[Sequence, Margins]
    ranges: Mapping[Index, Expr]
    sought: tuple[Index, ...]

    @property
    def output(self) -> Indexed:
        """The entry of the output that the equation defines."""
        return self.equation.left

    @property
    def arrays(self) -> tuple[Sequence, ...]:
        """All arrays that are read, what is given first."""
        return (*self.inputs, *self.learned)

    @property
    def output_shape(self) -> tuple[Expr, ...]:
        """The lengths of the output's axes."""
        return tuple(self.ranges[one] for one in self.output.indices)

    @property
    def batch(self) -> Index | None:
        """The index that counts examples: first in the output and every input, in nothing learned.

        Inputs have it alone in their first axis, and its range is no length that is learned.
        """
        first = self.output.indices[0]
        size = self.ranges[first]
        inside = [one for one in entries(self.equation.right) if one.base in self.inputs]
        leads = all(one.indices[0] == first for one in inside)
        own = not any(size in self.shapes[one] for one in self.learned)
        return first if leads and own and isinstance(size, Count) else None


def entries(expr: Basic) -> tuple[Indexed, ...]:
    """The entries of arrays in an expression, in the order in which they are written."""
    return occurrences(expr, Indexed)


def sums(expr: Basic) -> Iterator[Sigma]:
    """The sums in an expression, each before those within it."""
    for one in occurrences(expr, Sigma):
        yield one
        yield from sums(one.body)


def outline(layer: TensorLayer) -> Outline:
    """The outline of a layer.

    Raises
    ------
    DeclarationError
        If it has not one equation, or the length of an axis or the range of an index is not told.
    """
    ((id, equation),) = layer.equations or (_no_equation(layer),)
    right = equation.right
    arrays = tuple(dict.fromkeys(one.base for one in entries(right)))
    stated = {s.content.letter: s.content for s in layer.statements if isinstance(s.content, Shape)}
    ranges: dict[Index, Expr] = {}
    for total in sums(right):
        _agree(id, total.index, ranges.setdefault(total.index, _last(id, total)), _last(id, total))
    shapes: dict[Sequence, tuple[Expr, ...]] = {
        one: content.lengths for one, content in stated.items() if one in arrays
    }
    output = equation.left
    told = stated.get(output.base)
    read = {length for lengths in shapes.values() for length in lengths}
    if told is not None and len(told.lengths) == len(output.indices):
        for index, length in zip(output.indices, told.lengths, strict=True):
            if length in read:
                ranges.setdefault(index, length)
    _infer(right, arrays, shapes, ranges)
    _complete(layer, id, right, arrays, shapes)
    sought = _sought(layer, id, equation, ranges)
    taken = {str(one) for one in (*ranges.values(), *arrays, output.base)} | {layer.name}
    taken |= {str(symbol) for lengths in shapes.values() for symbol in lengths}
    for index in sought:
        place = output.indices.index(index)
        named = told.lengths[place] if told is not None else _named(index, taken)
        ranges[index] = named
        taken.add(str(named))
    margins = {
        one: stated[one].margins if one in stated else ((S.Zero, S.Zero),) * len(shapes[one])
        for one in arrays
    }
    return Outline(
        id,
        equation,
        tuple(one for one in arrays if one.role == "given"),
        tuple(one for one in arrays if one.role == "learned"),
        shapes,
        margins,
        ranges,
        sought,
    )


def _no_equation(layer: TensorLayer) -> tuple[str, Equation]:
    raise DeclarationError(
        f"{layer.name} has no equation; write Eq(y[n, k], …) with the output on its left side"
    )


def _last(id: str, total: Sigma) -> Expr:
    if total.bounds is None or total.bounds[0] != 1 or not is_length(total.bounds[1]):
        raise DeclarationError(
            f"{id} has the sum {unicode(total)}, of which it is not known how far it runs; write "
            "Sigma(…, (j, 1, J)) with a count, a whole number or a hyperparameter in whole numbers"
        )
    last: Expr = total.bounds[1]
    return last


def _agree(id: str, index: Index, one: Expr, other: Expr) -> None:
    if one != other:
        raise DeclarationError(
            f"{id} lets {unicode(index)} run to {unicode(one)} and to {unicode(other)}; take "
            "another letter for one of them"
        )


def _infer(
    right: Basic,
    arrays: tuple[Sequence, ...],
    shapes: dict[Sequence, tuple[Expr, ...]],
    ranges: dict[Index, Expr],
) -> None:
    """Ranges from lengths and lengths from ranges, through indices that stand alone in an axis."""
    partial: dict[Sequence, dict[int, Expr]] = {
        one: dict(enumerate(shapes.get(one, ()))) for one in arrays
    }
    before = -1
    while before != (before := sum(map(len, partial.values())) + len(ranges)):
        for entry in entries(right):
            for axis, place in enumerate(entry.indices):
                if isinstance(place, Index):
                    if axis in partial[entry.base]:
                        ranges.setdefault(place, partial[entry.base][axis])
                    elif place in ranges and entry.base not in shapes:
                        partial[entry.base][axis] = ranges[place]
    for entry in entries(right):
        known = partial[entry.base]
        if set(known) == set(range(len(entry.indices))):
            shapes.setdefault(entry.base, tuple(known[axis] for axis in sorted(known)))


def _complete(
    layer: TensorLayer,
    id: str,
    right: Basic,
    arrays: tuple[Sequence, ...],
    shapes: dict[Sequence, tuple[Expr, ...]],
) -> None:
    for one in arrays:
        if one not in shapes:
            entry = next(entry for entry in entries(right) if entry.base == one)
            raise DeclarationError(
                f"{id} reads {unicode(entry)}, but the lengths of all axes of {unicode(one)} are "
                f"not known; state them, as in shape({one.spelling.python}, N, J), in "
                f"{layer.name}"
            )


def _sought(
    layer: TensorLayer, id: str, equation: Equation, ranges: Mapping[Index, Expr]
) -> tuple[Index, ...]:
    """The output's indices of which no axis tells the range."""
    inside = {
        symbol
        for entry in entries(equation.right)
        for place in entry.indices
        for symbol in place.atoms(Index)
    }
    found = []
    for index in equation.left.indices:
        if index not in inside:
            raise DeclarationError(
                f"{id} defines {unicode(equation.left)}, but reads nothing at {unicode(index)}; "
                f"leave {unicode(index)} out of the output of {layer.name}, or let an array have it"
            )
        if index not in ranges:
            found.append(index)
    return tuple(found)


def _named(index: Index, taken: set[str]) -> Count:
    """A letter for the last place of an index: P for p, where that is not taken."""
    word = index.spelling.python
    tries = (word.capitalize(), *(f"{word.capitalize()}_{k}" for k in range(1, len(taken) + 2)))
    return count(next(one for one in tries if one not in taken))
