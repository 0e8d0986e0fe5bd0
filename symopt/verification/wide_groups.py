"""What a layer's equations say of all groups of a large array at once, and of its gradients.

Each array is laid out with a row for each group and a column for each of its elements, found
coordinate by coordinate. A gradient is taken by the chain rule from the last line to the first:
each line is differentiated once, for any one element, and sums over elements are sums of columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import Any

import numpy as np
from sympy import Basic

from symopt.notation import Label, Parameter, Statistic
from symopt.verification.as_written import AsWritten
from symopt.verification.chains import GRANTED, partial_derivative
from symopt.verification.groups import Arrangement
from symopt.verification.layer_anatomy import LayerAnatomy
from symopt.verification.layer_calls import Arrays
from symopt.verification.layer_cases import Case
from symopt.verification.quantity import Quantity, scalar
from symopt.verification.reductions import handed
from symopt.verification.unrolled import later_equations, read
from symopt.verification.wide_lines import (
    EACH,
    GROUP,
    LARGEST,
    POSITION,
    SUM,
    WideLine,
    plain,
    wide_lines,
)
from symopt.verification.wide_meaning import WideMeaning
from symopt.verification.wide_numbers import Array, Shares, Wide, wide
from symopt.views import canonical

_STEP, _AGREEMENT = 1e-6, 1e-2


class Layout:
    """Where the elements, the parameters and the number of each group stand in flat arrays."""

    def __init__(self, arrangement: Arrangement) -> None:
        members = arrangement.members
        self.elements = _flat(list(members.values()), arrangement.shape)
        self.groups = _flat([(key,) for key in members], arrangement.statistic_shape)
        of_elements = [[arrangement.parameter(at) for at in ones] for ones in members.values()]
        self.parameters = _flat(of_elements, arrangement.parameter_shape)

    @property
    def size(self) -> int:
        """How many elements a group has."""
        return int(self.elements.shape[1])

    def of(self, letter: Basic) -> Array:
        """Where a letter of the declaration stands in its flat array, for each group."""
        if isinstance(letter, Parameter):
            return self.parameters[:, :1]
        if isinstance(letter, Statistic | Label):
            return self.groups
        return self.parameters if getattr(letter, "role", "") == "learned" else self.elements


class WideDeclared:
    """The declared numbers of large arrays."""

    def __init__(
        self,
        anatomy: LayerAnatomy,
        case: Case,
        numbers: dict[Basic, Quantity],
        scalars: AsWritten,
        arrays: Arrays,
    ) -> None:
        self.anatomy = anatomy
        self.case = case
        self.layout = Layout(case.arrangement)
        self.arrays = arrays
        self.scalars = scalars
        self.numbers = dict(numbers)
        self.numbers.update((one, scalar(self.layout.size)) for one in anatomy.counts)
        self.lines = wide_lines(anatomy.layer.equations)
        self.training = self._run(self.lines, {})

    def trained(self, letter: Basic) -> Wide:
        """A letter after a forward pass, in the order of its array; a running average's new one."""
        (line,) = (one for one in self.lines if one.shown == letter)
        found = self._placed(letter, self.training.known[line.letter])
        if letter == self.anatomy.output and self.case.one_number:
            return self._reduced(found)
        return found

    def _reduced(self, losses: Wide) -> Wide:
        """The losses of all groups as one number."""
        ops = self.training.ops
        whole = ops.total([ops.share(losses, axis=0)])
        share = handed(self.scalars, 1.0, len(losses.value), self.case.reduction)
        return ops.multiply([whole, ops.lifted(share)])

    def inferred(self, steps: int) -> Wide:
        """The output once training is over."""
        found = {}
        for one in self.anatomy.corrections:
            raw = self._handed(one.average)
            made = one.responses(steps, self.scalars, self.numbers)
            begun, driven = (self.scalars.lifted(x) for x in one.parts(made))
            world = WideMeaning(self.scalars, {})
            start, whole = world.ops.lifted(begun), world.ops.lifted(driven)
            rest = world.ops.add([raw, start._replace(value=-start.value)])
            found[one.corrected] = world.ops.multiply([rest, world.ops.reciprocal(whole)])
        output = self.anatomy.output
        later = self._run(wide_lines(later_equations(self.anatomy.layer)), found)
        return self._placed(output, later.known[plain(output)])

    def _handed(self, letter: Basic) -> Wide:
        return wide(self.arrays[letter.spelling.python].ravel()[self.layout.of(letter)])

    def _run(self, lines: Iterable[WideLine], more: dict[Basic, Wide]) -> WideMeaning:
        world, taken = WideMeaning(self.scalars, self.numbers), self.anatomy
        world.known.update(more)
        world.known[POSITION] = wide(np.arange(1, self.layout.size + 1)[None, :])
        for letter in (*taken.outside, *taken.averages):
            world.known[plain(letter)] = self._handed(letter)
        for label in taken.labels:  # arrays count from 0, equations from 1
            counted = self._handed(label)
            world.known[label] = counted._replace(value=counted.value + 1)
        for line in lines:
            world.known[line.letter] = self._line(line, world)
        return world

    def _line(self, line: WideLine, world: WideMeaning) -> Wide:
        found = self._spread(world(line.right), line.kind)
        if line.kind == SUM:
            return world.ops.total([world.ops.share(found, axis=1)])
        if line.kind == LARGEST:
            value, error = found
            largest = value.max(axis=1, keepdims=True)
            ends = [(value + side * error).max(axis=1, keepdims=True) for side in (-1, 1)]
            return Wide(largest, np.maximum(*(abs(end - largest) for end in ends)))
        return world.ops.averaged(found, world.known[line.past]) if line.past else found

    def _spread(self, found: Wide, kind: str) -> Wide:
        shape = (len(self.layout.groups), 1 if kind == GROUP else self.layout.size)
        return Wide(*(np.broadcast_to(part, shape) for part in found))

    def _placed(self, letter: Basic, found: Wide) -> Wide:
        """A letter's numbers in the order of its flat array."""
        where = self.layout.of(letter).ravel()
        placed = Wide(*(np.empty(where.size, part.dtype) for part in found))
        for new, part in zip(placed, found, strict=True):
            new[where] = part.ravel()
        return placed

    def _outer(self, outer: Any) -> Wide:
        """The gradient by the output, by its plain letter."""
        where = self.layout.of(self.anatomy.output)
        if not self.case.one_number:
            return wide(outer.ravel()[where])
        found = handed(self.scalars, outer, len(where), self.case.reduction)
        return Wide(*(np.full(where.shape, part) for part in self.training.ops.lifted(found)))

    def gradients(self, outer: Any) -> dict[Basic, Wide]:
        """The gradient by each letter that comes from outside, in the order of its array."""
        ops, output = self.training.ops, plain(self.anatomy.output)
        shares: dict[Basic, list[Shares]] = {output: [ops.share(self._outer(outer))]}
        for line in reversed([one for one in self.lines if one.past is None]):
            if line.letter in shares:
                self._backward(line, ops.total(shares[line.letter]), shares)
        return {
            letter: self._gathered(letter, shares)
            for letter in (*self.anatomy.given, *self.anatomy.learned)
        }

    def differs(self, found: Wide, letter: Basic, outer: Any, along: Array) -> bool:
        """Whether a gradient is not the central difference of Σ dy·y along a direction.

        Extended precision leaves some 10^-12 of a difference with a step of 10^-6. One kink among
        a hundred elements may lie within the step, so 10^-2 of the terms' magnitudes may be off.
        """
        name = letter.spelling.python
        here = self.arrays[name].astype(np.longdouble)
        by = np.longdouble(_STEP) * (abs(here).max() or 1)
        weights, output = self._outer(outer).value, plain(self.anatomy.output)
        ends = []
        for side in (by, -by):
            moved = copy(self)
            moved.arrays = {**self.arrays, name: here + side * along}
            known = moved._run(self.lines, {}).known
            ends.append((weights * known[output].value).sum())
        terms = found.value * along.ravel()
        off = abs((ends[0] - ends[1]) / (2 * by) - terms.sum())
        return bool(off > _AGREEMENT * abs(terms).sum())

    def _backward(self, line: WideLine, own: Wide, shares: dict[Basic, list[Shares]]) -> None:
        """What a line hands on to each letter that it reads."""
        world, right = self.training, canonical(line.right)
        chosen = [self._chosen(line)] if line.kind == LARGEST else []
        for letter in sorted(read(right) - {POSITION}, key=str):
            slope = partial_derivative(right, letter)
            if slope == 0:
                continue
            partial = self._spread(world(slope), line.kind)
            found = self._spread(world.ops.multiply([own, partial, *chosen]), line.kind)
            to_each = world.known[letter].value.shape[1] > 1
            axis = None if to_each or line.kind == GROUP else 1
            shares.setdefault(letter, []).append(world.ops.share(found, axis))

    def _chosen(self, line: WideLine) -> Wide:
        """1 at the largest of a group and 0 at all others; no bound where that may be another."""
        value, error = self._spread(self.training(line.right), EACH)
        largest = self.training.known[line.letter]
        near = largest.value - value <= error + largest.error
        alone = near.sum(axis=1, keepdims=True) == 1
        return Wide(near.astype(value.dtype), np.where(near & ~alone, np.inf, 0 * error))

    def _gathered(self, letter: Basic, shares: dict[Basic, list[Shares]]) -> Wide:
        """What all elements that share a number add to its gradient."""
        where = self.layout.of(letter)
        order = np.argsort(where.ravel(), kind="stable")
        starts = np.flatnonzero(np.diff(where.ravel()[order], prepend=-1))
        sums = []
        for one in shares.get(plain(letter), []):
            parts = (np.broadcast_to(part, where.shape).ravel()[order] for part in one[:3])
            added = [np.add.reduceat(part, starts) for part in parts]
            sums.append(
                Shares(added[0], added[1], added[2], one.terms * (where.size // len(starts)))
            )
        if not sums:
            return wide(np.zeros(len(starts)))
        found = self.training.ops.total(sums)
        return found._replace(error=GRANTED * found.error)


def _flat(places: Any, shape: tuple[int, ...]) -> Array:
    """Coordinates as places in a flat array, a row for each group."""
    at = np.array(places)
    if not shape:
        return np.zeros(at.shape[:2], int)
    return np.ravel_multi_index(tuple(np.moveaxis(at, 2, 0)), shape)
