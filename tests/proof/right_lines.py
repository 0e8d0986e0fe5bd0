"""Every formula of the catalogue and every line of its derivations, and slips put into them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pen_slips import wrong_lines
from sympy import Float

from symopt.cli.library import catalogue
from symopt.declaration import Declaration, Layer, Network, Question
from symopt.derivation.api import derivations
from symopt.derivation.drawn import draws
from symopt.derivation.forward import forward
from symopt.derivation.steps import Derivation, Line
from symopt.nodes import Proximal
from symopt.proof.chains import Chain, Equality, given
from symopt.proof.comparing import check
from symopt.proof.following import check_chain
from symopt.proof.holding import grounds, held
from symopt.proof.mending import letters_of
from symopt.proof.worlds import Beside, worlds


@dataclass(frozen=True)
class Right:
    """A right line, and what may be given: the first in which the line can be computed is taken."""

    name: str
    line: Equality
    given: tuple[tuple[Equality, ...], ...]
    source: Declaration

    def chain(self, line: Equality, known: tuple[Equality, ...]) -> Chain:
        layer = self.source if isinstance(self.source, Layer) else None
        run, drawn = (forward(layer), draws(layer)) if layer else ((), {})
        return Chain(self.name, (line,), (), "", known, run, drawn)

    def known(self) -> tuple[Equality, ...]:
        """What is given; of a line that numbers do not bear out, the line itself."""
        for one in self.given:
            if _computed(self.chain(self.line, one)):
                return one
        return (self.line, *self.given[0])


@dataclass(frozen=True)
class Mutant:
    """A wrong line with all names of the slip that is in it."""

    right: Right
    line: Equality
    names: frozenset[str]

    def chain(self) -> Chain:
        return self.right.chain(self.line, self.right.known())


def _here(chain: Chain) -> tuple:
    written = tuple(Line(one.left, one.right, "") for one in chain.whole)
    return worlds(
        Derivation("", "", written), {}, chain.forward, (), Beside(chain.drawn, varied=True)
    )


def _computed(chain: Chain) -> bool:
    (line,) = chain.lines
    derivation = Derivation("", "", (Line(line.left, line.right, ""),))
    found = check(derivation, lambda _granted: _here(chain))
    return not found.wrong and not found.unknown and found.derivation.lines[0].check != ""


def not_refuted(chain: Chain) -> str:
    """Why a line with a slip in it is not refuted: it is true all the same (2·0 = 0), or odd."""
    (line,) = chain.lines
    answers = [
        same
        for ground in grounds(line.left, chain.given, _here(chain))
        for _, same, _ in held(line, ground)
    ]
    if not answers:
        return "has no value"
    return "holds" if all(one is True for one in answers) else "undecided"


def right_lines() -> Iterator[Right]:
    """All lines but rounded numbers, names, and networks, which are made of layers."""
    for source in catalogue():
        if isinstance(source, Network):
            continue
        own = () if isinstance(source, Question) else given(source)
        for k, line in enumerate(own):
            yield Right(f"{source.name}, formula {k + 1}", line, (own,), source)
        for number, derivation in enumerate(derivations(source), start=1):
            lines = tuple(Equality(one.left, one.right) for one in derivation.lines)
            for k, line in enumerate(lines):
                if not line.right.has(Float, Proximal) and line.right.is_finite is not False:
                    name = f"{source.name}, derivation {number}, line {k + 1}"
                    yield Right(name, line, ((*lines, *own), lines), source)


def mutants(right: Right) -> list[Mutant]:
    """All slips in a line, some fifteen."""
    chain = right.chain(right.line, right.given[0])
    left, value = right.line.left, right.line.right
    letters = letters_of(chain, len(chain.whole) - 1)
    own = tuple(one for one in letters if left.has(one) or value.has(one))
    return [
        Mutant(right, Equality(*sides), names) for names, *sides in wrong_lines(left, value, own)
    ]


def chosen(many: int, seed: int) -> list[Mutant]:
    """Some mutants: all lines in turn, of each the slip that had the fewest turns."""
    source = random.Random(seed)
    lines = list(right_lines())
    source.shuffle(lines)
    turns: Counter[str] = Counter()
    found: list[Mutant] = []
    while len(found) < many:
        for right in lines:
            if len(found) == many:
                break
            several = mutants(right)
            source.shuffle(several)
            if several:
                best = min(several, key=lambda one: turns[min(one.names)])
                turns[min(best.names)] += 1
                found.append(best)
    return found


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant."""

    mutant: Mutant
    status: str
    slip: str
    corrected: Equality | None
    counterexample: bool
    right_name: bool


def outcome(mutant: Mutant, seconds: float) -> Outcome:
    """What ``check_chain`` says of it, and what can be said of it where it is not refuted."""
    chain = mutant.chain()
    verdict = check_chain(chain, seconds=seconds)
    status = verdict.status if verdict.status == "refuted" else not_refuted(chain)
    values = len(verdict.values) == 2 and verdict.values[0] != verdict.values[1]
    return Outcome(
        mutant,
        status,
        verdict.slip,
        verdict.corrected,
        values,
        verdict.slip in mutant.names,
    )
