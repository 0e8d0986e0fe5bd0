"""Once training is over: what layers carry along from batch to batch, and what they make of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sympy import Basic, Expr, Indexed, Integer

from symopt.notation import Sequence
from symopt.printing.unicode import unicode
from symopt.proof.claims import Asked, Claim
from symopt.proof.outputs import Running, Unfolded
from symopt.proof.search import Effort
from symopt.symbols import t

_BATCHES = 2
FEW = Effort(shapes=3, few=12, drawn=16)
_OF_A_BATCH = ("given", "random")

Values = Mapping[Basic, Expr]


def followed(one: Unfolded, other: Unfolded) -> Iterator[Claim]:
    """Outputs after training on no batch, on one and on two, whose entries have a second index.

    Before the first batch there is nothing to correct by the number of batches.
    """
    first = 1 if any(_later(each).has(t) for each in (one, other)) else 0
    for n in range(first, _BATCHES + 1):
        sides = (_later(each).xreplace({**_after(each, n), t: Integer(n)}) for each in (one, other))
        words = f"outputs after training on {n} batch{'' if n == 1 else 'es'}"
        yield Claim(words, *sides)


def _later(one: Unfolded) -> Expr:
    return one.output if one.later is None else one.later


def _after(one: Unfolded, batches: int) -> dict[Basic, Basic]:
    """What a layer carries along after some batches."""
    values: dict[Basic, Basic] = {each.letter: each.start for each in one.running}
    for n in range(1, batches + 1):
        values = {each.letter: _of_batch(each.update, n).xreplace(values) for each in one.running}
    return values


def _of_batch(expr: Expr, n: int) -> Expr:
    """An expression with the entries of the n-th batch."""
    entries = {
        entry
        for entry in expr.atoms(Indexed)
        if isinstance(entry.base, Sequence) and entry.base.role in _OF_A_BATCH
    }
    return expr.xreplace({entry: entry.base[(Integer(n), *entry.indices)] for entry in entries})


def found_relation(
    one: Unfolded, other: Unfolded, asked: Asked, until: float
) -> dict[Basic, Expr] | None:
    """What the second carries along in terms of the first: as given, else equal letters.

    Nothing where one is needed and none is found; what was tried is noted.
    """
    found: dict[Basic, Expr] = {}
    for theirs in other.running:
        if theirs.image is not None:
            found[theirs.letter] = theirs.image
            continue
        image = next((each for each in one.running if _alike(theirs, each, asked, until)), None)
        if image is not None:
            found[theirs.letter] = image.letter
        elif _later(other).has(theirs.letter):
            asked.attempt.tried[
                f"nothing that {one.declared.name} carries along was found to be "
                f"{unicode(theirs.letter)} of {other.declared.name}; give a relation"
            ] = None
            return None
    return found


def _alike(theirs: Running, ours: Running, asked: Asked, until: float) -> bool:
    """Whether two begin alike, and no batch was found that tells them apart."""
    if theirs.start != ours.start:
        return False
    update = theirs.update.xreplace({theirs.letter: ours.letter})
    return asked.unlike(Claim("", ours.update, update), until, FEW) is None


def after_training(one: Unfolded, other: Unfolded, relation: Values) -> Iterator[Claim]:
    """What an induction over batches asks for: a start, a step for each letter, outputs."""
    images = dict(relation)
    start: dict[Basic, Basic] = {each.letter: each.start for each in one.running}
    later: dict[Basic, Basic] = {each.letter: each.update for each in one.running}
    needed = [each for each in other.running if each.letter in images]
    for each in needed:
        image = images[each.letter]
        yield Claim("starts", image.xreplace(start), each.start, "before the first batch")
    for each in needed:
        image = images[each.letter]
        yield Claim(
            "running numbers", image.xreplace(later), each.update.xreplace(images), "in each batch"
        )
    sides = _later(one), _later(other).xreplace(images)
    yield Claim("outputs after training", *sides, "after training")
