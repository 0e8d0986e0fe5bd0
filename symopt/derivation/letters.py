"""Letters of a layer: what is put in for them, and names that are still free."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sympy import Basic, Expr, Indexed, Symbol

from symopt.calculus.adjoints import Definition
from symopt.views import rewrite, substitute

# what a letter becomes: a single one by itself, an indexed one by its base, with the index used
Images = Mapping[Expr, tuple[Expr | None, Expr]]


def put_in(expr: Expr, images: Images) -> Expr:
    """The expression as written, each letter replaced by its image at the letter's own index."""

    def change(node: Basic) -> Basic | None:
        if isinstance(node, Indexed) and node.base in images:
            index, image = images[node.base]
            return substitute(image, {index: node.indices[0]})
        return images[node][1] if node in images else None

    return rewrite(expr, change)


def key_of(letter: Expr) -> Expr:
    """A letter without its index."""
    return letter.base if isinstance(letter, Indexed) else letter


def composed(equations: Iterable[tuple[Expr, Expr]]) -> Images:
    """Each letter in terms of what no equation defines, as written, from left and right sides."""
    images: dict[Expr, tuple[Expr | None, Expr]] = {}
    for left, right in equations:
        index = left.indices[0] if isinstance(left, Indexed) else None
        images[key_of(left)] = (index, put_in(right, images))
    return images


def taken(definitions: Iterable[Definition]) -> frozenset[str]:
    """The names that the equations use, as they stand in Python."""
    exprs = [part for one in definitions for part in (one.letter, one.written)]
    return frozenset(str(letter) for one in exprs for letter in one.atoms(Symbol))


def unused(word: str, names: frozenset[str]) -> str:
    """The word, or the first of word_0, word_1, … that is no name yet."""
    tries = (word, *(f"{word}_{number}" for number in range(len(names) + 1)))
    return next(one for one in tries if one not in names)
