"""Second opinions on gradients of layers: random residues that satisfy the forward equations."""

from __future__ import annotations

import random

from sympy import Expr, Indexed, Symbol

from symopt.calculus.adjoints import Definition
from symopt.calculus.sampling import Point, Undefined, residue, value
from symopt.nodes import Gradient
from symopt.notation import Index, given

_SIZES = (1, 2, 3, 5)
# a root exists at half of the points; where nothing is defined at any of so many, nothing ever is
_TRIES = 64


def second_opinion(one: Expr, other: Expr, definitions: tuple[Definition, ...]) -> str:
    """The sizes at which both sides agree at a random point; an assertion of ours where not."""
    source = random.Random(20260101)
    agreed = []
    for size in _SIZES:
        found = _both(one, other, definitions, size, source)
        if found is not None:
            assert found[0] == found[1], f"{one} and {other} differ at size {size}"
            agreed.append(str(size))
    return ", ".join(agreed)


def _both(
    one: Expr, other: Expr, definitions: tuple[Definition, ...], size: int, source: random.Random
) -> tuple[list[int], list[int]] | None:
    """Both sides at each component of a point at which all is defined; none if there is none."""
    place = definitions[-1].index
    places = [{place: k} if place is not None else {} for k in range(1, size + 1)]
    for _ in range(_TRIES):
        try:
            point = random_point(definitions, size, source)
            left = [value(_plain(one), point, free) for free in places]
            right = [value(_plain(other), point, free) for free in places]
        except Undefined:
            continue
        return left, right
    return None


def random_point(definitions: tuple[Definition, ...], size: int, source: random.Random) -> Point:
    """Random inputs, parameters and gradients, and what the equations make of them."""
    output = definitions[-1]
    letters: dict[Expr, int] = {}
    elements: dict[tuple[Expr, int], int] = {}
    point = Point(letters, elements)
    computed = {one.letter for one in definitions}
    symbols = {s for one in definitions for s in one.value.atoms(Symbol)} - computed
    for symbol in sorted(symbols, key=str):
        if not isinstance(symbol, Index):
            letters[symbol] = residue(source)
    if output.size is not None:
        letters[output.size] = size
    given_bases = {e.base for one in definitions for e in one.value.atoms(Indexed)}
    for base in sorted({*given_bases, _adjoint(output.letter).base}, key=str):
        for k in range(1, size + 1):
            elements[base, k] = residue(source)
    for one in definitions:
        if one.index is None:
            letters[one.letter] = value(one.value, point)
        else:
            for k in range(1, size + 1):
                elements[one.letter.base, k] = value(one.value, point, {one.index: k})
    return point


def _adjoint(letter: Expr) -> Indexed:
    """dL/dy_i as an element of a letter of its own."""
    return given("dy")[letter.indices]


def _plain(expr: Expr) -> Expr:
    """Gradients with respect to the output as elements."""
    found = {
        node: _adjoint(node.variable)
        for node in expr.atoms(Gradient)
        if isinstance(node.variable, Indexed)
    }
    return expr.xreplace(found)
