"""The backward pass of a layer, derived from its forward equations for groups of any size."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Add, Expr, Indexed, Pow, Symbol

from symopt.calculus.adjoints import Definition, Path, paths, total
from symopt.calculus.normal_form import Identity, Knowledge, identity, normal_form, used_identities
from symopt.calculus.polynomial import ZERO
from symopt.declaration import Equation, Layer
from symopt.derivation.fused import fused
from symopt.derivation.opinions import second_opinion
from symopt.derivation.steps import Derivation, Line, Reason
from symopt.errors import DerivationError
from symopt.nodes import Gradient, Sigma
from symopt.notation import Index, Parameter, Sequence, function, index
from symopt.printing.unicode import unicode
from symopt.views import canonical, occurrences

_j = index("j", "bound")
_s = Symbol("s", positive=True)


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


def derive_layer(layer: Layer) -> Backward:
    """The gradients of a layer with respect to its input and its parameters.

    Each line is checked: by equal normal forms, which holds for every size of the group at once,
    and by a second opinion modulo a prime at small sizes.

    Raises
    ------
    DerivationError
        If the equations have no output for each element, or hold sums without bounds.
    """
    definitions = forward(layer)
    output = definitions[-1]
    known = knowledge(definitions)
    targets = _targets(definitions)
    chain: dict[Expr, Expr] = {output.letter: dL(output.letter)}
    whole: dict[Expr, Expr] = dict(chain)
    lines: list[Line] = []
    closed: list[tuple[Expr, Expr]] = []
    for target in targets:
        place = target.base[_j] if isinstance(target, Indexed) else target
        ways = paths(place, definitions, {one: dL(one) for one in whole})
        kept = tuple(one for one in ways if normal_form(one.share, known) != ZERO)
        lines += _chain_lines(target, ways, kept, known)
        chain[target] = _swapped(total(kept), target)
        own = _swapped(total(paths(place, definitions, whole)), target)
        whole[target] = own
        if _is_leaf(target, definitions):
            form = fused(own, known, definitions, _s)
            check = _proved(own, form, known, definitions)
            if _same(lines[-1].right, form):
                # the chain says it in one step already, and with its differences kept together
                form = lines[-1].right
                lines[-1] = replace(lines[-1], check=check)
            else:
                reason = ("put together", *_by(own, known))
                lines.append(Line(dL(target), form, reason, check))
            closed.append((target, form))
    derivation = Derivation(layer.name, ("backward pass of ", layer.title), tuple(lines))
    return Backward(layer, definitions, known, tuple(chain.items()), tuple(closed), derivation)


def forward(layer: Layer) -> tuple[Definition, ...]:
    """The equations of training that lead from the input to the output, in the slide's order."""
    found = []
    for id, one in layer.equations:
        if canonical(one.right).has(one.left):
            continue  # a running average: it follows from the batch, and no gradient flows there
        found.append(_definition(id, one))
    if not found or found[-1].index is None:
        raise DerivationError(
            f"{layer.name} ends in no output for each element; let its last equation define y[i]"
        )
    size = next(
        (
            total.bounds[1]
            for one in found
            for total in one.value.atoms(Sigma)
            if total.bounds is not None
        ),
        None,
    )
    if size is None:
        raise DerivationError(
            f"{layer.name} sums over no group; write Sigma(body, (example, 1, m)) in a statistic"
        )
    return tuple(one if one.index is None else replace(one, size=size) for one in found)


def _definition(id: str, one: Equation) -> Definition:
    left, right = one.left, canonical(one.right)
    if isinstance(left, Indexed):
        return Definition(id, left, right, left.indices[0], written=one.right)
    return Definition(id, left, right, written=one.right)


def _targets(definitions: tuple[Definition, ...]) -> tuple[Expr, ...]:
    """Letters in the order in which their gradients are found: backwards, then the inputs.

    Learned letters come first: what they scale and shift is needed in no other gradient.
    """
    inner = [one.letter for one in reversed(definitions[:-1])]
    defined = {one.letter.base for one in definitions if isinstance(one.letter, Indexed)}
    position = definitions[-1].index
    learned: dict[Expr, None] = {}
    inputs: dict[Expr, None] = {}
    for one in definitions:
        for leaf in occurrences(one.written, Parameter, Indexed):
            if isinstance(leaf, Parameter):
                learned[leaf] = None
            elif isinstance(leaf.base, Sequence) and leaf.base not in defined:
                kind = learned if leaf.base.role == "learned" else inputs
                kind[leaf.base[position]] = None
    return (*learned, *inner, *inputs)


