"""Comparisons met exactly where their two sides are equal: there < differs from ≤.

Which number to observe next for that, or which hyperparameter to have had, is found from the
difference of the two sides: exactly where that is a straight line.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from sympy import Basic, Expr, S
from sympy.core.relational import Relational

from symopt.notation import Hyperparameter
from symopt.verification.anatomy import Anatomy
from symopt.verification.cases import admits
from symopt.verification.definitions import Definition
from symopt.verification.quantity import Quantity
from symopt.verification.truth import order
from symopt.verification.watch import Values, Watch
from symopt.views import occurrences, substitute

_CORRECTIONS = 3


@dataclass(frozen=True)
class Comparison:
    """A comparison in an equation."""

    where: Definition
    relation: Basic

    @cached_property
    def answered(self) -> tuple[Expr, Expr]:
        """The equation's right side if the comparison holds, and if not."""
        right = self.where.right
        held, failed = (substitute(right, {self.relation: x}) for x in (S.true, S.false))
        return held, failed

    def matters(self, watch: Watch) -> bool:
        """Whether the equation has another value if it holds than if not, all else as it is."""
        held, failed = (watch.read(one, watch.place()) for one in self.answered)
        return not (held.bounded and failed.bounded) or held.value != failed.value

    def sides(self, watch: Watch) -> tuple[Quantity, Quantity]:
        """What is compared, at the present observation."""
        left, right = (watch.read(side, watch.place()) for side in self.relation.args)
        return left, right


class Ties:
    """All comparisons of a monitor: how often each was met exactly, and how often it was open."""

    def __init__(self, taken: Anatomy) -> None:
        self.comparisons = tuple(
            Comparison(one, relation)
            for one in taken.definitions.values()
            for relation in dict.fromkeys(occurrences(one.right, Relational))
        )
        self.hyperparameters = taken.hyperparameters
        self.met: Counter[Comparison] = Counter()
        self.open = 0

    @property
    def unmet(self) -> tuple[Comparison, ...]:
        """The comparisons that were never met exactly where it matters."""
        return tuple(one for one in self.comparisons if not self.met[one])

    @property
    def words(self) -> str:
        """What was met, for a verdict."""
        found = f"{self.met.total()} times a comparison was met exactly where its sides are equal"
        never = list(dict.fromkeys(one.where.id for one in self.unmet))
        if never:
            found += f", but not each one of {', '.join(never)}"
        if self.open:
            found += f"; {self.open} times rounding may decide one, and either way was accepted"
        return found if self.comparisons else ""

    def count(self, watch: Watch) -> None:
        """Take note of the present observation."""
        for one in self.comparisons:
            found = order(watch.ops, *one.sides(watch))
            if found is None:
                self.open += 1
            elif found == 0 and one.matters(watch):
                self.met[one] += 1

    def observed(self, name: str, values: Values, watch: Watch) -> list[float]:
        """Numbers that, observed next under this name, make two sides of a comparison equal."""
        watch.begin(values)
        found = [
            _root(one, watch, lambda x: watch.supposing({**values, name: x}))
            for one in self.comparisons
        ]
        watch.undo()
        return [one for one in found if one is not None]

    def chosen(self, values: Values, watch: Watch) -> Iterator[tuple[Hyperparameter, float]]:
        """Hyperparameters that would make this, observed next, meet a comparison never met."""
        watch.begin(values)
        found = list(self._chosen(watch))
        watch.undo()
        return iter(found)

    def _chosen(self, watch: Watch) -> Iterator[tuple[Hyperparameter, float]]:
        for one in self.unmet:
            if one.matters(watch):
                for parameter in self.hyperparameters:
                    found = _root(one, watch, partial(watch.choosing, parameter))
                    if found is not None and admits(parameter.domain, found):
                        yield parameter, found


def _root(
    one: Comparison, watch: Watch, being: Callable[[float], AbstractContextManager[None]]
) -> float | None:
    """Where the sides of a comparison meet as a number varies, by corrected secants."""

    def gap(x: float) -> Any:
        with being(x):
            left, right = one.sides(watch)
        plain = left.bounded and right.bounded and not (left.infinite or right.infinite)
        return left.value - right.value if plain else None

    before, here = 0.0, 1.0
    first, last = gap(before), gap(here)
    for _ in range(_CORRECTIONS):
        if first is None or last is None or first == last:
            return None
        before, here = here, float(here - last * (here - before) / (last - first))
        if not math.isfinite(here):
            return None
        first, last = last, gap(here)
        if last == 0:
            return here
    return here
