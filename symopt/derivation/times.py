"""Which step an entry belongs to: ``v[t - 1]`` lies one step before ``v[t]``."""

from __future__ import annotations

from sympy import Add, Basic, Expr, Indexed, Integer

from symopt.errors import DerivationError
from symopt.nodes import Gradient, Sigma
from symopt.notation import Index, Sequence
from symopt.printing.unicode import unicode
from symopt.symbols import t as default_step
from symopt.views import canonical, occurrences, rewrite


def step_index(*exprs: Basic) -> Index:
    """The index that counts steps in these expressions; ``t`` when none does."""
    for expr in exprs:
        for one in sorted(expr.atoms(Index), key=str):
            if one.counts == "step":
                return one
    return default_step


def without_components(expr: Basic) -> Basic:
    """Entries that name a component ⇒ entries that stand for all: ``v[t, i]`` ⇒ ``v[t]``.

    A rule that is stated for the component i holds for each of them alike.
    """

    def change(node: Basic) -> Basic | None:
        if not isinstance(node, Indexed):
            return None
        kept = [one for one in node.indices if getattr(one, "counts", "") != "component"]
        return node.base[tuple(kept)] if 0 < len(kept) < len(node.indices) else node

    return rewrite(expr, change)


def check_components(where: str, left: Expr, right: Basic, step: Index) -> None:
    """Nothing, when an equation for one component reads that component alone.

    Raises
    ------
    DerivationError
        For a component that is shifted or another than the left side's, or an index that is used
        as a number.
    """
    own = left.indices[1:]
    for entry in (left, *entries(right)):
        others = entry.indices[1:]
        plain = all(getattr(one, "counts", "") == "component" for one in others)
        if others and (others != own or not plain):
            raise DerivationError(
                f"{where} reads {unicode(entry)}, but holds for each component by itself; write "
                f"{unicode(entry.base)}[{', '.join(map(unicode, (entry.indices[0], *own)))}]"
            )
    loose = _loose_indices(right, step)
    if loose:
        raise DerivationError(
            f"{where} uses the index {unicode(loose[0])} as a number, which only the step "
            f"{unicode(step)} may be; make it a hyperparameter"
        )


def _loose_indices(expr: Basic, step: Index, bound: tuple[Index, ...] = ()) -> tuple[Index, ...]:
    """Indices that are computed with; those of a sum over the past are steps themselves."""
    if isinstance(expr, Indexed | Gradient):
        return ()
    if isinstance(expr, Sigma):
        past = expr.index.counts == "bound"
        return _loose_indices(expr.body, step, (*bound, expr.index) if past else bound)
    if isinstance(expr, Index):
        return () if expr == step or expr in bound else (expr,)
    return tuple(one for part in expr.args for one in _loose_indices(part, step, bound))


def offset(where: str, entry: Indexed, step: Index) -> int:
    """How many steps after ``step`` the entry lies: 0 for ``v[t]``, -1 for ``v[t - 1]``.

    Raises
    ------
    DerivationError
        If the first index is not the step shifted by an integer.
    """
    shift = canonical(entry.indices[0] - step)
    if not isinstance(shift, Integer):
        letter, name = unicode(entry.base), unicode(step)
        raise DerivationError(
            f"{where} reads {unicode(entry)}, whose step is not {name} shifted by a whole number; "
            f"write {letter}[{name}] or {letter}[{name} - 1]"
        )
    return int(shift)


def entries(expr: Basic) -> tuple[Indexed, ...]:
    """The entries of sequences in an expression, in the order in which they are written."""
    found = occurrences(expr, Indexed)
    return tuple(one for one in found if isinstance(one.base, Sequence))


def at(base: Sequence, step: Index, shift: int = 0) -> Expr:
    """The entry of a sequence at a step: ``v[t]``, or ``v[t - 1]`` with the shift -1."""
    if shift == 0:
        return base[step]
    return base[Add(step, Integer(shift), evaluate=False)]