def _is_leaf(target: Expr, definitions: tuple[Definition, ...]) -> bool:
    return target not in {one.letter for one in definitions}


# what is known of sums


def knowledge(definitions: tuple[Definition, ...]) -> Knowledge:
    """Identities of sums from the defining equations: Σ x̂_i = 0, Σ x̂_i² = m − mε/(σ² + ε).

    The normalized letter takes the place of the input, and the root's base that of the statistic
    in it, so that no relation between the atoms is left out.
    """
    values = {**_roots(definitions), **_inputs(definitions)}
    known: tuple[Identity, ...] = ()
    for one in definitions:
        if one.index is None:
            try:
                found = identity(one.id, one.letter, one.value, Knowledge(values, known))
            except DerivationError:
                continue  # a statistic that is no sum of powers: its sum stays an atom
            known = (*known, found)
    return Knowledge(values, known)


def _roots(definitions: tuple[Definition, ...]) -> dict[Expr, tuple[Index | None, Expr]]:
    """σ² ⇒ s − ε for the base σ² + ε of a root or a divisor."""
    bases = {
        power.base
        for one in definitions
        for power in one.value.atoms(Pow)
        if isinstance(power.base, Add) and not (power.exp.is_Integer and power.exp.is_positive)
    }
    if len(bases) != 1:
        return {}
    (base,) = bases
    letters = {one.letter for one in definitions if one.index is None}
    for term in Add.make_args(base):
        if term in letters:
            return {term: (None, _s - (base - term))}
    return {}


def _inputs(definitions: tuple[Definition, ...]) -> dict[Expr, tuple[Index | None, Expr]]:
    """x_i ⇒ μ + x̂_i·√s, from the equation that normalizes, where that is linear in x_i."""
    for one in definitions:
        if one.index is None:
            continue
        entries = [entry for entry in one.value.atoms(Indexed) if entry.indices == (one.index,)]
        defined = {other.letter.base for other in definitions if isinstance(other.letter, Indexed)}
        inputs = [entry for entry in entries if entry.base not in defined]
        if len(inputs) == 1:
            slope = one.value.diff(inputs[0])
            if not slope.has(inputs[0], Parameter, Indexed) and slope != 0:
                rest = one.value.subs(inputs[0], 0)
                return {inputs[0].base: (one.index, (one.letter - rest) / slope)}
    return {}


# lines


def _chain_lines(
    target: Expr, ways: tuple[Path, ...], kept: tuple[Path, ...], known: Knowledge
) -> list[Line]:
    names = ", ".join(one.through.id for one in ways)
    through: Reason = f"through {names}" if ways else "nothing that follows depends on it"
    lines = [Line(dL(target), _swapped(total(ways), target), through)]
    if len(kept) < len(ways):
        gone = [one for one in ways if one not in kept]
        names = ", ".join(one.through.id for one in gone)
        reason = (f"the way through {names} vanishes", *_by(total(tuple(gone)), known))
        lines.append(Line(dL(target), _swapped(total(kept), target), reason))
    return lines


def _by(expr: Expr, known: Knowledge) -> tuple[str, ...]:
    """By which equations the sums in an expression are known."""
    names = ", ".join(one.name for one in used_identities(expr, known))
    return (f", by {names}",) if names else ()


def _swapped(expr: Expr, target: Expr) -> Expr:
    """The free component under the target's letter, bound ones under another."""
    if not isinstance(target, Indexed):
        return expr
    (own,) = target.indices
    return expr.xreplace({own: _j, _j: own})


def _same(shown: Expr, form: Expr) -> bool:
    """Whether two lines differ in the letters of bound indices and the order of terms alone."""
    return normal_form(canonical(shown)) == normal_form(canonical(form))


def _proved(chain: Expr, form: Expr, known: Knowledge, definitions: tuple[Definition, ...]) -> str:
    """The two are equal for every size: by normal form, and by a second opinion."""
    assert normal_form(canonical(form), known) == normal_form(chain, known), unicode(form)
    sizes = second_opinion(chain, canonical(form), definitions)
    return f"proved for every m; agrees modulo a prime at m = {sizes}"
