"""The backward pass of a layer, derived from its forward equations for groups of any size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from sympy import Expr, Indexed, S

from symopt.calculus.adjoints import Definition, Path, paths, total
from symopt.calculus.normal_form import Knowledge, normal_form
from symopt.calculus.polynomial import ZERO
from symopt.declaration import Layer
from symopt.derivation.claims import claims
from symopt.derivation.forward import ROOT, forward, knowledge, leaves
from symopt.derivation.fused import fused
from symopt.derivation.opinions import by, checked, second_opinion
from symopt.derivation.steps import Derivation, Line, Reason
from symopt.derivation.wording import Words, worded, words
from symopt.nodes import Gradient, Sigma
from symopt.notation import function, index
from symopt.printing.unicode import unicode
from symopt.views import canonical

_j = index("j", "bound")


@dataclass(frozen=True)
class Backward:
    """The forward definitions of a layer, what is known of their sums, and the gradients.

    ``chain`` maps each letter to its gradient by the chain rule, through gradients of later
    letters; ``fused`` maps inputs and parameters to theirs in terms of dL/dy alone.
    """

    layer: Layer
    definitions: tuple[Definition, ...]
    known: Knowledge
    chain: tuple[tuple[Expr, Expr], ...]
    fused: tuple[tuple[Expr, Expr], ...]
    derivation: Derivation


def dL(letter: Expr) -> Gradient:
    """The gradient of the loss with respect to a letter."""
    return Gradient(function("L"), letter)


@lru_cache(maxsize=256)  # its functions, its laws and the networks that it is in all ask
def derive_layer(layer: Layer) -> Backward:
    """The gradients of a layer with respect to its input and its parameters.

    Each line is checked: by equal normal forms, which holds for every size of the group at once,
    and by a second opinion modulo a prime at small sizes.

    Raises
    ------
    DerivationError
        If the equations have no output for each element, or hold sums without bounds; if what
        the author says to hold does not, or is not proved.
    """
    definitions = forward(layer)
    output = definitions[-1]
    known = knowledge(definitions)
    stated = claims(layer, definitions, known)
    targets = _targets(definitions)
    told = words(definitions, _j)
    chain: dict[Expr, Expr] = {output.letter: dL(output.letter)}
    whole: dict[Expr, Expr] = dict(chain)
    lines: list[Line] = list(stated)
    gone: set[Expr] = set()
    closed: list[tuple[Expr, Expr]] = []
    for target in targets:
        place = target.base[_j] if isinstance(target, Indexed) else target
        alive = tuple(one for one in definitions if one.letter not in gone)
        ways = paths(place, alive, {one: dL(one) for one in whole})
        kept = tuple(one for one in ways if normal_form(one.share, known) != ZERO)
        lines += _chain_lines(target, ways, kept, known, told)
        chain[target] = _swapped(total(kept), target)
        own = _swapped(total(paths(place, alive, whole)), target)
        whole[target] = own
        if not _is_leaf(target, definitions) and normal_form(own, known) == ZERO:
            lines += _vanished(target, own, lines[-1], known, definitions)
            gone.add(target)
        if _is_leaf(target, definitions):
            form = fused(own, known, ROOT)
            check = _proved(own, form, known, definitions)
            if _same(lines[-1].right, form):
                # the chain says it in one step already, and with its differences kept together
                form = form if _nested(lines[-1].right) else lines[-1].right
                lines[-1] = replace(lines[-1], check=check)
            else:
                reason = ("put together", *by(own, known))
                lines.append(Line(dL(target), form, reason, check))
            closed.append((target, form))
    title = ("backward pass of ", layer.title)
    derivation = Derivation(layer.name, title, tuple(lines), _shared(layer, definitions))
    return Backward(layer, definitions, known, tuple(chain.items()), tuple(closed), derivation)


def _targets(definitions: tuple[Definition, ...]) -> tuple[Expr, ...]:
    """Letters in the order in which their gradients are found: backwards, then the inputs.

    A learned letter comes as soon as the gradients of all that reads it are known.
    """
    learned, inputs = leaves(definitions)
    found: list[Expr] = []
    for place, one in reversed(tuple(enumerate(definitions))):
        if one is not definitions[-1]:
            found.append(one.letter)
        before = definitions[:place]
        waiting = (leaf for leaf in learned if leaf not in found)
        found += [leaf for leaf in waiting if not any(_reads(other, leaf) for other in before)]
    return (*found, *inputs)


def _reads(one: Definition, leaf: Expr) -> bool:
    return bool(one.value.has(leaf.base if isinstance(leaf, Indexed) else leaf))


def _nested(expr: Expr) -> bool:
    """Whether a sum stands inside of another, where the closed form has them side by side."""
    return any(total.body.has(Sigma) for total in expr.atoms(Sigma))


def _is_leaf(target: Expr, definitions: tuple[Definition, ...]) -> bool:
    return target not in {one.letter for one in definitions}


_AXES = {"N": "N", "C": "C", "S": "H and W", "R": "N"}


def _shared(layer: Layer, definitions: tuple[Definition, ...]) -> tuple[Reason, ...]:
    """That the gradients of groups add up, where several groups share what is learned."""
    learned = [one.base if isinstance(one, Indexed) else one for one in leaves(definitions)[0]]
    shared = layer.axes.shared
    if not learned or not shared:
        return ()
    *others, last = learned
    names = (*(part for one in others for part in (one, ", ")),)[:-1]
    letters = (*names, " and ", last, " are") if others else (last, " is")
    over = " and ".join(_AXES[one] for one in shared)
    them = "them" if others else "it"
    return (
        (*letters, f" shared over {over}: the gradients of the groups that share {them} add up"),
    )


# lines


def _chain_lines(
    target: Expr, ways: tuple[Path, ...], kept: tuple[Path, ...], known: Knowledge, told: Words
) -> list[Line]:
    def shown(several: tuple[Path, ...]) -> Expr:
        return worded(_swapped(total(several), target), told)

    names = ", ".join(one.through.id for one in ways)
    through: Reason = f"through {names}" if ways else "nothing that follows depends on it"
    lines = [Line(dL(target), shown(ways), through)]
    if len(kept) < len(ways):
        gone = [one for one in ways if one not in kept]
        names = ", ".join(one.through.id for one in gone)
        reason = (f"the way through {names} vanishes", *by(total(tuple(gone)), known))
        lines.append(Line(dL(target), shown(kept), reason))
    return lines


def _vanished(
    target: Expr, own: Expr, last: Line, known: Knowledge, definitions: tuple[Definition, ...]
) -> list[Line]:
    """That nothing depends on a letter after all, unless the last line says so."""
    if last.right == 0:
        return []
    second_opinion(own, S.Zero, definitions)
    return [Line(dL(target), S.Zero, ("all ways together vanish", *by(own, known)))]


def _swapped(expr: Expr, target: Expr) -> Expr:
    """The free component under the target's letter, bound ones under another."""
    if not isinstance(target, Indexed):
        return expr
    (own,) = target.indices
    return expr.xreplace({own: _j, _j: own})


def _same(shown: Expr, form: Expr) -> bool:
    """Whether two lines differ in the letters of bound indices and the order of terms alone."""
    return normal_form(canonical(shown)) == normal_form(canonical(form))


def _proved(
    chain: Expr, form: Expr, known: Knowledge, definitions: tuple[Definition, ...]
) -> Reason:
    """The two are equal for every size: by normal form, and by a second opinion."""
    assert normal_form(canonical(form), known) == normal_form(chain, known), unicode(form)
    sizes = second_opinion(chain, canonical(form), definitions)
    return checked([definitions[-1].size], sizes)
