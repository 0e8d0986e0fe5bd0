"""What a kernel's arrays stand for whose names the declaration does not know.

A kernel may carry the response of an average, or a sum over the past that stands within an
equation. Such an array is known by its numbers: it holds what one of the declaration's own
quantities is, before the first step and after each of a few.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from symopt.nodes import Sigma
from symopt.verification.anatomy import Anatomy
from symopt.verification.cases import Setting, starts
from symopt.verification.one_step import Source
from symopt.verification.quantity import FORMATS, HIGH, WIDENING, Quantity
from symopt.verification.rule_runs import Run
from symopt.verification.rule_subject import Subject
from symopt.verification.verdict import Tally
from symopt.views import occurrences

_STEPS, _SIZE, _EXAMPLES = 4, 3, 2


def stands_for(
    taken: Anatomy, subject: Subject, dtype: str, setting: Setting, random: np.random.Generator
) -> dict[str, Source | None]:
    """What each array without a name in the declaration holds; None where nothing fits."""
    tally = Tally(taken.declared.name, dtype, FORMATS[dtype])
    run = Run(taken, subject, tally, setting, starts(_SIZE, dtype, random))
    known = {one.spelling.python for one in taken.definitions}
    fitting = {
        name: [one for one in _candidates(taken, run) if _holds(run, name, one)]
        for name in run.arrays
        if name not in known
    }
    for _ in range(_STEPS if fitting else 0):
        run.begin(_EXAMPLES, random)
        run.advance()
        if tally.refuted:
            break  # as the judge of its steps will say
        for name, several in fitting.items():
            fitting[name] = [one for one in several if _holds(run, name, one)]
    return {name: several[0] if several else None for name, several in fitting.items()}


def _candidates(taken: Anatomy, run: Run) -> Iterator[Source]:
    """Numbers that no array holds under their own name, and sums over the past."""
    for letter, one in taken.definitions.items():
        if letter.spelling.python not in run.arrays and letter not in taken.driven:
            yield letter
        for node in occurrences(one.right, Sigma):
            if isinstance(node, Sigma) and node.index.counts != "example" and node != one.right:
                yield node


def _holds(run: Run, name: str, source: Source) -> bool:
    """Whether an array is what a quantity of the declaration is after the step."""
    array, replay, taken = run.arrays[name], run.replay, run.anatomy
    data = taken.has_data(source) if isinstance(source, Sigma) else source in taken.driven
    if array.size != (replay.size if data else 1):
        return False
    return all(_same(array.flat[k], _now(run, source, k)) for k in range(array.size))


def _now(run: Run, source: Source, element: int) -> Quantity:
    """What a quantity is after the present step, or before the first one."""
    replay, place = run.replay, run.replay.place(element)
    if isinstance(source, Sigma):
        return replay.read(source, place)
    return replay.value(source, replay.now + run.anatomy.definitions[source].offset, place)


def _same(number: float, declared: Quantity) -> bool:
    off = abs(HIGH.mpf(float(number)) - declared.value)
    return declared.bounded and off <= declared.error * WIDENING
