"""The backward pass of a tensor layer: reverse mode over its index sum, for arrays of any size."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Expr, Indexed

from symopt.calculus.adjoints import Definition, paths, total
from symopt.calculus.normal_form import normal_form
from symopt.calculus.rules import RULES, WINDOWS, simplified
from symopt.calculus.terms import Term, terms
from symopt.declaration import TensorLayer
from symopt.declaration.outline import Outline, entries
from symopt.derivation.extents import Extents, extents
from symopt.derivation.layer import dL
from symopt.derivation.slopes import second_opinion
from symopt.derivation.steps import Derivation, Line, Reason
from symopt.derivation.tensor_words import in_order, lengths, shown, solving
from symopt.errors import DerivationError
from symopt.notation import Index, Sequence, index, primed
from symopt.printing.unicode import unicode
from symopt.views import canonical


@dataclass(frozen=True)
class TensorGradient:
    """dL/d(entry): ``terms`` as the chain rule gives them, ``form`` with all deltas solved.

    A delta that is left in a term says which places of a window an entry is read at.
    """

    letter: Sequence
    entry: Indexed
    terms: tuple[Term, ...]
    form: Expr


@dataclass(frozen=True)
class TensorBackward:
    """The terms of the output, how far its indices run, and the gradients of all that is read."""

    layer: TensorLayer
    extents: Extents
    terms: tuple[Term, ...]
    gradients: tuple[TensorGradient, ...]
    derivation: Derivation

    @property
    def derivations(self) -> tuple[Derivation, ...]:
        """All that is derived, the shape of the output first."""
        first = self.extents.derivation
        return (self.derivation,) if first is None else (first, self.derivation)


def derive_tensor_layer(layer: TensorLayer) -> TensorBackward:
    """The gradients of a layer by its inputs and by what it learns.

    Each line is checked: by equal normal forms, which holds for all sizes at once, where no delta
    between places of a window is solved; and by differences of Σ dL/dy·y, which is a polynomial in
    each entry, in exact arithmetic at small sizes.

    Raises
    ------
    DerivationError
        If a place may lie beyond an array and the zeros around it, or if the output does not
        depend on an array that it reads.
    """
    reach = extents(layer)
    outline = layer.outline
    pairs = [(one, outline.ranges[one]) for one in outline.output.indices]
    (first, size), *others = pairs
    value = canonical(outline.equation.right)
    definition = Definition(outline.id, outline.output, value, first, size,
                            outline.equation.right, tuple(others))  # fmt: skip
    lines: list[Line] = []
    found = []
    for letter in outline.arrays:
        one, own = _gradient(layer, definition, letter, reach)
        found.append(one)
        lines += own
    title = ("backward pass of ", layer.title)
    derivation = Derivation(layer.name, title, tuple(lines), _assumed(outline))
    written = in_order(outline, terms(outline.equation.right), None)
    return TensorBackward(layer, reach, written, tuple(found), derivation)


def _gradient(
    layer: TensorLayer, definition: Definition, letter: Sequence, reach: Extents
) -> tuple[TensorGradient, list[Line]]:
    outline = layer.outline
    own = _own_indices(outline, letter)
    apart = tuple(primed(primed(one)) for one in own)
    ways = paths(letter[apart], (definition,), {definition.letter: dL(definition.letter)})
    if not ways:
        raise DerivationError(
            f"{outline.id} does not depend on {unicode(letter)}, as all that holds it cancels; "
            f"leave {unicode(letter)} out"
        )
    chain = total(ways)
    entry, names = letter[own], dict(zip(apart, own, strict=True))
    by_chain = in_order(outline, _with_own(terms(chain), names), letter)
    form = shown(by_chain, outline)
    back = dict(zip(own, apart, strict=True))
    assert normal_form(canonical(form).xreplace(back)) == normal_form(chain), unicode(form)
    proof = ("proved for every ", *lengths(outline))
    lines = [Line(dL(entry), form, f"through {outline.id}", proof)]
    solved = simplified(chain, (*RULES, *WINDOWS))
    if solved != chain:
        by_place = in_order(outline, _with_own(terms(solved), names), letter)
        form = shown(by_place, outline)
        lines.append(Line(dL(entry), form, solving(by_chain, by_place, outline)))
    opinion = second_opinion(layer, entry, form, reach.last)
    checks = (*lines[-1].check, "; ", opinion) if len(lines) == 1 else (opinion,)
    lines[-1] = replace(lines[-1], check=checks)
    return TensorGradient(letter, entry, by_chain, form), lines


def _own_indices(outline: Outline, letter: Sequence) -> tuple[Index, ...]:
    """The letters for the places of an array: those that stand alone in its axes, or u for U."""
    lengths = outline.shapes[letter]
    taken = {str(one) for one in outline.ranges}
    found: list[Index] = []
    for axis, length in enumerate(lengths):
        alone = [
            entry.indices[axis]
            for entry in entries(outline.equation.right)
            if entry.base == letter and isinstance(entry.indices[axis], Index)
        ]
        fitting = [one for one in alone if one not in found]
        if fitting:
            found.append(fitting[0])
            continue
        word = str(length).lower() if length.is_Symbol else "h"
        tries = (word, *(f"{word}_{k}" for k in range(1, len(taken) + 2)))
        name = next(one for one in tries if one not in taken)
        taken.add(name)
        found.append(index(name))
    return tuple(found)


def _with_own(found: tuple[Term, ...], names: dict[Index, Index]) -> tuple[Term, ...]:
    """Terms with an array's own letters for its places, bound indices of that name moved away."""
    own = set(names.values())
    return tuple(
        one.renamed({**{bound: primed(bound) for bound, _ in one.sums if bound in own}, **names})
        for one in found
    )


def _assumed(outline: Outline) -> tuple[Reason, ...]:
    return tuple(
        (letter, " is 0 where a place lies beyond its axis")
        for letter in outline.arrays
        if any(pair != (0, 0) for pair in outline.margins[letter])
    )
