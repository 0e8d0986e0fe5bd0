"""Letters of a layer: what is put in for them, and names that are still free."""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Basic, Expr, Indexed, Symbol

from symopt.calculus.adjoints import Definition
from symopt.derivation.opinions import Images
from symopt.views import rewrite, substitute


def put_in(expr: Expr, images: Images) -> Expr:
    """The expression as written, each letter replaced by its image at the letter's own index."""

    def change(node: Basic) -> Basic | None:
        if isinstance(node, Indexed) and node.base in images:
            index, image = images[node.base]
            return substitute(image, {index: node.indices[0]})
        return images[node][1] if node in images else None

    return rewrite(expr, change)


def taken(definitions: Iterable[Definition]) -> frozenset[str]:
    """The names that the equations use, as they stand in Python."""
    exprs = [part for one in definitions for part in (one.letter, one.written)]
    return frozenset(str(letter) for one in exprs for letter in one.atoms(Symbol))


def unused(word: str, names: frozenset[str]) -> str:
    """The word, or the first of word_0, word_1, … that is no name yet."""
    tries = (word, *(f"{word}_{number}" for number in range(len(names) + 1)))
    return next(one for one in tries if one not in names)
