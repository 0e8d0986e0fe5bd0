"""Random letters in kernels: by which function their values are made, and from which words.

A value is a function of the seed, the step and the position of its element in memory, so that it
is the same however an array is walked, and need not be kept for the gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Expr

from symopt.declaration import Drawn, Layer
from symopt.errors import LoweringError
from symopt.nodes import Bernoulli, Distribution
from symopt.notation import Hyperparameter
from symopt.printing.unicode import unicode

# the words that a user chooses: the key of all letters, and which of their values are meant
WORDS = ("seed", "step")
# so many letters, of so many positions each, are told apart by one counter of 64 bits
MOST_LETTERS = 16
# the function that makes values of a distribution from words, and its argument that it takes
_FUNCTIONS: Mapping[type[Distribution], tuple[str, int]] = {Bernoulli: ("_keep", 0)}


@dataclass(frozen=True)
class Source:
    """A random letter of the statement ``id``: which one it is, and what makes its values.

    ``function`` fills an array from the position of its first element on, the ``number`` of the
    letter, the words and the ``limit`` that is made of the ``share``.
    """

    id: str
    name: str
    number: int
    function: str
    share: Expr

    @property
    def limit(self) -> str:
        """The name of what words are compared with."""
        return f"{self.name}_below"

    @property
    def read(self) -> tuple[Hyperparameter, ...]:
        """The hyperparameters that it depends on."""
        return tuple(sorted(self.share.atoms(Hyperparameter), key=str))

    @property
    def numbers(self) -> tuple[str, ...]:
        """What the function takes besides an array and a position."""
        return (str(self.number), *WORDS, self.limit)


def sources(layer: Layer) -> tuple[Source, ...]:
    """The random letters of a layer, in the order in which they are drawn.

    Raises
    ------
    LoweringError
        For a distribution of which no kernel draws, and for more letters than are told apart.
    """
    stated = [(layer.id_of(one.key), one.content) for one in layer.statements]
    found = [(id, one) for id, one in stated if isinstance(one, Drawn)]
    if len(found) > MOST_LETTERS:
        raise LoweringError(
            f"{layer.name} draws {len(found)} letters, of which no more than {MOST_LETTERS} are "
            "told apart; draw fewer"
        )
    return tuple(_source(id, one, number) for number, (id, one) in enumerate(found))


def _source(id: str, one: Drawn, number: int) -> Source:
    kind = type(one.distribution)
    if kind not in _FUNCTIONS:
        known = " or ".join(sorted(kind.__name__ for kind in _FUNCTIONS))
        raise LoweringError(
            f"{id} draws {unicode(one.letter)} from {unicode(one.distribution)}, for which no "
            f"kernel is written; draw from {known}"
        )
    function, place = _FUNCTIONS[kind]
    name = one.letter.base.spelling.python
    return Source(id, name, number, function, one.distribution.args[place])
