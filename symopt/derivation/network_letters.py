"""A layer's letters at its place in a network: h⁽¹⁾ goes in, h⁽²⁾ comes out, γ⁽²⁾ is its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sympy import Basic, Expr, Indexed, Symbol

from symopt.declaration import Declaration, Layer, Loss, TensorLayer
from symopt.derivation.forward import forward
from symopt.errors import UsageError
from symopt.notation import (
    Count,
    Hyperparameter,
    Index,
    Label,
    Parameter,
    Sequence,
    Statistic,
    Unknown,
    given,
)
from symopt.views import occurrences, rewrite

Letters = Mapping[Basic, Basic]


def signal(several: Iterable[Declaration]) -> Sequence:
    """The letter for what goes from layer to layer: one that none of the layers has."""
    taken = {base.spelling.python for one in several for base in _bases(one)}
    return given(next(word for word in _SIGNALS if word not in taken))


_SIGNALS = ("h", "a", "s", "r", *(f"h_{k}" for k in range(100)))


def _bases(declared: Declaration) -> tuple[Any, ...]:
    """The letters of a layer, each once, in the order of their first use."""
    symbols = declared.symbols(Indexed, Hyperparameter, Parameter, Statistic, Unknown)
    bases = (one.base if isinstance(one, Indexed) else one for one in symbols)
    return tuple(dict.fromkeys(bases))


AnyLayer = Layer | TensorLayer


def numbered(letter: Any, place: int) -> Any:
    """A letter with the number of a layer."""
    if isinstance(letter, Sequence):
        label = letter.args[0]
        return Sequence(type(label)(label.spelling.numbered(place), label.facts, real=True))
    spelling = letter.spelling.numbered(place)
    return type(letter)(spelling, letter.facts, **letter._assumptions_orig)


def letters_at(declared: AnyLayer, place: int, between: Sequence) -> Letters:
    """New letters for those of the layer at a place that counts from 1.

    Its input is what the layer before gives and its output what it gives itself, under the letter
    ``between``; all others get its number, lengths of arrays among them. Indices, labels and the
    number of examples stay.
    """
    found: dict[Basic, Basic] = {one: numbered(one, place) for one in _bases(declared)}
    found |= {one: numbered(one, place) for one in _lengths(declared)}
    for one in declared.symbols(Indexed):  # a stride stands in an index
        inner = (letter for part in one.indices for letter in occurrences(part, Hyperparameter))
        found |= {letter: numbered(letter, place) for letter in inner}
    entry, exit_ = ends(declared)
    found[entry] = numbered(between, place - 1) if place > 1 else given("x")
    if exit_ is not None:
        found[exit_] = numbered(between, place)
    return found


def _lengths(declared: AnyLayer) -> tuple[Basic, ...]:
    """The lengths that a layer has for itself; how many examples there are is said once."""
    if isinstance(declared, Layer):
        return declared.symbols(Count)
    outline = declared.outline
    several = (*outline.shapes.values(), outline.output_shape)
    examples = outline.ranges[outline.batch] if outline.batch is not None else None
    found = (one for shape in several for one in shape if isinstance(one, Count))
    return tuple(dict.fromkeys(one for one in found if one != examples))


def compared(declared: Loss) -> tuple[str, str]:
    """The Python names of a loss's two letters: the output of a network, and what it is held to.

    The latter are labels, or a given letter called ``target``.

    Raises
    ------
    UsageError
        If the letters do not say which is which.
    """
    given_ones = [one.base for one in declared.symbols(Indexed) if one.base.role == "given"]
    names = list(dict.fromkeys(one.spelling.python for one in given_ones))
    labels = [one.spelling.python for one in declared.symbols(Label)]
    targets = labels or [one for one in names if one == _TARGET]
    outputs = [one for one in names if one not in targets]
    if len(targets) != 1 or len(outputs) != 1:
        raise UsageError(
            f"{declared.name} reads {', '.join([*names, *labels])} from outside; in a network a "
            f"loss reads its output and either labels or a letter given('{_TARGET}')"
        )
    return outputs[0], targets[0]


_TARGET = "target"


def ends(declared: AnyLayer) -> tuple[Basic, Basic | None]:
    """The letter that goes in, the one that is given, and the one that comes out of a layer."""
    if isinstance(declared, TensorLayer):
        return declared.outline.inputs[0], declared.outline.output.base
    read = [one.base for one in declared.symbols(Indexed) if one.base.role == "given"]
    if isinstance(declared, Loss):
        output, _ = compared(declared)
        return next(one for one in read if one.spelling.python == output), None
    last = forward(declared)[-1].letter
    return read[0], last.base if isinstance(last, Indexed) else None


def relettered(expr: Expr, letters: Letters) -> Expr:
    """An expression as written, in other letters."""

    def change(node: Basic) -> Basic | None:
        if isinstance(node, Indexed) and isinstance(node.base, Sequence):
            base = letters.get(node.base, node.base)
            return base[tuple(rewrite(one, change) for one in node.indices)]
        if isinstance(node, Symbol) and not isinstance(node, Index | Label):
            return letters.get(node)
        return None

    return rewrite(expr, change)
