"""Numbers for functions: those that some line defines, and a loss or a model that is not known."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from sympy import Basic, Eq, Indexed, IndexedBase
from sympy.core.function import AppliedUndef

from symopt.nodes import Argmin, Gradient
from symopt.proof.numbers import Number, Unknown

if TYPE_CHECKING:  # a point hands itself to these functions
    from symopt.proof.evaluation import Point


def functions(
    exprs: Sequence[Basic], definitions: Sequence[Eq]
) -> dict[Any, Callable[..., Number]]:
    """What stands for the functions that have to do with a loss: a polynomial for each.

    These are the ones in the losses of gradients, in what is minimized, and those of letters as a
    whole, as R(θ); what is said of other functions (a limit, a supremum) is no fact about numbers
    at one point.
    """
    defined = {one.lhs.func for one in definitions if isinstance(one.lhs, AppliedUndef)}
    found: dict[Any, Callable[..., Number]] = {}
    for expr in exprs:
        for node in expr.atoms(Gradient, Argmin, AppliedUndef):
            if not takes_numbers(node):
                continue
            for one in node.atoms(AppliedUndef):
                if one.func not in defined:
                    found[one.func] = _polynomial(str(one.func))
    return found


def takes_numbers(node: Basic) -> bool:
    """Whether what is not known in a function or a gradient may be anything.

    Gradients of a loss without arguments by several letters have to do with each other.
    """
    if isinstance(node, Gradient) and not node.loss.args:
        return isinstance(node.variable, IndexedBase)
    return isinstance(node, Gradient | Argmin) or any(_bare(node))


def bare_letters(exprs: Sequence[Basic]) -> set[IndexedBase]:
    """Letters with indices elsewhere that stand without any: θ as a whole."""
    return {one for expr in exprs for one in _bare(expr)}


def _bare(expr: Basic) -> Iterator[IndexedBase]:
    if isinstance(expr, IndexedBase):
        yield expr
    elif not isinstance(expr, Indexed):
        for part in expr.args:
            yield from _bare(part)


def _polynomial(name: str) -> Callable[..., Number]:
    def value(*places: Number) -> Number:
        source = random.Random(f"{name} of {len(places)}")
        total: Number = Fraction(source.randint(1, 9))
        for one in places:
            first, second = source.randint(1, 9), source.randint(1, 9)
            total = total * one + first * one + Fraction(second, 7) * one * one
        return total

    return value


def called(node: AppliedUndef, point: Point, bound: Mapping[Basic, Number]) -> Number:
    """The value of a function that a line defines, or that stands for one.

    Raises
    ------
    Unknown
        For any other function.
    """
    values = [point.evaluate(part, bound) for part in node.args]
    for one in point.definitions:
        if isinstance(one.lhs, AppliedUndef) and one.lhs.func == node.func:
            own = dict(zip(one.lhs.args, values, strict=True))
            return point.evaluate(one.rhs, {**bound, **own})
    if node.func not in point.functions:
        raise Unknown(f"the function {node.func.__name__}")
    return point.functions[node.func](*values)
