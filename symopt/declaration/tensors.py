"""Whether a tensor layer is well formed, said in one sentence where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sympy import Add, Basic, Expr, Indexed, Integer, Mul, Pow

from symopt.declaration.outline import Outline, entries, outline
from symopt.declaration.statements import Default, Equation, Shape
from symopt.errors import DeclarationError
from symopt.nodes import Normal, Sigma
from symopt.notation import Count, Hyperparameter, Index, Sequence
from symopt.printing.unicode import unicode
from symopt.views import canonical

if TYPE_CHECKING:
    from symopt.declaration.values import TensorLayer


def check_tensor_layer(layer: TensorLayer) -> None:
    """Nothing, when the output is a sum of products of arrays whose shapes are all told.

    Raises
    ------
    DeclarationError
        Names the equation, the letter, the index or the axis that is at fault.
    """
    for statement in layer.statements:
        if not isinstance(statement.meant.content, Equation | Shape | Default):
            raise DeclarationError(
                f"{layer.id_of(statement.key)} states what {layer.a_kind} has no use for; write "
                "equations, shapes and defaults"
            )
    if len(layer.equations) > 1:
        raise DeclarationError(
            f"{layer.name} has {len(layer.equations)} equations; a tensor layer is one, of its "
            "output; declare several layers, one after the other"
        )
    for id, one in layer.equations:
        _check_output(id, one.left)
        _check_products(id, one.right, frozenset(one.left.indices))
        for entry in entries(one.right):
            _check_entry(id, entry, one.left)
    found = outline(layer)
    if not found.inputs:
        raise DeclarationError(
            f"{layer.name} reads no input; declare one with given('x') and let its equation read it"
        )
    _check_shapes(layer, found)
    _check_lengths(layer, found)
    _check_starts(layer, found)


def _check_output(id: str, left: Basic) -> None:
    plain = isinstance(left, Indexed) and all(isinstance(one, Index) for one in left.indices)
    if not plain or len(set(left.indices)) < len(left.indices):
        raise DeclarationError(
            f"{id} has {unicode(left)} on its left side; write the output with an index of its own "
            "for each axis, such as y[n, k]"
        )
    if left.base.role != "computed":
        raise DeclarationError(
            f"{id} defines {unicode(left.base)}, which is {left.base.role}; make the output with "
            "sequence('y')"
        )


def _check_products(id: str, expr: Basic, bound: frozenset[Basic]) -> None:
    """That an expression is made of entries by sums, products and whole powers alone."""
    if isinstance(expr, Sigma):
        if expr.index in bound:
            raise DeclarationError(
                f"{id} sums over {unicode(expr.index)}, which has a meaning outside of the sum "
                "already; take another letter for it"
            )
        _check_products(id, expr.body, bound | {expr.index})
        return
    if isinstance(expr, Indexed):
        for symbol in sorted(expr.atoms(Index) - bound, key=str):
            raise DeclarationError(
                f"{id} reads {unicode(expr)}, but no sum binds {unicode(symbol)}; write "
                f"Sigma(…, ({unicode(symbol)}, 1, …)) around it, or let the output have it"
            )
        return
    if not expr.has(Indexed):
        _check_number(id, expr)
        return
    power = isinstance(expr, Pow) and isinstance(expr.args[1], Integer) and expr.args[1] > 0
    if not isinstance(expr, Add | Mul) and not power:
        raise DeclarationError(
            f"{id} holds {unicode(expr)}, which is no sum of products of arrays; let this layer "
            "end before it, and a layer of elements do the rest"
        )
    for part in expr.args:
        _check_products(id, part, bound)


def _check_number(id: str, expr: Basic) -> None:
    """That a factor without arrays is a number of hyperparameters and counts."""
    for part in expr.atoms():
        if part.is_Float:
            raise DeclarationError(
                f"{id} holds {unicode(part)}, which is not exact; write Rational(1, 2) or a "
                "hyperparameter"
            )
        if isinstance(part, Index):
            raise DeclarationError(
                f"{id} multiplies by {unicode(expr)}, which depends on the place; let an array "
                "hold such numbers"
            )


def _check_entry(id: str, entry: Indexed, output: Indexed) -> None:
    if entry.base == output.base:
        raise DeclarationError(
            f"{id} reads its own output {unicode(entry)}; let it read inputs and what is learned"
        )
    if not isinstance(entry.base, Sequence) or entry.base.role == "computed":
        raise DeclarationError(
            f"{id} reads {unicode(entry)}, which no equation defines; declare {unicode(entry.base)}"
            " with given(…) or learned(…)"
        )
    for place in entry.indices:
        known = all(isinstance(one, Index | Count | Hyperparameter | Integer)
                    for one in canonical(place).atoms())  # fmt: skip
        if not known or not canonical(place).is_integer:
            raise DeclarationError(
                f"{id} reads {unicode(entry)} at {unicode(place)}, which is no whole number made "
                "of indices, counts and hyperparameters; write one such as 2*p + i"
            )


def _check_shapes(layer: TensorLayer, found: Outline) -> None:
    known = {**found.shapes, found.output.base: found.output_shape}
    for statement in layer.statements:
        content = statement.content
        if not isinstance(content, Shape):
            continue
        id, letter = layer.id_of(statement.key), unicode(content.letter)
        if content.letter not in known:
            raise DeclarationError(f"{id} gives the shape of {letter}, which nothing reads")
        if content.letter == found.output.base and set(content.margins) != {(0, 0)}:
            raise DeclarationError(f"{id} has zeros around the output; only what is read has them")
        if len(content.lengths) != len(known[content.letter]):
            raise DeclarationError(
                f"{id} gives {letter} {len(content.lengths)} axes, but it is written with "
                f"{len(known[content.letter])} indices; let the two agree"
            )
        if content.lengths != known[content.letter]:
            shown = ", ".join(map(unicode, known[content.letter]))
            raise DeclarationError(f"{id} gives {letter} other lengths than its indices: {shown}")
    for entry in entries(found.equation.right):
        lengths = found.shapes[entry.base]
        if len(entry.indices) != len(lengths):
            raise DeclarationError(
                f"{found.id} reads {unicode(entry)}, but {unicode(entry.base)} has "
                f"{len(lengths)} axes; write as many indices"
            )
        for axis, (place, length) in enumerate(zip(entry.indices, lengths, strict=True)):
            if isinstance(place, Index) and found.ranges[place] != length:
                raise DeclarationError(
                    f"{found.id} reads {unicode(entry)}, where {unicode(place)} runs to "
                    f"{unicode(found.ranges[place])}, but axis {axis} of {unicode(entry.base)} has "
                    f"the length {unicode(length)}; let the two agree"
                )


def _check_lengths(layer: TensorLayer, found: Outline) -> None:
    """That every count can be read off an array that is passed in."""
    told = {one for lengths in found.shapes.values() for one in lengths}
    told |= {found.ranges[one] for one in found.sought}
    margins = {one for several in found.margins.values() for pair in several for one in pair}
    used = {*found.ranges.values(), *margins, found.equation.right}
    counts = {symbol for one in used for symbol in one.atoms(Count)}
    for one in sorted(counts - told, key=str):
        raise DeclarationError(
            f"{found.id} needs {unicode(one)}, which is the length of no axis of an array that "
            f"{layer.name} reads; make it a hyperparameter in Naturals"
        )


def _check_starts(layer: TensorLayer, found: Outline) -> None:
    sizes = {one for letter in found.learned for one in found.shapes[letter]}
    for letter, start in layer.initial:
        if letter not in found.learned:
            raise DeclarationError(
                f"{layer.name} starts {letter} from {unicode(start)}; give a start to what is "
                "learned, such as initial={b: 0}"
            )
        number: Expr = start.deviation if isinstance(start, Normal) else start
        for symbol in sorted(number.free_symbols - sizes, key=str):
            if isinstance(symbol, Hyperparameter) and symbol in layer.hyperparameters:
                continue
            raise DeclarationError(
                f"{layer.name} starts {unicode(letter)} from {unicode(start)}, but "
                f"{unicode(symbol)} is no length of what is learned; use those and hyperparameters"
            )
        if number.is_real is False or (isinstance(start, Normal) and start.mean != 0):
            raise DeclarationError(
                f"{layer.name} starts {unicode(letter)} from {unicode(start)}, which is no number "
                "to start from; write a real number, or normal(…) with a deviation from 0 on"
            )
