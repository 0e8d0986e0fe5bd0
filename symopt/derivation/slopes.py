"""Second opinions on gradients of tensor layers: differences of Σ dL/dy·y, in exact arithmetic.

The sum is a polynomial in each entry of an array, so that its slope is a finite sum of differences:
f'(0) = Σ_k (−1)^(k−1)/k·Δ^k f(0). Nothing of the chain rule is used.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from math import comb

from sympy import Expr, Indexed, Pow, S, Symbol

from symopt.calculus.sampling import PRIME, Point, residue, value
from symopt.declaration import TensorLayer
from symopt.derivation.small_sizes import small_sizes, whole
from symopt.nodes import Gradient, Sigma
from symopt.notation import given
from symopt.views import canonical, rewrite

_ENTRIES = 6  # of an array, at each choice of sizes


def second_opinion(
    layer: TensorLayer, entry: Indexed, form: Expr, last: Iterable[tuple[Expr, Expr]]
) -> str:
    """At how many choices of sizes the form is the slope; an assertion of ours where not."""
    source = random.Random(20260104)
    choices = small_sizes(layer, last)
    outline = layer.outline
    outer = given("outer")
    right = canonical(outline.equation.right)
    loss: Expr = outer[outline.output.indices] * right
    for one in reversed(outline.output.indices):
        loss = Sigma(loss, (one, S.One, outline.ranges[one]))
    wanted = rewrite(
        form, lambda node: outer[node.variable.indices] if isinstance(node, Gradient) else None
    )
    numbers = _Numbers(source)
    loss, wanted = numbers.put_in(loss), numbers.put_in(canonical(wanted))
    degree = max(_degree(right, entry.base), 1)
    for sizes in choices:
        point = _random_point(layer, sizes, outer, numbers, source)
        start = value(loss, point)
        several = list(_places(outline.shapes[entry.base], sizes))
        for places in source.sample(several, min(len(several), _ENTRIES)):
            found = value(wanted, point, dict(zip(entry.indices, places, strict=True)))
            slope = _slope(loss, start, point, (entry.base, places), degree)
            assert found == slope, f"{form} at {places} for {sizes}"
    return f"agrees with exact differences at {len(choices)} choices of sizes"


class _Numbers:
    """Letters for the factors that hold no entry: a root of a count has no residue for certain."""

    def __init__(self, source: random.Random) -> None:
        self.source = source
        self.letters: dict[Expr, Symbol] = {}

    def put_in(self, expr: Expr) -> Expr:
        """The expression with a letter for each power that is no whole one."""

        def change(node: Expr) -> Expr | None:
            if isinstance(node, Pow) and not node.has(Indexed) and not node.exp.is_Integer:
                name = Symbol(f"number_{len(self.letters)}", real=True)
                return self.letters.setdefault(node, name)
            return None

        return canonical(rewrite(expr, change))


def _degree(right: Expr, base: Expr) -> int:
    """The degree of the output in an entry of an array, or more."""
    if isinstance(right, Indexed):
        return int(right.base == base)
    if isinstance(right, Pow):
        return _degree(right.base, base) * int(right.exp) if right.has(Indexed) else 0
    found = [_degree(part, base) for part in right.args]
    return sum(found) if right.is_Mul else max(found, default=0)


def _places(lengths: tuple[Expr, ...], sizes: Mapping[Expr, int]) -> Iterator[tuple[int, ...]]:
    return product(*(range(1, whole(one, sizes) + 1) for one in lengths))


def _random_point(
    layer: TensorLayer,
    sizes: Mapping[Expr, int],
    outer: Expr,
    numbers: _Numbers,
    source: random.Random,
) -> Point:
    outline = layer.outline
    letters: dict[Expr, int] = dict(sizes)
    for symbol in (*layer.hyperparameters, *numbers.letters.values()):
        letters.setdefault(symbol, residue(source))
    shapes = {**outline.shapes, outer: outline.output_shape}
    elements = {
        (base, places[0] if len(places) == 1 else places): residue(source)
        for base, lengths in shapes.items()
        for places in _places(lengths, sizes)
    }
    zeros = (one for one in outline.arrays if set(outline.margins[one]) != {(0, 0)})
    return Point(letters, elements, frozenset(zeros))


def _slope(
    loss: Expr, start: int, point: Point, entry: tuple[Expr, tuple[int, ...]], degree: int
) -> int:
    base, places = entry
    key = (base, places[0] if len(places) == 1 else places)
    moved = [{**point.elements, key: point.elements[key] + step} for step in range(1, degree + 1)]
    at = [start, *(value(loss, replace(point, elements=elements)) for elements in moved)]
    found = 0
    for k in range(1, degree + 1):
        difference = sum((-1) ** (k - j) * comb(k, j) * at[j] for j in range(k + 1))
        found += (-1) ** (k - 1) * difference * pow(k, -1, PRIME)
    return found % PRIME
