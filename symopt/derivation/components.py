"""A penalty as a sum over components: ‖θ‖² ⇒ θ², for the sum over components is outside."""

from __future__ import annotations

from sympy import Basic, Dummy, Expr, Mul, Pow, S, Symbol, sign

from symopt.derivation.branches import derivative
from symopt.derivation.pieces import pieces
from symopt.derivation.proximal_cases import slopes
from symopt.derivation.signs import nonnegative
from symopt.derivation.steps import Line, Reason
from symopt.errors import DerivationError
from symopt.nodes import Norm
from symopt.notation import Hyperparameter
from symopt.printing.unicode import unicode
from symopt.symbols import lambda_
from symopt.views import canonical, rewrite


def component(id: str, term: Expr, entry: Expr) -> Expr:
    """A penalty's r(θ) for one component of a layer, R being the sum over components and layers.

    Raises
    ------
    DerivationError
        If components do not separate, for there is more of a norm than its square in a sum; or if
        the penalty holds λ, by which all of it is weighed when it is added to a loss.
    """
    whole = canonical(term)
    if lambda_.spelling.python in {one.spelling.python for one in whole.atoms(Hyperparameter)}:
        raise DerivationError(
            f"{id} holds {unicode(lambda_)}, by which the whole penalty is weighed beside a loss; "
            "leave it out, or call it by another letter"
        )
    squares = [one for one in whole.atoms(Pow) if isinstance(one.base, Norm) and one.exp == 2]
    names = {one: Dummy() for one in squares}
    told_apart = whole.xreplace(names)
    if told_apart.has(Norm):
        raise DerivationError(
            f"{id} holds a norm that is not squared, so that components do not separate; "
            "a kernel is written for sums over components"
        )
    letters = set(names.values())
    moving = {*letters, entry, entry.base.label}
    if any(told_apart.diff(one).free_symbols & moving for one in letters):
        raise DerivationError(
            f"{id} holds a norm in something else than a sum, so that components do not separate; "
            "a kernel is written for sums over components"
        )
    alone, _ = told_apart.as_independent(entry, *letters, as_Add=True)
    if letters and alone != 0:
        raise DerivationError(
            f"{id} adds {unicode(alone)} to a norm, once a layer; it changes no gradient, so leave "
            "it out"
        )
    return told_apart.xreplace({name: one.base.args[0] ** 2 for one, name in names.items()})


def component_as_written(term: Expr, entry: Expr, z: Expr) -> Expr:
    """r(z) in the order in which the penalty is written, for components that separate."""

    def change(node: Basic) -> Basic | None:
        if node == entry:
            return z
        return rewrite(node.args[0], change) if isinstance(node, Norm) else None

    return rewrite(term, change)


def slope(term: Expr, entry: Expr) -> Expr:
    """dr/dθ; at a kink that of the branch which is taken."""
    found = derivative(term, entry)
    return found.expand() if isinstance(found, Mul) else found


def at_kinks(left: Expr, gradient: Expr, id: str, term: Expr, entry: Expr) -> tuple[Line, ...]:
    """Which subgradient is taken at each kink; at 0 alone where r is no polynomial beside it."""
    z = Symbol("z", real=True)
    try:
        found = pieces(component(id, term, entry).xreplace({entry: z}), z)
    except DerivationError:
        return _at_zero(left, gradient, entry)
    return tuple(
        Line(left, gradient.subs(entry, kink), _chosen(entry, kink, low, high))
        for kink, (low, high) in zip(found.kinks, slopes(found, z), strict=True)
        if low != high
    )


def _at_zero(left: Expr, gradient: Expr, entry: Expr) -> tuple[Line, ...]:
    side = sign(entry)
    if not gradient.has(side):
        return ()
    low, high = (gradient.subs(side, one).subs(entry, 0) for one in (-1, 1))
    return (Line(left, gradient.subs(entry, 0), _chosen(entry, S.Zero, low, high)),)


def _chosen(entry: Expr, kink: Expr, low: Expr, high: Expr) -> Reason:
    place = ("at ", entry, " = ", kink)
    if nonnegative(high - low):
        return (*place, ", chosen among the subgradients from ", low, " to ", high)
    return (*place, ", between the slopes ", low, " and ", high)
