"""What is asked of expectations: the number with which an equation holds, by weighing all values.

Means are taken over every value that random letters may have, at one or two elements; the equation
is linear in the number, so that its values at 0 and 1 give it. No rule for means is trusted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from sympy import Basic, Expr

from symopt.declaration import Layer, Unbias
from symopt.errors import DeclarationError
from symopt.nodes import Expectation
from symopt.notation import Statistic, statistic
from symopt.verification.arithmetic import Arithmetic
from symopt.verification.as_written import settled
from symopt.verification.chance import chances
from symopt.verification.group_world import Letters
from symopt.verification.meaning import Meaning, meaning
from symopt.verification.quantity import HIGH, Quantity, scalar
from symopt.verification.unrolled import entry, plain, read, training
from symopt.views import rewrite

Numbers = Mapping[Basic, Quantity]

# powers of two, so that numbers multiplied by them are as exact as before
_DATA = ((1.0, 2.0, -4.0, 0.5), (-2.0, 0.25, 8.0, 1.0))
_NOTHING = 1e-40
_BOTH = (0, 1)


class Scale:
    """One request, and the equation that the number has to satisfy."""

    def __init__(self, layer: Layer, id: str, asked: Unbias) -> None:
        self.id, self.letter = id, asked.letter
        size = 1 if layer.elementwise else 2
        unrolled = training(layer, size)
        self._lines = [(line.letter, line.right, meaning(line.right)) for line in unrolled.lines]
        self._drawn = {entry(x.letter, k): x for x in chances(layer) for k in range(size)}
        self._data = [one for one in unrolled.inputs if one not in self._drawn]
        self._means: dict[Statistic, tuple[Expr, Meaning]] = {}

        def mean(node: Basic) -> Basic | None:
            if not isinstance(node, Expectation):
                return None
            inner = plain(node.args[0], 0, size)
            letter = statistic(f"judge_mean_{len(self._means)}")
            self._means[letter] = (inner, meaning(inner))
            return letter

        sides = (rewrite(one, mean) for one in (asked.shown.left, asked.shown.right))
        self._sides = [meaning(plain(one, 0, size)) for one in sides]

    def value(self, ops: Arithmetic, numbers: Numbers) -> Quantity:
        """The number that satisfies the equation, with these hyperparameters.

        Raises
        ------
        DeclarationError
            Where no one number does for all data.
        """
        first, second = _DATA
        at_0, at_1 = (self._valued(ops, numbers, scalar(one), first) for one in _BOTH)
        # side by side, so that what both have in common does not cancel
        left, right = (_less(ops, one, other) for one, other in zip(at_1, at_0, strict=True))
        found = ops.multiply([_less(ops, *reversed(at_0)), ops.reciprocal(_less(ops, left, right))])
        for data in (first, second):
            left, right = self._valued(ops, numbers, found, data)
            gap, size = abs(left.value - right.value), left.size + right.size
            if not (left.bounded and right.bounded) or gap > HIGH.mpf(size) * _NOTHING:
                raise DeclarationError(
                    f"{self.id} asks for {self.letter}, but no one number satisfies it for all data"
                )
        return settled(found)

    def _valued(
        self, ops: Arithmetic, numbers: Numbers, value: Quantity, data: tuple[float, ...]
    ) -> list[Quantity]:
        """Both sides of the equation, for one value of the number."""
        known = {**numbers, self.letter: value}
        known.update((one, scalar(data[k % len(data)])) for k, one in enumerate(self._data))
        means = {
            letter: self._weighed(ops, known, inner, of)
            for letter, (inner, of) in self._means.items()
        }
        place = Letters(ops, {**known, **means}).place
        return [side(place) for side in self._sides]

    def _weighed(self, ops: Arithmetic, known: Numbers, inner: Expr, of: Meaning) -> Quantity:
        """The mean of what is computed from each drawing, by its probability."""
        needed = self._needed(inner)
        lines = [(letter, right) for letter, _, right in self._lines if letter in needed]
        terms = []
        for weight, drawn in self._drawings(ops, known, needed):
            letters = Letters(ops, {**known, **drawn})
            for letter, right in lines:
                letters.known[letter] = right(letters.place)
            terms.append(ops.multiply([*weight, of(letters.place)]))
        return ops.add(terms)

    def _needed(self, inner: Expr) -> set[Basic]:
        """The plain letters that lead to an expression."""
        needed = read(inner)
        for letter, right, _ in reversed(self._lines):
            if letter in needed:
                needed |= read(right)
        return needed

    def _drawings(
        self, ops: Arithmetic, known: Numbers, needed: set[Basic]
    ) -> Iterator[tuple[list[Quantity], dict[Basic, Quantity]]]:
        """Every choice of 0 and 1 for the random letters, and the factors of its probability."""
        drawn = {one: x for one, x in self._drawn.items() if one in needed}
        ones = [x.probability(ops, known) for x in drawn.values()]
        for values in product(_BOTH, repeat=len(drawn)):
            weight = [
                one if value else _less(ops, scalar(1), one)
                for one, value in zip(ones, values, strict=True)
            ]
            yield weight, {x: scalar(value) for x, value in zip(drawn, values, strict=True)}


def _less(ops: Arithmetic, one: Quantity, other: Quantity) -> Quantity:
    return ops.add([one, other._replace(value=-other.value)])


def scales(layer: Layer) -> tuple[Scale, ...]:
    """The requests of a layer, in its order."""
    stated = ((layer.id_of(one.key), one.meant.content) for one in layer.statements)
    return tuple(Scale(layer, id, one) for id, one in stated if isinstance(one, Unbias))
