"""What an author says to follow from a layer's equations: proved, or refused with the reason."""

from __future__ import annotations

from sympy import Expr, Indexed

from symopt.calculus.adjoints import Definition
from symopt.calculus.normal_form import Knowledge, normal_form
from symopt.declaration import Equation, Holds, Layer, Value
from symopt.derivation.counterexamples import counterexample
from symopt.derivation.forward import normalization
from symopt.derivation.opinions import agreement, by, checked, second_opinion
from symopt.derivation.steps import Line
from symopt.errors import DerivationError
from symopt.printing.unicode import unicode
from symopt.views import canonical


def claims(layer: Layer, definitions: tuple[Definition, ...], known: Knowledge) -> tuple[Line, ...]:
    """A line for each statement of what holds, proved for every size.

    Raises
    ------
    DerivationError
        For a statement that is wrong, with a counterexample, or that no normal form proves.
    """
    everything = _all_put_in(definitions, known)
    return tuple(
        _proved(layer.id_of(one.key), one.content.shown, definitions, everything)
        for one in layer.statements
        if isinstance(one.content, Holds | Value)
    )


def _all_put_in(definitions: tuple[Definition, ...], known: Knowledge) -> Knowledge:
    """What is known, and for letters of which nothing is known their values: y_i ⇒ γx̂_i + β."""
    normal = normalization(definitions)
    names = {one.name for one in known.identities}
    solved = {one.id for one in definitions if one.index is None and one.id in names}
    values = dict(known.values)
    for one in definitions:
        key = one.letter.base if isinstance(one.letter, Indexed) else one.letter
        # what x_i is written in stays, as x_i would else be put in for it in turn
        stays = normal is not None and normal.inverse.has(one.letter)
        if one.id not in solved and not stays and key not in values:
            values[key] = (one.index, one.value)
    return Knowledge(values, known.identities)


def _proved(
    id: str, stated: Equation, definitions: tuple[Definition, ...], known: Knowledge
) -> Line:
    left, right = canonical(stated.left), canonical(stated.right)
    if normal_form(left - right, known).terms:
        raise DerivationError(f"{id} {_why_not(left, right, definitions)}")
    numbers = second_opinion(left, right, definitions)
    reason = (id, *by(left - right, known))
    return Line(stated.left, stated.right, reason, checked([definitions[-1].size], numbers))


def _why_not(left: Expr, right: Expr, definitions: tuple[Definition, ...]) -> str:
    """A counterexample, or else how far two sides are known to agree that nothing proves equal."""
    size = definitions[-1].size
    compared = list(agreement(left, right, definitions))
    if all(same for _, same in compared):
        numbers = ", ".join(str(sizes[size]) for sizes, _ in compared)
        agrees = f", though it agrees modulo a prime at {unicode(size)} = {numbers}"
        return f"could not be proved for every {unicode(size)}{agrees}; leave it out"
    found = counterexample(left, right, definitions)
    if found is None:
        return f"could not be proved for every {unicode(size)}; leave it out"
    return f"does not hold: {found}; mend or leave it out"
