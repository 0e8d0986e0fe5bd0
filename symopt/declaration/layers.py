"""What is particular to layers: parameters that differ within a group, and whether all is bound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from sympy import Basic, Expr, Indexed

from symopt.declaration.statements import (
    Content,
    Debias,
    Equation,
    Holds,
    Inference,
    Slip,
    Statement,
    Unbias,
)
from symopt.errors import DeclarationError
from symopt.nodes import Largest, Sigma
from symopt.notation import Count, Index, Parameter, Sequence, Statistic, each
from symopt.printing.unicode import unicode
from symopt.views import canonical, occurrences, rewrite

if TYPE_CHECKING:
    from symopt.declaration.values import Layer


def element_wise(layer: Layer) -> tuple[Statement, ...]:
    """The statements, γ ⇒ γ_i where the axes make parameters differ within a group.

    Raises
    ------
    DeclarationError
        If a statistic reads such a parameter outside of a sum.
    """
    if not layer.axes.varied:
        return layer.statements
    return tuple(
        replace(one, content=_element_wise(layer.id_of(one.key), one.content))
        for one in layer.statements
    )


def _element_wise(where: str, content: Content) -> Content:
    match content:
        case Equation():
            return _equation(where, content)
        case Inference(shown) | Holds(shown):
            return replace(content, shown=_equation(where, shown))
        case Slip(shown, meant):
            return replace(content, shown=_equation(where, shown), meant=_equation(where, meant))
        case Unbias(_, Equation(left, right) as shown):
            entries = occurrences(left, Indexed)
            place = entries[0].indices[0] if entries else None
            sides = [_entries(where, side, place) for side in (left, right)]
            return replace(content, shown=replace(shown, left=sides[0], right=sides[1]))
    return content


def _equation(where: str, one: Equation) -> Equation:
    left = one.left
    own = left.indices[0] if isinstance(left, Indexed) and left.indices else None
    return replace(one, right=_entries(where, one.right, own))


def _entries(where: str, expr: Basic, own: Expr | None) -> Basic:
    def change(node: Basic) -> Basic | None:
        if isinstance(node, Sigma | Largest):
            return type(node)(_entries(where, node.body, node.index), node.args[1])
        if not isinstance(node, Parameter):
            return None
        if own is None:
            raise DeclarationError(
                f"{where} reads {unicode(node)}, which differs from element to element, outside "
                "of a sum; sum over the elements, or average over axes along which it is the same"
            )
        return each(node)[own]

    return rewrite(expr, change)


def check_layer(layer: Layer) -> None:
    """Nothing, when every index is bound, every letter is known, and the axes allow it all.

    Raises
    ------
    DeclarationError
        Names the equation, the letter and the axis that are at fault.
    """
    known: set[Basic] = set()
    averages: set[Basic] = set()
    groups: set[Expr] = set()
    for id, one in layer.equations:
        left, right = one.left, one.right
        own = _own_index(id, left)
        groups |= _sizes(id, right)
        _check_bound(id, right, {own} if own is not None else set())
        running = isinstance(left, Statistic) and canonical(right).has(left)
        if running:
            _check_running(layer, id, left)
        _check_running_read(layer, id, right, averages)
        _check_known(id, right, known | ({left} if running else set()))
        known.add(left.base if isinstance(left, Indexed) else left)
        averages |= {left} if running else set()
        if not layer.axes.varied and _learned(right):
            raise DeclarationError(
                f"{id} reads {unicode(_learned(right)[0])}, but the parameters of {layer.name} "
                f"are the same within a group; write {unicode(_learned(right)[0].base)} alone"
            )
    if len(groups) > 1:
        sizes = " and ".join(sorted(unicode(one) for one in groups))
        raise DeclarationError(
            f"{layer.name} sums to {sizes}; the elements of one group have one number, write one"
        )
    for statement in layer.statements:
        _check_later(layer, statement, known)


def _own_index(id: str, left: Expr) -> Index | None:
    if not isinstance(left, Indexed):
        return None
    if len(left.indices) != 1 or not isinstance(left.indices[0], Index):
        raise DeclarationError(
            f"{id} defines {unicode(left)}; the elements of a group have one index, write "
            f"{unicode(left.base)}[i] with an index such as symopt.symbols.example"
        )
    return left.indices[0]


def _sizes(id: str, right: Expr) -> set[Expr]:
    found = set()
    for total in (*_at_any_depth(right, Sigma), *_at_any_depth(right, Largest)):
        if total.bounds is None or total.bounds[0] != 1 or not isinstance(total.bounds[1], Count):
            raise DeclarationError(
                f"{id} has the sum {unicode(total)}, which does not run over the elements of a "
                "group; write Sigma(…, (i, 1, m)) with a count m"
            )
        found.add(total.bounds[1])
    return found


def _at_any_depth(expr: Basic, kind: type[Basic]) -> Iterator[Basic]:
    """Parts of this kind at any depth, those within others of the kind too."""
    for one in occurrences(expr, kind):
        yield one
        for part in one.args:
            yield from _at_any_depth(part, kind)


def _check_bound(id: str, expr: Basic, bound: set[Index]) -> None:
    if isinstance(expr, Sigma | Largest):
        _check_bound(id, expr.body, {*bound, expr.index})
        return
    if isinstance(expr, Indexed):
        for one in expr.indices:
            if one not in bound:
                raise DeclarationError(
                    f"{id} reads {unicode(expr)}, but no sum binds {unicode(one)}; write "
                    f"Sigma(…, ({unicode(one)}, 1, m)) around it, or the index of the left side"
                )
        if len(expr.indices) != 1:
            raise DeclarationError(
                f"{id} reads {unicode(expr)}; the elements of a group have one index, write one"
            )
        return
    for part in expr.args:
        _check_bound(id, part, bound)


def _check_running(layer: Layer, id: str, left: Expr) -> None:
    if "N" in layer.axes.kept or "R" in layer.axes.kept:
        raise DeclarationError(
            f"{id} keeps a running average of a statistic that each example has for itself, as "
            f"{layer.name} does not average over N; leave {unicode(left)} out, or average over N"
        )


def _check_running_read(layer: Layer, id: str, right: Expr, averages: set[Basic]) -> None:
    for one in occurrences(right, Statistic):
        if one in averages:
            raise DeclarationError(
                f"{id} reads the running average {unicode(one)}, which follows a batch and is read "
                f"at inference; let training of {layer.name} read the batch's own statistic, or "
                "write inference(…)"
            )


def _check_known(id: str, right: Expr, known: set[Basic]) -> None:
    for one in sorted(right.atoms(Statistic), key=str):
        if one not in known:
            raise DeclarationError(
                f"{id} reads {unicode(one)}, which no equation before it defines; write the "
                f"equation of {unicode(one)} first"
            )
    for base in (entry.base for entry in occurrences(right, Indexed)):
        if isinstance(base, Sequence) and base.role == "computed" and base not in known:
            raise DeclarationError(
                f"{id} reads {unicode(base)}, which no equation before it defines; write the "
                f"equation of {unicode(base)} first, or declare it with given(…)"
            )


def _check_later(layer: Layer, statement: Statement, known: set[Basic]) -> None:
    """What holds beside the equations: at inference, of running averages, as known facts."""
    id, content = layer.id_of(statement.key), statement.content
    match content:
        case Inference(Equation(left, right)):
            own = _own_index(id, left)
            target = left.base if isinstance(left, Indexed) else left
            if target not in known:
                raise DeclarationError(
                    f"{id} replaces the equation of {unicode(target)}, which there is none of; "
                    "let it define a letter that training defines"
                )
            _check_bound(id, right, {own} if own is not None else set())
        case Holds(Equation(left, right)):
            _sizes(id, left - right)
            _check_bound(id, left, set())
            _check_bound(id, right, set())
        case Unbias(_, Equation(left, right)):
            own_indices = {one for entry in occurrences(left, Indexed) for one in entry.indices}
            _sizes(id, left - right)
            _check_bound(id, left, own_indices)
            _check_bound(id, right, own_indices)
            _check_known(id, left - right, known)
        case Debias(letters):
            for one in letters:
                if not isinstance(one, Statistic) or one not in known:
                    raise DeclarationError(
                        f"{id} corrects {unicode(one)}, which is no running average of "
                        f"{layer.name}; write one that an equation updates from its own past"
                    )


def _learned(expr: Expr) -> list[Indexed]:
    found = occurrences(expr, Indexed)
    return [one for one in found if getattr(one.base, "role", "") == "learned"]
