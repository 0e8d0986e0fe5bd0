"""The optimizer class of a rule beside its step: many tensors, some of them long, at once.

The step is judged by itself on short arrays. What is done for many tensors, or with several
threads, adds no arithmetic to it: each element has the bits that a step of its own short stretch
gives it. A long array handed to the step at once is held to the same.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from symopt.verification.anatomy import Anatomy
from symopt.verification.cases import Setting, by_name, gradients, starts
from symopt.verification.replay import Arrays
from symopt.verification.rule_subject import Subject
from symopt.verification.verdict import Tally

# one longer than what a single thread is given, others shorter, one empty
SIZES = (65, 70_000, 0, 1)
_STRETCH = 64
_STEPS = 2


def judge_rule_class(
    taken: Anatomy,
    subject: Subject,
    tally: Tally,
    setting: Setting,
    examples: int,
    random: np.random.Generator,
) -> None:
    """Whether objects do to many tensors what the step does to each stretch of them."""
    for make in subject.makes:
        if tally.refuted:
            return
        trial = RuleClassTrial(taken, subject, tally, setting, random)
        try:
            trial.judge(make, examples if taken.per_example else 0)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            trial.refute("an object", f"it fails: {type(error).__name__}: {error}")


class RuleClassTrial:
    """One object, and the same tensors stepped stretch by stretch."""

    def __init__(
        self,
        taken: Anatomy,
        subject: Subject,
        tally: Tally,
        setting: Setting,
        random: np.random.Generator,
    ) -> None:
        self.subject, self.tally, self.random = subject, tally, random
        self.parameter = taken.parameter.spelling.python
        self.named = by_name(setting.values)
        self.word = setting.word
        steps = (one.step for one in taken.definitions.values())
        self.step_name = next((x.spelling.python for x in steps if x is not None), "t")

    def refute(self, what: str, words: str) -> None:
        """Where the object, or the step of a long array, went wrong."""
        where = f"{self.tally.name}, the class, {what}"
        self.tally.refute(where, f"{where}: {words} (with {self.word} hyperparameters)")

    def judge(self, make: Callable[..., Any], examples: int) -> None:
        """Two steps of all tensors, beside those of their stretches, and of each as it is."""
        dtype = self.tally.dtype
        tensors = [starts(size, dtype, self.random) for size in SIZES]
        taken = inspect.signature(make).parameters
        one = make(
            [x.copy() for x in tensors], **{k: x for k, x in self.named.items() if k in taken}
        )
        inputs = list(inspect.signature(one.step).parameters)
        # the object's first input is the gradient, under whatever name
        names = [self.subject.gradient, *inputs[1:]][: len(inputs)]
        whole = [self._started(x) for x in tensors]
        parts = [[self._started(x[k : k + _STRETCH]) for k in _stretches(x)] for x in tensors]
        for now in range(1, _STEPS + 1):
            given = [self._drawn(size, names, examples) for size in SIZES]
            one.step(*([x[name] for x in given] for name in names))
            for k, arrays in enumerate(whole):
                self._step(now, arrays, given[k], slice(None))
                for start, part in zip(_stretches(tensors[k]), parts[k], strict=True):
                    self._step(now, part, given[k], slice(start, start + _STRETCH))
        for k, (arrays, short) in enumerate(zip(whole, parts, strict=True)):
            held = {self.parameter: one.params[k], **one.states[k]}
            for name in arrays:
                wanted = _joined([part[name] for part in short], arrays[name])
                self._same(f"{name} of {SIZES[k]} elements", held[name], wanted)
                self._same(f"the step, {name} of {SIZES[k]} elements", arrays[name], wanted)

    def _started(self, theta: np.ndarray) -> Arrays:
        states = self.subject.states(
            theta.copy(), **{name: self.named[name] for name in self.subject.state_arguments}
        )
        return {self.parameter: theta.copy(), **{name: x.copy() for name, x in states.items()}}

    def _drawn(self, size: int, names: list[str], examples: int) -> Arrays:
        """Inputs of one tensor: gradients, of each example where the rule takes such."""
        found = {}
        for name in names:
            lead = (examples,) if examples and name == self.subject.gradient else ()
            found[name] = gradients((*lead, size), self.tally.dtype, self.random)
        return found

    def _step(self, now: int, arrays: Arrays, given: Arrays, place: slice) -> None:
        """The step that is judged by itself, of one stretch."""
        taken = {x: np.ascontiguousarray(y[..., place]) for x, y in given.items()}
        known: dict[str, Any] = {**self.named, self.step_name: now, **arrays, **taken}
        with np.errstate(all="ignore"):
            self.subject.step(**{name: known[name] for name in self.subject.arguments})

    def _same(self, name: str, found: np.ndarray, wanted: np.ndarray) -> None:
        if found.dtype == wanted.dtype and found.shape == wanted.shape:
            bits = f"u{found.dtype.itemsize}"
            alike = (found.view(bits) == wanted.view(bits)) | (np.isnan(found) & np.isnan(wanted))
            if alike.all():
                return
            at = int(np.flatnonzero(~alike)[0])
            words = f"{float(found[at])!r} at {at}, not {float(wanted[at])!r}"
        else:
            words = f"{found.dtype} of shape {found.shape}, not {wanted.dtype} of {wanted.shape}"
        self.refute(name, f"it is {words}, as a step of a short stretch has it")


def _stretches(whole: np.ndarray) -> range:
    """Where each short stretch of an array begins; an empty array has one."""
    return range(0, max(len(whole), 1), _STRETCH)


def _joined(parts: list[np.ndarray], like: np.ndarray) -> np.ndarray:
    """The array that stretches make up, or what all of them share."""
    found = np.concatenate(parts)
    return found if len(found) == len(like) else parts[0]
