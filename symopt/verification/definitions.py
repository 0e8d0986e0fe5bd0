"""One equation of a declaration, read as: this letter has, from this time on, this value."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Basic, Expr, Indexed

from symopt.declaration import Equation
from symopt.errors import DeclarationError
from symopt.nodes import Gradient, Sigma
from symopt.notation import Index, Sequence
from symopt.views import canonical, occurrences

_NO_TIME = ("component", "example", "layer")


@dataclass(frozen=True)
class Definition:
    """The equation ``id``: it gives ``letter`` at the time t + ``offset`` from what is known at t.

    ``mixed`` holds the entries of its own past that it multiplies by something; ``sums_past``
    tells of a sum over the steps so far; ``kept`` is the response by which this one may have
    been computed as a geometric sum.
    """

    id: str
    letter: Sequence
    step: Index
    offset: int
    right: Expr
    initial: Expr | None = None
    mixed: tuple[Indexed, ...] = ()
    sums_past: bool = False
    kept: Sequence | None = None


def defined(id: str, equation: Equation, initial: dict[Sequence, Expr]) -> Definition:
    """The definition that an equation gives.

    Raises
    ------
    DeclarationError
        If its left side is no letter at the step t or a fixed number of steps later.
    """
    left, right = equation.left, equation.right
    whens = times(left) if isinstance(left, Indexed) else ()
    steps = [one for when in whens for one in when.atoms(Index) if one.counts == "step"]
    offset = canonical(whens[0] - steps[0]) if len(whens) == len(steps) == 1 else None
    if offset is None or not offset.is_Integer:
        raise DeclarationError(
            f"{id} defines {left}; write one letter at one step there, such as v[t] or theta[t + 1]"
        )
    letter, step = left.base, steps[0]
    sums = (one for one in occurrences(right, Sigma) if isinstance(one, Sigma))
    past = any(one.bounds and one.bounds[1].has(step) for one in sums)
    return Definition(
        id, letter, step, int(offset), right, initial.get(letter), mixed(right, letter), past
    )


def mixed(right: Expr, letter: Sequence) -> tuple[Indexed, ...]:
    """The entries of a letter that stand in a product, a power or a function.

    >>> from symopt.symbols import beta, g, t, v
    >>> mixed(v[t - 1] + g[t], v), mixed(beta * v[t - 1] + g[t], v)
    ((), (v[t - 1],))
    """
    if isinstance(right, Add):
        return tuple(one for term in right.args for one in mixed(term, letter))
    if isinstance(right, Indexed):
        return ()
    return tuple(one for one in entries(right) if one.base == letter)


def entries(expr: Basic) -> tuple[Indexed, ...]:
    """The indexed letters that an expression reads, the arguments of a loss left out."""
    return tuple(
        one
        for one in occurrences(expr, Indexed, Gradient)
        if isinstance(one, Indexed) and isinstance(one.base, Sequence)
    )


def times(entry: Indexed) -> tuple[Expr, ...]:
    """The indices of an entry that say when; those that say which component or example are not.

    >>> from symopt.symbols import i, t, theta
    >>> times(theta[t + 1, i])
    (t + 1,)
    """
    return tuple(
        index
        for index in entry.indices
        if not any(one.counts in _NO_TIME for one in index.atoms(Index))
    )
