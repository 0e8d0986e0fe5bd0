"""What is gathered on the way to a normal form: rules used, what must not be 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from sympy import Basic, Expr, Symbol

from symopt.proof.facts import Facts
from symopt.proof.letters import parts
from symopt.proof.polynomial import Letter, Polynomial


class Split(Exception):
    """The sign of a polynomial must be known to go on."""

    def __init__(self, of: Polynomial) -> None:
        super().__init__(of.text)
        self.of = of


class Vanishes(Exception):
    """A divisor is 0, so that there is no value."""


@dataclass(frozen=True)
class Step:
    """One use of a rule: what stood there, what took its place, what must not be 0 for that."""

    rule: str
    before: Basic
    after: Basic
    nonzero: tuple[Expr, ...] = ()


@dataclass
class Work:
    """The facts that hold, and what has been noted so far.

    ``divisors`` are those of the statement itself; ``introduced`` are asked for by rules alone.
    ``bound`` are the indices of the sums around the present place.
    """

    facts: Facts
    of: Callable[[Basic, Work], Polynomial]
    steps: list[Step] = field(default_factory=list)
    divisors: dict[Polynomial, None] = field(default_factory=dict)
    introduced: dict[Polynomial, None] = field(default_factory=dict)
    bound: frozenset[Symbol] = frozenset()
    names: count[int] = field(default_factory=count)

    def normal(self, expr: Basic) -> Polynomial:
        """The normal form of a part."""
        return self.of(expr, self)

    def within(self, index: Symbol, room: Polynomial) -> Work:
        """The same inside of a sum with ``room`` ≥ 0 up to its end; notes are shared."""
        facts = self.facts.and_also(room, frozenset((0, 1)))
        inner = Work(facts, self.of, self.steps, self.divisors, self.introduced)
        inner.bound, inner.names = self.bound | {index}, self.names
        return inner

    def note(self, rule: str, before: Basic, after: Polynomial, *nonzero: Polynomial) -> Polynomial:
        """What a rule gives, once its use is noted."""
        if before != after.expr and not self.bound:
            step = Step(rule, before, after.expr, tuple(one.expr for one in nonzero))
            if step not in self.steps:
                self.steps.append(step)
        return after

    def divides(self, one: Polynomial) -> None:
        """A divisor of the statement: what is not known to differ from 0 is a side condition."""
        self._differ_from_0(one, self.divisors)

    def needs(self, one: Polynomial) -> None:
        """The same for a rule's own sake."""
        self._differ_from_0(one, self.introduced)

    def _differ_from_0(self, one: Polynomial, noted: dict[Polynomial, None]) -> None:
        if self.facts.nonzero(one):
            return
        _, factors = parts(one)
        for factor, e in factors:
            if e > 0 and not self.facts.nonzero(factor):
                noted[factor] = None

    def here(self, one: Polynomial) -> bool:
        """Whether a polynomial holds no index of a sum around it."""
        return not any(depends(letter, self.bound) for letter in one.letters())


def depends(letter: Letter, symbols: frozenset[Symbol]) -> bool:
    """Whether a letter is another one for other values of these symbols."""
    return bool(symbols) and not symbols.isdisjoint(letter.expr.free_symbols)
