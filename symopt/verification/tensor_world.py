"""The declared index sum itself, evaluated over all indices at once, in one of several ways.

``VALUE`` is the sum as declared. ``SIZE`` has all signs positive: it is what an error is relative
to. ``COUNT`` has 1 for each number and, of arrays of ones, counts how many products are added up.
An entry at a place beyond an array is 0 where the array has zeros around it; it is no product then.
What arrays of fractions give is exact; arrays in extended precision take the numbers so, too.

The layer is a polynomial in each array. So the slope by an entry is f'(0) = Σ_k (−1)^(k−1)/k·Δ^k f,
the differences of the sum as that entry grows by 1, and needs no rule of differentiation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, reduce
from math import comb
from operator import add, mul
from typing import Any

import numpy as np
from sympy import Add, Basic, Expr, Indexed, Integer, Mul, Pow, Symbol

from symopt.declaration import TensorLayer
from symopt.declaration.outline import entries
from symopt.errors import DeclarationError
from symopt.nodes import Sigma
from symopt.notation import Index, Sequence
from symopt.verification.quantity import HIGH
from symopt.verification.tensor_places import along, whole
from symopt.verification.wide_numbers import extended

Array = Any  # of whole numbers, fractions or floating-point numbers
Arrays = Mapping[Sequence, Array]
_FURTHEST = 2**40


# what a number without an entry counts as
Way = Callable[[Fraction], Any]
VALUE: Way = lambda number: number  # noqa: E731  # a row of a table
SIZE: Way = abs
COUNT: Way = lambda _: 1  # noqa: E731  # a row of a table


def wide(way: Way) -> Way:
    """The same in extended precision."""
    return lambda number: extended(HIGH.mpf(way(number).numerator) / way(number).denominator)


@dataclass(frozen=True)
class World:
    """A layer at some sizes: lengths by letter, hyperparameters by symbol."""

    layer: TensorLayer
    lengths: Mapping[Expr, int]
    numbers: Mapping[Symbol, Any] = field(default_factory=dict)

    @cached_property
    def sizes(self) -> dict[Expr, int]:
        """All whole numbers by letter, the last places of the output as far as all can be read."""
        whole = {one: int(x) for one, x in self.numbers.items() if one.is_integer}
        found = {**self.lengths, **whole}
        outline = self.layer.outline
        for index in outline.sought:
            found[outline.ranges[index]] = self._reach(index, found)
        return found

    def length(self, expr: Expr) -> int:
        """How long an axis is, or how far an index runs."""
        return int(expr) if isinstance(expr, Integer) else self.sizes[expr]

    def margin(self, expr: Expr) -> int:
        """How many zeros stand on one side of an axis."""
        return int(whole(expr, self.sizes))

    def shape(self, letter: Sequence) -> tuple[int, ...]:
        """The shape of an array that is read, or of the output."""
        outline = self.layer.outline
        lengths = outline.shapes.get(letter, outline.output_shape)
        return tuple(map(self.length, lengths))

    def _reach(self, index: Index, sizes: dict[Expr, int]) -> int:
        """The last place at which nothing beyond an array and its zeros is read, by trying.

        Places grow or fall with the index all the way, so that none after it is one again.
        """
        low, high = 0, 1
        while self._readable(index, high, sizes):
            low, high = high, 2 * high
            if high > _FURTHEST:
                raise DeclarationError(f"{self.layer.name} lets {index} run without an end")
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._readable(index, middle, sizes) else (low, middle)
        return low

    def _readable(self, index: Index, place: int, sizes: dict[Expr, int]) -> bool:
        outline = self.layer.outline
        bound = [one for one in outline.ranges if one not in outline.sought]
        for entry in entries(outline.equation.right):
            shape, margins = outline.shapes[entry.base], outline.margins[entry.base]
            for at, length, margin in zip(entry.indices, shape, margins, strict=True):
                if not at.has(index):
                    continue
                inside = [one for one in bound if at.has(one)]
                ends = (np.arange(1, whole(outline.ranges[one], sizes) + 1) for one in inside)
                grids = np.meshgrid(*ends)
                known = {**sizes, **dict(zip(inside, grids, strict=True)), index: place}
                before, after = (whole(one, sizes) for one in margin)
                found = np.asarray(whole(at, known))
                last = whole(length, sizes) + after
                if found.size and (found.min() < 1 - before or found.max() > last):
                    return False
        return True

    # the sum

    def output(self, arrays: Arrays, way: Way = VALUE) -> Array:
        """The output, an array of its shape."""
        outline = self.layer.outline
        axes = {one: axis for axis, one in enumerate(outline.output.indices)}
        found = self._at(outline.equation.right, axes, len(axes), arrays, way)
        return np.broadcast_to(found, self.shape(outline.output.base))

    def _at(
        self, expr: Basic, axes: dict[Index, int], depth: int, arrays: Arrays, way: Way
    ) -> Array:
        """An expression at all places of its indices, which have an axis of several each."""
        if isinstance(expr, Sigma):
            length = self.length(expr.bounds[1])  # type: ignore[index]  # a declared sum has bounds
            inner = {**axes, expr.index: depth}
            found = np.asarray(self._at(expr.body, inner, depth + 1, arrays, way))
            found = found.reshape(found.shape + (1,) * (depth + 1 - found.ndim))
            return np.broadcast_to(found, (*found.shape[:-1], length)).sum(axis=-1)
        if isinstance(expr, Indexed):
            return self._entry(expr, axes, depth, arrays)
        if not expr.has(Indexed):
            return way(self.number(expr))
        taken = expr.args[:1] if isinstance(expr, Pow) else expr.args
        parts = [_deep(self._at(part, axes, depth, arrays, way), depth) for part in taken]
        if isinstance(expr, Add | Mul):
            return reduce(add if isinstance(expr, Add) else mul, parts)
        if isinstance(expr, Pow):
            return parts[0] ** int(expr.args[1])
        raise DeclarationError(f"{expr} is no sum of products of entries")

    def _entry(self, entry: Indexed, axes: dict[Index, int], depth: int, arrays: Arrays) -> Array:
        array = arrays[entry.base]
        used = tuple((one, axes[one]) for one in axes if entry.has(one))
        key = (entry, used, depth)
        if key not in self._places:
            self._places[key] = self._place(entry, used, depth, array.shape)
        inside, at = self._places[key]
        zero = array.dtype.type(0) if array.dtype != object else 0
        if not array.size:
            return np.full(inside.shape, zero, array.dtype)
        return array[at] if inside.all() else np.where(inside, array[at], zero)

    @cached_property
    def _places(self) -> dict[Any, tuple[Array, tuple[Array, ...]]]:
        """Where each entry is read, once it is known."""
        return {}

    def _place(
        self,
        entry: Indexed,
        used: tuple[tuple[Index, int], ...],
        depth: int,
        shape: tuple[int, ...],
    ) -> tuple[Array, tuple[Array, ...]]:
        """Which places of an entry lie within its array, and the nearest ones that do."""
        outline = self.layer.outline
        known = {**self.sizes}
        for index, axis in used:
            known[index] = along(self.length(outline.ranges[index]), axis, depth)
        at = [np.asarray(whole(one, known)) for one in entry.indices]
        inside = np.ones((1,) * depth, bool)
        for place, length in zip(at, shape, strict=True):
            inside = inside & (place >= 1) & (place <= length)
        if not inside.all() and set(outline.margins[entry.base]) == {(0, 0)}:
            raise DeclarationError(f"{outline.id} reads {entry} beyond the array")
        pairs = zip(at, shape, strict=True)
        return inside, tuple(np.clip(place, 1, max(1, length)) - 1 for place, length in pairs)

    def number(self, expr: Basic) -> Any:
        """A factor without an entry: exact where it is rational, else to 50 digits."""
        put_in = {**self.sizes, **self.numbers}
        found = expr.xreplace({one: _rational(x) for one, x in put_in.items()}).doit()
        if found.is_Rational:
            return Fraction(int(found.p), int(found.q))
        value = HIGH.mpf(str(found.evalf(HIGH.dps)))
        sign, mantissa, exponent, _ = value._mpf_
        return Fraction((-1) ** sign * int(mantissa)) * Fraction(2) ** int(exponent)

    # its slopes

    def reach(
        self, arrays: Arrays, outer: Array, letter: Sequence, way: Way
    ) -> Callable[[Array], Any]:
        """How large the outputs are that a slope subtracts from each other, of arrays of sizes."""
        degree = max(1, _degree(self.layer.outline.equation.right, letter))
        start = self.output({**arrays, letter: (degree > 1) * arrays[letter]}, way)

        def reached(step: Array) -> Any:
            moved = {**arrays, letter: (degree > 1) * arrays[letter] + degree * step}
            found = self.output(moved, way)
            return 2**degree * (outer * found * (found != start)).sum()

        return reached

    def slopes(
        self, arrays: Arrays, outer: Array, letter: Sequence, way: Way = VALUE
    ) -> Callable[[Array], Any]:
        """How Σ dy·y grows at first as an array moves by a step, as a function of the step.

        Outputs are subtracted before they are added up. Where none is of a higher degree than 1 in
        the array, they grow from 0 on as from anywhere, and nothing else is in them to cancel.
        """
        degree = max(1, _degree(self.layer.outline.equation.right, letter))
        origin = (degree > 1) * arrays[letter]
        start = self.output({**arrays, letter: origin}, way)

        def slope(step: Array) -> Any:
            moved = (origin + k * step for k in range(1, degree + 1))
            at = [start, *(self.output({**arrays, letter: one}, way) for one in moved)]
            found: Any = 0
            for k in range(1, degree + 1):
                difference = sum((-1) ** (k - j) * comb(k, j) * at[j] for j in range(k + 1))
                total = (outer * difference).sum()
                found = found + (-1) ** (k - 1) * total * _over(k, total)
            return found

        return slope


def _over(k: int, like: Any) -> Any:
    """1/k in the arithmetic of a number."""
    return 1 / type(like)(k) if isinstance(like, np.floating) else Fraction(1, k)


def _deep(found: Any, depth: int) -> Any:
    """An array with as many axes as there are indices; a number as it is."""
    if not isinstance(found, np.ndarray) or not found.ndim:
        return found
    return found.reshape(found.shape + (1,) * (depth - found.ndim))


def _rational(number: Any) -> Expr:
    exact = Fraction(number)
    return Integer(exact.numerator) / Integer(exact.denominator)


def _degree(expr: Basic, letter: Sequence) -> int:
    """The degree of an expression in an array, or more."""
    if isinstance(expr, Indexed):
        return int(expr.base == letter)
    if isinstance(expr, Pow):
        return _degree(expr.args[0], letter) * int(expr.args[1]) if expr.has(Indexed) else 0
    found = [_degree(part, letter) for part in expr.args]
    return sum(found) if isinstance(expr, Mul) else max(found, default=0)
