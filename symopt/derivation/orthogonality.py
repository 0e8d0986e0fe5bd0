"""What the gradient by an input adds up to, alone and weighted by the normalized letter."""

from __future__ import annotations

from sympy import Expr, Mul, S

from symopt.calculus.normal_form import normal_form
from symopt.derivation.forward import ROOT, leaves, normalization, position_of
from symopt.derivation.fused import fused
from symopt.derivation.layer import Backward, dL
from symopt.derivation.opinions import by, checked, second_opinion
from symopt.derivation.steps import Derivation, Line
from symopt.nodes import Sigma
from symopt.views import canonical


def orthogonality(backward: Backward) -> tuple[Derivation, ...]:
    """Σ dL/dx_i where it is 0, and Σ dL/dx_i·x̂_i where that is shorter than the sum itself."""
    found = []
    normal = normalization(backward.definitions)
    for entry in leaves(backward.definitions)[1]:
        lines = list(_sums_to_nothing(backward, entry))
        if normal is not None and normal.input == entry:
            lines += _along(backward, entry, normal.letter)
        if lines:
            title = ("sums of the gradient by ", entry, f" of {backward.layer.title}")
            found.append(Derivation(backward.layer.name, title, tuple(lines)))
    return tuple(found)


def _sums_to_nothing(backward: Backward, entry: Expr) -> tuple[Line, ...]:
    line = weighted(backward, entry, S.One)
    return (line,) if line.right == 0 else ()


def _along(backward: Backward, entry: Expr, letter: Expr) -> tuple[Line, ...]:
    """The sum weighted by x̂_i, where identities leave fewer terms than the gradient has."""
    line = weighted(backward, entry, letter)
    gradient = normal_form(canonical(dict(backward.fused)[entry]), backward.known)
    left = normal_form(canonical(line.right), backward.known)
    shorter = len(left.terms) < len(gradient.terms) and all(
        len(one.bound) < 2 for one, _ in left.terms
    )
    plain = Sigma(dict(backward.fused)[entry] * letter, line.left.args[1])
    return (line,) if shorter and line.right.count_ops() < plain.count_ops() else ()


def weighted(backward: Backward, entry: Expr, weight: Expr) -> Line:
    """Σ_i dL/dx_i·w_i as its normal form has it, proved and looked at modulo a prime."""
    definitions, known = backward.definitions, backward.known
    output = definitions[-1]
    gradient = canonical(dict(backward.fused)[entry])
    limits = (position_of(definitions), S.One, output.size)
    whole = Sigma(gradient * weight, limits)
    form = fused(whole, known, ROOT)
    assert normal_form(canonical(form), known) == normal_form(whole, known)
    sizes = second_opinion(whole, canonical(form), definitions)
    shown = dL(entry) if weight == 1 else Mul(dL(entry), weight, evaluate=False)
    reason = ("the closed form summed", *by(whole, known))
    return Line(Sigma(shown, limits), form, reason, checked([output.size], sizes))
