"""A layer's equations evaluated as they stand on the numbers of one group, to 50 digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sympy import Add, Basic, Expr, Float, Indexed, Integer

from symopt.calculus.adjoints import Definition
from symopt.nodes import Largest, Sigma
from symopt.notation import Count, Index
from symopt.views import canonical, rewrite

_DIGITS = 50

Point = dict[Basic, Expr]


def outputs(
    definitions: Sequence[Definition], inputs: Mapping[Expr, Sequence[Expr]], numbers: Point
) -> Point:
    """Every letter of a group, each element by itself: ``y[1]``, ``y[2]``, ….

    ``inputs`` gives the elements of each given letter, ``numbers`` single letters and counts.
    """
    size = max(len(several) for several in inputs.values())
    found: Point = dict(numbers)
    for letter, several in inputs.items():
        found.update({letter.base[Integer(k)]: one for k, one in enumerate(several, start=1)})
    for one in definitions:
        if one.index is None:
            found[one.letter] = value(one.value, found, {})
            continue
        for k in range(1, size + 1):
            found[one.letter.base[Integer(k)]] = value(one.value, found, {one.index: Integer(k)})
    return found


def value(expr: Expr, point: Mapping[Basic, Expr], bound: Mapping[Index, Expr]) -> Expr:
    """An expression at a point, its sums written out."""

    def change(node: Basic) -> Basic | None:
        if isinstance(node, Sigma | Largest):
            assert node.bounds is not None  # groups have a size
            size = node.bounds[1]
            last = int(point[size]) if isinstance(size, Count) else int(size)
            inner = [
                value(node.body, point, {**bound, node.index: Integer(k)})
                for k in range(1, last + 1)
            ]
            return Add(*inner) if isinstance(node, Sigma) else max(inner)
        if isinstance(node, Indexed):
            return point[node.base[tuple(bound.get(one, one) for one in node.indices)]]
        if isinstance(node, Index):
            return bound.get(node)
        return point.get(node)

    found: Expr = canonical(rewrite(expr, change)).evalf(_DIGITS)
    return found if found.is_Float or found.is_Rational else Float(found, _DIGITS)
