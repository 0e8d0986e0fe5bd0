"""Layers whose groups are unlike: what each makes of whole arrays, the smallest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

from sympy import Add, Basic, Expr, Indexed, Integer, Max, Symbol

from symopt.declaration import Declaration, Layer, Loss
from symopt.declaration.axes import Axes
from symopt.errors import UsageError
from symopt.nodes import Largest, Sigma
from symopt.notation import Label, Parameter, each, parameter
from symopt.proof.outputs import POSITION, Unfolded

_LONGEST = 3
_MOST = 8  # elements of an array
Place = tuple[int, int, int]


@dataclass(frozen=True)
class Array:
    """How many examples, channels and places in space there are; channels may be ``split``."""

    examples: int
    channels: int
    space: int
    groups: int
    split: bool

    @property
    def elements(self) -> list[Place]:
        """Example, channel and place in space of each element, in the order of memory."""
        lengths = (self.examples, self.channels, self.space)
        n, c, s = (range(1, one + 1) for one in lengths)
        return list(product(n, c, s))

    @property
    def sizes(self) -> dict[Basic, Basic]:
        """The lengths by their letters."""
        named = {"N": self.examples, "C": self.channels, "S": self.space}
        named |= {"G": self.groups} if self.split else {}
        return {Symbol(name): Integer(length) for name, length in named.items()}

    def along(self, letter: str, place: Place) -> tuple[int, ...]:
        """Where an element stands along an axis."""
        n, c, s = place
        width = self.channels // self.groups
        group, within = divmod(c - 1, width)
        several = {"N": (n,), "R": (n,), "C": (c,), "S": (s,), "E": (c, s)}
        return {**several, "G": (group + 1,), "K": (within + 1,)}[letter]


def unlike_groups(left: Unfolded, right: Unfolded) -> bool:
    """Whether two layers average over other axes."""
    one, other = left.declared, right.declared
    if not (isinstance(one, Layer) and isinstance(other, Layer)):
        return False
    return not (one.elementwise or other.elementwise or _alike(one.axes, other.axes))


def check_losses(left: Declaration, right: Declaration) -> None:
    """UsageError for losses that are numbers of other things."""
    if isinstance(left, Loss) and isinstance(right, Loss) and not _alike(left.axes, right.axes):
        raise UsageError(
            f"{left.name} is taken over {left.over} and {right.name} over {right.over}; losses "
            "over the same axes are compared"
        )


def _alike(one: Axes, other: Axes) -> bool:
    return (one.walked, one.parameters) == (other.walked, other.parameters)


def told_apart(left: Unfolded, right: Unfolded) -> tuple[Unfolded, Unfolded]:
    """γ ⇒ γ_i, what is learned told apart by the element that it is for.

    Where one of the two learns it for each channel and the other for each element, there is one
    number for all: γ_i ⇒ γ.
    """
    several = (left.declared, right.declared)
    alike = len({one.per for one in several if isinstance(one, Layer)}) == 1
    change = _by_element if alike else _as_one_number
    return change(left), change(right)


def _by_element(one: Unfolded) -> Unfolded:
    named = {letter: each(letter)[POSITION] for letter in one.output.atoms(Parameter)}
    return replace(one, output=one.output.xreplace(named), later=None, running=())


def _as_one_number(one: Unfolded) -> Unfolded:
    entries = {
        entry for entry in one.output.atoms(Indexed) if getattr(entry.base, "role", "") == "learned"
    }
    named = {entry: parameter(entry.base.spelling.python) for entry in entries}
    return replace(one, output=one.output.xreplace(named), later=None, running=())


def arrays(several: tuple[Layer, ...]) -> Iterator[Array]:
    """Shapes of arrays, the smallest first, in which groups of some layers may be unlike."""
    split = any("G" in one.axes.kept for one in several)
    lengths = range(1, _LONGEST + 1)
    shapes = product(lengths, lengths, lengths)
    for n, c, s in sorted(shapes, key=lambda one: (one[0] * one[1] * one[2], one)):
        for groups in range(1, c + 1) if split else (1,):
            if c % groups == 0 and n * c * s <= _MOST:
                yield Array(n, c, s, groups, split)


def on_array(one: Unfolded, axes: Axes, array: Array, place: Place) -> Expr:
    """The output at one element of an array, all sums written out."""
    kept = [array.along(letter, place) for letter in axes.kept]
    group = [
        each_one
        for each_one in array.elements
        if [array.along(letter, each_one) for letter in axes.kept] == kept
    ]
    own = {POSITION: Integer(group.index(place) + 1)}
    return _WrittenOut(one, axes, array, group).of(one.output, own)


@dataclass(frozen=True)
class _WrittenOut:
    unfolded: Unfolded
    axes: Axes
    array: Array
    group: list[Place]

    def of(self, expr: Basic, bound: Mapping[Basic, Basic]) -> Basic:
        """An expression with what its indices stand for."""
        if isinstance(expr, Sigma | Largest):
            index = expr.args[1][0]
            terms = [
                self.of(expr.args[0], {**bound, index: Integer(k)})
                for k in range(1, len(self.group) + 1)
            ]
            return Add(*terms) if isinstance(expr, Sigma) else Max(*terms)
        if isinstance(expr, Indexed):
            element = self.group[int(bound[expr.indices[0]]) - 1]
            return expr.base[self._coordinates(expr, element)]
        if expr == self.unfolded.size:
            return Integer(len(self.group))
        if isinstance(expr, Label):
            raise UsageError(f"{self.unfolded.declared.name} reads labels; compare it on one axis")
        if expr in bound:
            return bound[expr]
        return expr.func(*(self.of(part, bound) for part in expr.args)) if expr.args else expr

    def _coordinates(self, entry: Indexed, element: Place) -> tuple[int, ...]:
        if entry.base.role != "learned":
            return element
        _, c, s = element
        return (c, s) if self.axes.parameters == ("E",) else (c,)
