"""A declaration with the sizes and hyperparameters that its user has chosen for one place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sympy import sympify

from symopt.errors import UsageError, nearest
from symopt.notation import Hyperparameter
from symopt.printing.unicode import unicode

if TYPE_CHECKING:
    from symopt.declaration.values import Declaration


@dataclass(frozen=True)
class Configured:
    """A declaration and its ``settings`` by Python name: whole sizes, numbers in their ranges."""

    declared: Declaration
    settings: tuple[tuple[str, Any], ...] = ()

    @property
    def chosen(self) -> dict[str, Any]:
        """The settings by name."""
        return dict(self.settings)

    @property
    def distinct(self) -> tuple[object, ...]:
        """All that makes two of them differ."""
        return (self.declared.fingerprint, self.settings)


def configured(declared: Declaration, settings: Mapping[str, Any]) -> Configured:
    """The declaration with these settings, each checked against what it has and their ranges.

    >>> from symopt.catalog.lecture.adam import adam
    >>> configured(adam, {"alpha": 0.01}).settings
    (('alpha', 0.01),)

    Raises
    ------
    UsageError
        For a name that the declaration does not have, or a value outside of its range.
    """
    letters = _letters(declared)
    for name, value in settings.items():
        if name not in letters:
            raise UsageError(f"{declared.name} has no {name} to set; {nearest(name, letters)}")
        _check(declared.name, name, letters[name], value)
    return Configured(declared, tuple(sorted(settings.items())))


def _letters(declared: Declaration) -> dict[str, Hyperparameter | None]:
    """The hyperparameters of a declaration by their Python names, and its sizes."""
    sizes: dict[str, Hyperparameter | None] = dict.fromkeys(declared.own_sizes)
    return {one.spelling.python: one for one in declared.symbols(Hyperparameter)} | sizes


def _check(where: str, name: str, letter: Hyperparameter | None, value: Any) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if letter is None:
        if not whole or value < 1:
            raise UsageError(f"{where} has {name} = {value!r}; a size is a whole number from 1 on")
        return
    number = whole or (isinstance(value, float) and math.isfinite(value))
    if not number or letter.domain.contains(sympify(value)) != True:  # noqa: E712  # symbolic
        raise UsageError(
            f"{where} has {unicode(letter)} = {value!r}, outside of its range {letter.domain}; "
            "choose a value inside"
        )
