"""Index sums ⇒ contractions: which entry of the target each product of entries is added to.

An output, a gradient by what is windowed and one by the weights are three readings of one form:
each entry of the target gets the products of all other entries that meet it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sympy import Expr, Indexed, KroneckerDelta, Symbol, expand

from symopt.calculus.terms import Term
from symopt.declaration.outline import Outline
from symopt.derivation.tensor_layer import TensorBackward, TensorGradient
from symopt.errors import LoweringError
from symopt.nodes import Gradient
from symopt.notation import Index, Sequence
from symopt.printing.unicode import unicode
from symopt.program.ir import local
from symopt.program.layout import adjoint_name
from symopt.views import canonical


@dataclass(frozen=True)
class Access:
    """An entry of an array at places counted from 0; ``bounded`` axes may be left by a place."""

    array: str
    places: tuple[Expr, ...]
    lengths: tuple[Expr, ...]
    bounded: tuple[bool, ...]

    @property
    def plain(self) -> bool:
        """Whether each axis has a counter of its own, which runs along all of it."""
        alone = all(isinstance(one, Symbol) for one in self.places)
        return alone and len(set(self.places)) == len(self.places)

    def counters(self, box: Mapping[Symbol, Expr]) -> tuple[Symbol, ...]:
        """The counters that the places depend on, in the order of the box."""
        used = {symbol for place in self.places for symbol in place.free_symbols}
        return tuple(one for one in box if one in used)

    def axes(self, box: Mapping[Symbol, Expr]) -> tuple[Symbol, ...]:
        """The axes as counters; where there are windows, theirs in the order of the box."""
        return self.places if self.plain else self.counters(box)


@dataclass(frozen=True)
class Contraction:
    """``target += number·Π factors`` at each place of a box of counters with their lengths."""

    target: Access
    factors: tuple[Access, ...]
    number: Expr
    box: Mapping[Symbol, Expr]
    note: str

    @property
    def sums(self) -> bool:
        """Whether several places of the box may meet one entry of the target."""
        return not self.target.plain or set(self.target.places) != set(self.box)


@dataclass(frozen=True)
class Counters:
    """A counter for each index, called like it where no other name is."""

    of: Mapping[Index, Symbol]

    def place(self, expr: Expr) -> Expr:
        """A place counted from 0, indices counted from 0 as well."""
        from_zero = {one: counter + 1 for one, counter in self.of.items()}
        return expand(canonical(expr).xreplace(from_zero) - 1)


# names that kernels and functions make from those of arrays and counters
MADE = re.compile(r".*_(row|entry|start|stop|count|windows|products)(_\d+)?_*")


def counters(indices: Iterable[Index], taken: set[str]) -> Counters:
    """Counters with names that nothing else has."""
    found: dict[Index, Symbol] = {}
    for one in indices:
        name = one.spelling.python
        name = f"{name}_at" if MADE.fullmatch(name) else name
        while name in taken:
            name += "_"
        taken.add(name)
        found[one] = local(name)
    return Counters(found)


def all_indices(backward: TensorBackward) -> tuple[Index, ...]:
    """Every index of the output and of the gradients."""
    outline = backward.layer.outline
    several: list[Index] = [*outline.output.indices, *outline.ranges]
    for one in backward.gradients:
        several += one.entry.indices
        several += [bound for term in one.terms for bound, _ in term.sums]
    return tuple(dict.fromkeys(several))


def of_output(backward: TensorBackward, names: Counters) -> tuple[Contraction, ...]:
    """The contractions that make the output."""
    outline = backward.layer.outline
    output = outline.output
    target = Access(
        output.base.spelling.python,
        tuple(names.of[one] for one in output.indices),
        outline.output_shape,
        (False,) * len(output.indices),
    )
    ranges = [(one, outline.ranges[one]) for one in output.indices]
    return tuple(
        _contraction(outline, target, term, ranges, names, outline.id) for term in backward.terms
    )


def of_gradient(outline: Outline, one: TensorGradient, names: Counters) -> tuple[Contraction, ...]:
    """The contractions that make a gradient: a delta says at which places an entry is met."""
    lengths = outline.shapes[one.letter]
    name, padded = adjoint_name(one.letter), _padded(outline, one.letter)
    found = []
    for term in one.terms:
        met: dict[Index, Expr] = {}
        for delta in (factor for factor in term.factors if isinstance(factor, KroneckerDelta)):
            own, place = _own_side(delta, one.entry, met)
            met[own] = place
        places = tuple(names.place(met.get(index, index)) for index in one.entry.indices)
        target = Access(name, places, lengths, _bounded(places, padded))
        ranges = [
            (index, length)
            for index, length in zip(one.entry.indices, lengths, strict=True)
            if index not in met
        ]
        note = f"dL/d{one.letter.spelling.python}"
        found.append(_contraction(outline, target, term, ranges, names, note))
    return tuple(found)


def _own_side(
    delta: KroneckerDelta, entry: Indexed, met: Mapping[Index, Expr]
) -> tuple[Index, Expr]:
    """The index of the entry that a delta ties, and the place that it is tied to."""
    for own, place in (delta.args, delta.args[::-1]):
        if own in entry.indices and own not in met:
            return own, place
    raise LoweringError(
        f"{unicode(entry)} is read at {unicode(delta)}, for which no kernel can be written; let "
        "each place be a sum of multiples of indices"
    )


def _contraction(
    outline: Outline,
    target: Access,
    term: Term,
    ranges: list[tuple[Index, Expr]],
    names: Counters,
    note: str,
) -> Contraction:
    box = {names.of[one]: length for one, length in (*ranges, *term.sums)}
    factors = tuple(
        _access(outline, one, names) for one in term.factors if not isinstance(one, KroneckerDelta)
    )
    return Contraction(target, factors, canonical(term.number), box, note)


def _access(outline: Outline, factor: Expr, names: Counters) -> Access:
    if isinstance(factor, Gradient):
        places = tuple(names.place(one) for one in factor.variable.indices)
        name = adjoint_name(factor.variable)
        return Access(name, places, outline.output_shape, (False,) * len(places))
    places = tuple(names.place(one) for one in factor.indices)
    bounded = _bounded(places, _padded(outline, factor.base))
    return Access(factor.base.spelling.python, places, outline.shapes[factor.base], bounded)


def _padded(outline: Outline, letter: Sequence) -> tuple[bool, ...]:
    """Along which axes there are zeros around an array."""
    return tuple(pair != (0, 0) for pair in outline.margins[letter])


def _bounded(places: tuple[Expr, ...], padded: tuple[bool, ...]) -> tuple[bool, ...]:
    """Which places may lie beyond their axis: those of a window with zeros around."""
    pairs = zip(places, padded, strict=True)
    return tuple(around and not isinstance(place, Symbol) for place, around in pairs)
