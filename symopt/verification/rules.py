"""An update rule's kernel beside its declaration, over runs with several choices of numbers."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from symopt.declaration import UpdateRule
from symopt.verification.anatomy import anatomy
from symopt.verification.cases import settings, starts
from symopt.verification.quantity import FORMATS
from symopt.verification.rule_class import judge_rule_class
from symopt.verification.rule_runs import Run
from symopt.verification.rule_subject import Subject
from symopt.verification.verdict import Tally, Verdict
from symopt.verification.vjps import Vjps

_EXAMPLES = (5, 1, 3)
_SHORT = 3  # runs at the ends of ranges are shorter by this factor

Progress = Callable[[int, int], None]


def judge_rule(
    rule: UpdateRule,
    subject: Subject,
    dtype: str = "float32",
    steps: int = 12,
    size: int = 64,
    seed: int = 0,
    progress: Progress | None = None,
) -> Verdict:
    """Whether each step of the kernel is what the rule's equations say, to within rounding.

    ``progress`` is called after each step with the number of steps done and of all.

    Raises
    ------
    DeclarationError
        If an equation has no meaning for the judge.
    UsageError
        If the kernel takes an argument that the rule does not know.
    """
    taken = anatomy(rule)
    tally = Tally(rule.name, dtype, FORMATS[dtype])
    random = np.random.default_rng([seed, zlib.crc32(rule.name.encode())])
    tried = settings(taken.hyperparameters, rule.default_values, random)
    lengths = [steps if k < 2 else max(2, steps // _SHORT) for k in range(len(tried))]
    vjps = Vjps(taken, subject, dtype, tried[min(1, len(tried) - 1)], seed)
    done = 0
    for number, (setting, length) in enumerate(zip(tried, lengths, strict=True)):
        examples = _EXAMPLES[number % len(_EXAMPLES)]
        run = Run(taken, subject, tally, setting, starts(size, dtype, random))
        for _ in range(length):
            run.begin(examples, random)
            run.step()
            done += 1
            if progress is not None:
                progress(done, sum(lengths))
            if tally.refuted:
                return tally.verdict()
        vjps.judge(setting, starts(size, dtype, vjps.random), examples, length, number == 0)
        if vjps.tally.refuted:
            break
        if number == min(1, len(tried) - 1):
            judge_rule_class(taken, subject, tally, setting, examples, random)
    return _verdict(tally, vjps)


def _verdict(tally: Tally, vjps: Vjps) -> Verdict:
    """What follows for the step and its gradients together."""
    found = tally.verdict()
    if vjps.tally.points or vjps.tally.refuted:
        found = found.joined(vjps.tally.verdict())
    return replace(found, note="; ".join(filter(None, (found.note, vjps.note))))
