"""What ``--with`` means: a penalty by name, and declarations with it put in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from symopt.cli.library import find
from symopt.errors import UsageError

if TYPE_CHECKING:
    from symopt.declaration import Declaration, Regularizer, UpdateRule


def penalty(name: str) -> Regularizer:
    """The regularizer of this name, or the one that a file holds.

    Raises
    ------
    UsageError
        If the name stands for something else, or the file does not hold just one.
    """
    from symopt.declaration import Regularizer

    declared = find([name])
    found = [one for one in declared if isinstance(one, Regularizer)]
    if len(found) == 1:
        return found[0]
    if len(declared) == 1:
        (one,) = declared
        raise UsageError(f"{one.name} is {one.a_kind}, but --with takes a regularizer such as l2")
    names = f"{len(found)} regularizers ({', '.join(one.name for one in found)})"
    raise UsageError(
        f"{name} declares {names if found else 'no regularizer'}, but --with takes one; give it a "
        "file with a single one in it"
    )


def beside(names: Sequence[str], regularizer: Regularizer | None) -> tuple[Declaration, ...]:
    """The declarations of these names, all of the catalogue for none; not the penalty itself.

    Raises
    ------
    UsageError
        If there is a penalty, and nothing is named that it could be put into.
    """
    if regularizer is None:
        return find(names)
    found = tuple(one for one in find(names) if one != regularizer) if names else ()
    if not found:
        raise UsageError(
            f"--with {regularizer.name} is given nothing to put the penalty into; name an update "
            "rule such as sgd"
        )
    return found


def with_penalty(names: Sequence[str], name: str | None) -> tuple[Declaration, ...]:
    """The declarations of these names, with the penalty of another put into each, if it is given.

    Raises
    ------
    UsageError
        If a penalty is to be put into what is no update rule.
    """
    regularizer = penalty(name) if name else None
    found = beside(names, regularizer)
    return found if regularizer is None else tuple(_put_into(one, regularizer) for one in found)


def _put_into(one: Declaration, regularizer: Regularizer) -> UpdateRule:
    from symopt.declaration import UpdateRule
    from symopt.derivation.penalized import penalized

    if not isinstance(one, UpdateRule):
        raise UsageError(
            f"{one.name} is {one.a_kind}, but --with puts a penalty into an update rule; "
            f"leave out --with {regularizer.name}, or name a rule such as sgd"
        )
    return penalized(one, regularizer)
