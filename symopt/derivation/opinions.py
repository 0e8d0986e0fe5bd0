"""Second opinions on facts about layers: random residues that satisfy the forward equations."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Ordered

from sympy import Expr, Indexed, Symbol

from symopt.calculus.adjoints import Definition
from symopt.calculus.normal_form import Knowledge, used_identities
from symopt.calculus.sampling import PRIME, Point, Undefined, residue, value
from symopt.derivation.forward import position_of
from symopt.derivation.letters import Images
from symopt.derivation.steps import Reason
from symopt.nodes import Gradient
from symopt.notation import Index, Label, given

_SIZES = (1, 2, 3, 5)
# a root exists at half of the points; where nothing is defined at any of so many, nothing ever is
_TRIES = 64
# the gradient by an output that a group has one of
_OUTER = Symbol("dloss", real=True)

Sizes = Mapping[Expr, int]


def second_opinion(
    one: Expr, other: Expr, definitions: tuple[Definition, ...], sizes: Ordered[Sizes] = ()
) -> str:
    """The sizes at which both sides agree at a random point; an assertion of ours where not."""
    agreed = []
    for chosen, same in agreement(one, other, definitions, sizes):
        assert same, f"{one} and {other} differ at {chosen}"
        agreed.append(chosen)
    return _in_words(agreed)


def agreement(
    one: Expr, other: Expr, definitions: tuple[Definition, ...], sizes: Ordered[Sizes] = ()
) -> Iterator[tuple[Sizes, bool]]:
    """Whether both sides agree at a random point, for each choice of sizes that has one."""
    source = random.Random(20260101)
    left, right = _plain(one), _plain(other)
    place = position_of(definitions) if definitions else None
    for chosen in sizes or _default_sizes(definitions):
        places = [{place: k} for k in range(1, max(chosen.values()) + 1)] if place else [{}]
        for _ in range(_TRIES):
            try:
                point = random_point(definitions, chosen, source, (left, right))
                same = all(value(left, point, free) == value(right, point, free) for free in places)
            except Undefined:
                continue
            yield chosen, same
            break


def opinion_on_images(images: Images, definitions: tuple[Definition, ...], *new: Symbol) -> str:
    """The sizes at which the equations, run on the images of inputs, give those of the others.

    ``new`` are letters that stand in images and in no equation.
    """
    source = random.Random(20260102)
    agreed = []
    for sizes in _default_sizes(definitions):
        for _ in range(_TRIES):
            try:
                point = random_point(definitions, sizes, source, new)
                _check_images(images, definitions, sizes, point)
            except Undefined:
                continue
            agreed.append(sizes)
            break
    return _in_words(agreed)


def _check_images(
    images: Images, definitions: tuple[Definition, ...], sizes: Sizes, point: Point
) -> None:
    letters, elements = dict(point.letters), dict(point.elements)
    for letter, (index, image) in images.items():
        if index is None:
            letters[letter] = value(image, point)
        else:
            for k in range(1, max(sizes.values()) + 1):
                elements[letter, k] = value(image, point, {index: k})
    wanted = dict(letters), dict(elements)
    moved = Point(letters, elements)
    _run(definitions, sizes, moved)
    assert (moved.letters, moved.elements) == wanted, f"the images {images} fail at {sizes}"


def _default_sizes(definitions: tuple[Definition, ...]) -> tuple[Sizes, ...]:
    size = definitions[-1].size
    assert size is not None  # the last one defines the output
    return tuple({size: number} for number in _SIZES)


def _in_words(sizes: list[Sizes]) -> str:
    """``1, 2, 3, 5``, or ``(1, 1), (2, 1)`` where there are several sizes."""
    numbers = [", ".join(map(str, one.values())) for one in sizes]
    return ", ".join(
        numbers if all(len(one) == 1 for one in sizes) else map("({})".format, numbers)
    )


def checked(sizes: Ordered[Expr | None], numbers: str) -> Reason:
    """What a proof for every size, and a second opinion at these numbers, amount to."""
    names = [part for one in sizes if one is not None for part in (" and ", one)][1:]
    listed = [part for one in sizes if one is not None for part in (", ", one)][1:]
    several = ("(", *listed, ")") if len(sizes) > 1 else tuple(listed)
    at = ("; agrees modulo a prime at ", *several, f" = {numbers}") if numbers else ()
    return ("proved for every ", *names, *at)


def by(expr: Expr, known: Knowledge) -> tuple[str, ...]:
    """By which equations the sums in an expression are known."""
    names = ", ".join(one.name for one in used_identities(expr, known))
    return (f", by {names}",) if names else ()


def random_point(
    definitions: tuple[Definition, ...], sizes: Sizes, source: random.Random, more: Ordered[Expr]
) -> Point:
    """Random inputs, parameters and gradients, and what the equations make of them.

    Positive letters are squares, so that their roots exist. ``more`` holds further expressions
    whose letters take part.
    """
    letters: dict[Expr, int] = dict(sizes)
    elements: dict[tuple[Expr, int], int] = {}
    computed = {one.letter for one in definitions}
    exprs = [*(one.value for one in definitions), *more]
    symbols = {s for one in exprs for s in one.atoms(Symbol)} - computed - set(sizes)
    for symbol in sorted(symbols, key=str):
        if isinstance(symbol, Label):
            letters[symbol] = source.randint(1, max(sizes.values()))
        elif not isinstance(symbol, Index):
            drawn = residue(source)
            letters[symbol] = drawn**2 % PRIME if symbol.is_positive else drawn
    bases = {entry.base for one in exprs for entry in one.atoms(Indexed)}
    if definitions and isinstance(definitions[-1].letter, Indexed):
        bases.add(_adjoint(definitions[-1].letter).base)
    for base in sorted(bases, key=str):
        for k in range(1, max(sizes.values()) + 1):
            elements[base, k] = residue(source)
    point = Point(letters, elements)
    _run(definitions, sizes, point)
    return point


def _run(definitions: tuple[Definition, ...], sizes: Sizes, point: Point) -> None:
    """The equations' letters, put into the point."""
    letters, elements = point.letters, point.elements
    assert isinstance(letters, dict)
    assert isinstance(elements, dict)
    for one in definitions:
        if one.index is None:
            letters[one.letter] = value(one.value, point)
        else:
            for k in range(1, max(sizes.values()) + 1):
                elements[one.letter.base, k] = value(one.value, point, {one.index: k})


def _adjoint(letter: Expr) -> Indexed:
    """dL/dy_i as an element of a letter of its own."""
    return given("dy")[letter.indices]


def _plain(expr: Expr) -> Expr:
    """Gradients with respect to the output as elements, or as a letter of the group."""
    found = {
        node: _adjoint(node.variable) if isinstance(node.variable, Indexed) else _OUTER
        for node in expr.atoms(Gradient)
    }
    return expr.xreplace(found)
