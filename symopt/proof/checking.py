"""Derivations checked line by line, by numbers that no rule of theirs has to do with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sympy import Eq

from symopt.declaration import Declaration, Layer, Question, Regularizer
from symopt.derivation.api import derivations
from symopt.derivation.drawn import draws
from symopt.derivation.forward import forward
from symopt.derivation.steps import Derivation
from symopt.proof.answering import check_answers
from symopt.proof.comparing import Checked, check, kept
from symopt.proof.premises import Premises
from symopt.proof.worlds import Beside, World, worlds
from symopt.views import canonical


def checked(declared: Declaration) -> tuple[Checked, ...]:
    """All that is derived from a declaration, each line held against numbers.

    Expectations are taken over all that random letters may be, or over a few values that gradients
    take in turns; gradients as central differences.

    >>> from symopt.catalog.lecture.adam import adam
    >>> first, second = checked(adam)
    >>> first.holds, first.unknown
    (True, ())
    """
    return tuple(check_all(declared, derivations(declared)))


def check_all(declared: Declaration, several: Iterable[Derivation]) -> Iterator[Checked]:
    """The same for some derivations from a declaration.

    Answers to a question are held against the equations of what is asked about; what stands in
    words alone, a limit or a bound, is unknown.
    """
    if isinstance(declared, Question):
        yield from check_answers(declared, several)
        return
    layer = declared if isinstance(declared, Layer) else None
    run, drawn = (forward(layer), draws(layer)) if layer else ((), {})
    more = tuple(_stated(declared))
    starts = declared.initial_values
    for one in several:

        def here(granted: Premises, one: Derivation = one) -> tuple[World, ...]:
            beside = Beside(drawn, more, granted.values)
            return worlds(one, starts, run, granted.conditions, beside)

        yield check(one, kept(here))


def _stated(declared: Declaration) -> Iterator[Eq]:
    """What a penalty is, by its declaration."""
    if isinstance(declared, Regularizer):
        for _, one in declared.equations:
            yield Eq(canonical(one.left), canonical(one.right), evaluate=False)
