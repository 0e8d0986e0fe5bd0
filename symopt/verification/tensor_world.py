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
from functools import cached_property
from math import comb
from typing import Any

import numpy as np
from sympy import Add, Basic, Expr, Indexed, Integer, Mul, Pow, Symbol

from symopt.declaration import TensorLayer
from symopt.errors import DeclarationError
from symopt.nodes import Sigma
from symopt.notation import Index, Sequence
from symopt.verification.quantity import HIGH
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
        for entry in _entries(outline.equation.right):
            shape, margins = outline.shapes[entry.base], outline.margins[entry.base]
            for at, length, margin in zip(entry.indices, shape, margins, strict=True):
                if not at.has(index):
                    continue
                inside = [one for one in bound if at.has(one)]
                ends = (np.arange(1, _whole(outline.ranges[one], sizes) + 1) for one in inside)
                grids = np.meshgrid(*ends)
                known = {**sizes, **dict(zip(inside, grids, strict=True)), index: place}
                before, after = (_whole(one, sizes) for one in margin)
                found = np.asarray(_whole(at, known))
                last = _whole(length, sizes) + after
                if found.size and (found.min() < 1 - before or found.max() > last):
                    return False
        return True

    # the sum

    def output(self, arrays: Arrays, way: Way = VALUE) -> Array:
        """The output, an array of its shape."""
        outline = self.layer.outline
        indices = outline.output.indices
        places = {one: _axis(self.length(outline.ranges[one]), k, len(indices))
                  for k, one in enumerate(indices)}  # fmt: skip
        found = self._at(outline.equation.right, places, len(indices), arrays, way)
        return np.broadcast_to(found, self.shape(outline.output.base))

    def loss(self, arrays: Arrays, outer: Array, way: Way = VALUE) -> Any:
        """Σ dy·y over all places."""
        return (outer * self.output(arrays, way)).sum()

    def _at(
        self, expr: Basic, places: dict[Index, Array], depth: int, arrays: Arrays, way: Way
    ) -> Array:
        """An expression at all places of its indices, which have an axis each."""
        if isinstance(expr, Sigma):
            length = self.length(expr.bounds[1])  # type: ignore[index]  # a declared sum has bounds
            inner = {one: array[..., None] for one, array in places.items()}
            inner[expr.index] = _axis(length, depth, depth + 1)
            found = np.asarray(self._at(expr.body, inner, depth + 1, arrays, way))
            found = found.reshape((1,) * (depth + 1 - found.ndim) + found.shape)
            return np.broadcast_to(found, (*found.shape[:-1], length)).sum(axis=-1)
        if isinstance(expr, Indexed):
            return self._entry(expr, places, arrays)
        if not expr.has(Indexed):
            return way(self.number(expr))
        parts = [self._at(part, places, depth, arrays, way) for part in expr.args
                 if not (isinstance(expr, Pow) and part is expr.args[1])]  # fmt: skip
        if isinstance(expr, Add):
            return sum(parts[1:], start=parts[0])
        if isinstance(expr, Mul):
            product = parts[0]
            for part in parts[1:]:
                product = product * part
            return product
        if isinstance(expr, Pow):
            return parts[0] ** int(expr.args[1])
        raise DeclarationError(f"{expr} is no sum of products of entries")

    def _entry(self, entry: Indexed, places: dict[Index, Array], arrays: Arrays) -> Array:
        array, outline = arrays[entry.base], self.layer.outline
        known = {**self.sizes, **places}
        at = [np.asarray(_whole(one, known)) for one in entry.indices]
        inside = np.asarray(True)
        for place, length in zip(at, array.shape, strict=True):
            inside = inside & (place >= 1) & (place <= length)
        if not inside.all() and set(outline.margins[entry.base]) == {(0, 0)}:
            raise DeclarationError(f"{outline.id} reads {entry} beyond the array")
        zero = array.dtype.type(0) if array.dtype != object else 0
        if not array.size:
            return np.full(inside.shape, zero, array.dtype)
        nearest = (np.clip(place, 1, length) - 1
                   for place, length in zip(at, array.shape, strict=True))  # fmt: skip
        return np.where(inside, array[tuple(nearest)], zero)

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

    def slope(
        self, arrays: Arrays, outer: Array, letter: Sequence, step: Array, way: Way = VALUE
    ) -> Any:
        """How Σ dy·y grows as an array moves by a step, at first."""
        degree = max(1, _degree(self.layer.outline.equation.right, letter))
        at = [
            self.loss({**arrays, letter: arrays[letter] + k * step}, outer, way)
            for k in range(degree + 1)
        ]
        found: Any = 0
        for k in range(1, degree + 1):
            difference = sum((-1) ** (k - j) * comb(k, j) * at[j] for j in range(k + 1))
            found = found + (-1) ** (k - 1) * difference * _over(k, at[0])
        return found

    def roundings(self) -> int:
        """How many roundings one product takes besides the additions: its factors, its number."""
        return _roundings(self.layer.outline.equation.right)


def _over(k: int, like: Any) -> Any:
    """1/k in the arithmetic of a number."""
    return 1 / type(like)(k) if isinstance(like, np.floating) else Fraction(1, k)


def _rational(number: Any) -> Expr:
    exact = Fraction(number)
    return Integer(exact.numerator) / Integer(exact.denominator)


def _axis(length: int, axis: int, depth: int) -> Array:
    """The places 1 … length along one axis of several."""
    shape = [1] * depth
    shape[axis] = length
    return np.arange(1, length + 1).reshape(shape)


def _whole(expr: Basic, known: Mapping[Any, Any]) -> Any:
    """A whole number, or an array of such."""
    if expr in known:
        return known[expr]
    if isinstance(expr, Integer):
        return int(expr)
    parts = [_whole(part, known) for part in expr.args]
    if isinstance(expr, Add):
        return sum(parts[1:], start=parts[0])
    if isinstance(expr, Mul):
        product = parts[0]
        for part in parts[1:]:
            product = product * part
        return product
    if isinstance(expr, Pow):
        return parts[0] ** parts[1]
    raise DeclarationError(f"{expr} is no whole number")


def _entries(expr: Basic) -> list[Indexed]:
    if isinstance(expr, Indexed):
        return [expr]
    return [found for part in expr.args for found in _entries(part)]


def _degree(expr: Basic, letter: Sequence) -> int:
    """The degree of an expression in an array, or more."""
    if isinstance(expr, Indexed):
        return int(expr.base == letter)
    if isinstance(expr, Pow):
        return _degree(expr.args[0], letter) * int(expr.args[1]) if expr.has(Indexed) else 0
    found = [_degree(part, letter) for part in expr.args]
    return sum(found) if isinstance(expr, Mul) else max(found, default=0)


def _roundings(expr: Basic) -> int:
    """The most factors of a product, and what a number takes: its parts, typed once."""
    if isinstance(expr, Indexed):
        return 1
    if not expr.has(Indexed):
        return 0 if expr.is_number and abs(expr) == 1 else 2 + sum(1 for _ in _nodes(expr))
    if isinstance(expr, Pow):
        return _roundings(expr.args[0]) * int(expr.args[1])
    found = [_roundings(part) for part in expr.args if isinstance(part, Expr)]
    return sum(found) if isinstance(expr, Mul) else max(found)


def _nodes(expr: Basic) -> Any:
    yield expr
    for part in expr.args:
        yield from _nodes(part)
