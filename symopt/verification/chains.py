"""Gradients by the chain rule from the last line to the first, with a bound of what may go wrong.

The value of a gradient is trusted to central differences; the chain says how large its terms are
and how far off a kernel may be. Each line of a group is differentiated by each letter it reads, and

* a partial derivative is evaluated from the forward pass's letters with the errors they may have,
  those of the statistics that the backward pass is handed among them;
* gradients are added and multiplied from the last line to the first, by the same arithmetic.

Any other form of the same gradient is a sum of the same products, one for each way from the input
to the output, with common factors drawn in or out, and with letters of the forward pass in place of
their right sides. It takes no more products than the chain, which is granted two roundings for
each, and three for each addition. Where it recomputes what the forward pass defined, such as x̂,
a root and a quotient, it does so at most at both ends of a way; the chain has the powers of the
root's argument once for both. So what the chain is granted covers one end, and it is granted twice.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping

from sympy import (
    And,
    Basic,
    Dummy,
    Expr,
    Heaviside,
    Or,
    Piecewise,
    Pow,
    S,
    ceiling,
    floor,
    powsimp,
    sign,
)

from symopt.verification.meaning import Meaning, meaning
from symopt.verification.place import Place
from symopt.verification.quantity import UNBOUNDED, Quantity
from symopt.verification.unrolled import read
from symopt.views import canonical

GRANTED = 2

# constant beside their jumps
_STEPWISE = (sign, floor, ceiling)


class Chain:
    """The partial derivatives of equations, each a letter and its right side, found once.

    Nothing is differentiated by what is ``held``.
    """

    def __init__(
        self, equations: Iterable[tuple[Basic, Expr]], held: Collection[Basic] = ()
    ) -> None:
        self._reads: dict[Basic, frozenset[Basic]] = {}
        self._partials: dict[Basic, list[tuple[Basic, Meaning, set[Basic]]]] = {}
        for left, written in equations:
            right = canonical(written)
            self._partials[left] = [
                (letter, meaning(slope), surely_read(slope))
                for letter in sorted(read(right) - set(held), key=str)
                if (slope := partial_derivative(right, letter)) != 0
            ]
            inner = [self._reads.get(one, frozenset({one})) for one in surely_read(right)]
            self._reads[left] = frozenset().union(*inner)

    def gradients(
        self, place: Place, handed: Mapping[Basic, Quantity], largest: float = math.inf
    ) -> dict[Basic, Quantity]:
        """The gradient by each letter, from those by the outputs.

        There is no bound where the products and sums on some way may exceed the ``largest`` number
        when they are taken in another order.
        """
        ops = place.world.ops
        terms: dict[Basic, list[Quantity]] = {one: [found] for one, found in handed.items()}
        reach = {one: max(1.0, found.size) for one, found in handed.items()}
        for left, partials in reversed(self._partials.items()):
            if left not in terms:
                continue
            own = ops.add(terms[left])
            for letter, partial, _ in partials:
                slope = ops.lifted(partial(place))
                terms.setdefault(letter, []).append(ops.multiply([own, slope]))
                size = max(1.0, slope.size) if slope.bounded else 1.0
                reach[letter] = reach.get(letter, 0.0) + reach[left] * size
        return {
            letter: granted(ops.add(ones)) if reach[letter] <= largest else UNBOUNDED
            for letter, ones in terms.items()
        }

    def tangents(self, place: Place, moved: Mapping[Basic, Quantity]) -> dict[Basic, Quantity]:
        """How fast each letter moves with those that are moved, itself among them."""
        ops = place.world.ops
        found = dict(moved)
        for left, partials in self._partials.items():
            ways = [
                ops.multiply([partial(place), found[letter]])
                for letter, partial, _ in partials
                if letter in found
            ]
            if ways:
                found[left] = ops.add(ways)
        return found

    def reached(self, outputs: Iterable[Basic]) -> set[Basic]:
        """The letters whose gradients the adjoints of outputs enter, the outputs among them."""
        found = set(outputs)
        for left, partials in reversed(self._partials.items()):
            found |= {letter for letter, _, _ in partials} if left in found else set()
        return found

    def touched(self, input: Basic, outputs: Iterable[Basic]) -> set[Basic]:
        """The letters whose gradients read an input, whichever branches are taken."""
        reached, found = self.reached(outputs), set()
        for left, partials in reversed(self._partials.items()):
            for letter, _, letters in partials if left in reached else ():
                behind = {one for x in letters for one in self._reads.get(x, frozenset({x}))}
                if left in found or input in behind:
                    found.add(letter)
        return found


def granted(x: Quantity) -> Quantity:
    """A gradient with what any other form of it may be off by."""
    return x._replace(error=GRANTED * x.error)


def surely_read(expr: Basic) -> set[Basic]:
    """The plain letters that are read whichever branch of a case distinction is taken.

    >>> from symopt.notation import statistic
    >>> x, y, z = map(statistic, "xyz")
    >>> sorted(map(str, surely_read(Piecewise((x, y > 0), (x * z, True)))))
    ['x', 'y']
    """
    if isinstance(expr, Piecewise):
        values, conditions = zip(*(pair.args for pair in expr.args), strict=True)
        return surely_read(conditions[0]) | set.intersection(*map(surely_read, values))
    if isinstance(expr, And | Or):
        return set.intersection(*map(surely_read, expr.args))
    return read(expr) if not expr.args else set().union(*map(surely_read, expr.args))


def partial_derivative(right: Expr, letter: Basic) -> Expr:
    """The partial derivative of a canonical expression, as it is beside kinks and jumps.

    >>> from sympy.abc import x
    >>> partial_derivative(floor(x) * x, x)
    floor(x)
    """
    held = {node: Dummy(real=True) for node in right.atoms(*_STEPWISE)}
    found = right.xreplace(held).diff(letter)
    if any(not one.exp.is_number for one in right.atoms(Pow)):
        found = powsimp(found, combine="exp")  # β^t/β is 0/0 at β = 0
    found = found.replace(Heaviside, lambda x, *_: Piecewise((S.Zero, x < 0), (S.One, True)))
    return found.xreplace({name: node for node, name in held.items()})
