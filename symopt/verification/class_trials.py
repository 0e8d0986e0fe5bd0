"""The class of a layer beside its functions: three calls in training, and what follows them.

The class adds no arithmetic to the functions, which are judged by themselves. So outputs, gradients
and running averages are equal bit for bit to what the functions give from the same arrays, and an
object that writes its results where it wrote the last ones gives the same. A loss gives the mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symopt.verification.cases import by_name
from symopt.verification.chance import word_drawn
from symopt.verification.groups import Arrangement
from symopt.verification.layer_anatomy import LayerAnatomy
from symopt.verification.layer_calls import Arrays
from symopt.verification.layer_cases import Case, labels
from symopt.verification.layer_subject import LayerSubject
from symopt.verification.reductions import REDUCTION, TO_ONE
from symopt.verification.verdict import Tally

CALLS = 3
_START = 0.75  # of parameters and averages that have no declared start
_MEAN, _BY_MEAN = TO_ONE[0], 0.3


def judge_class(
    anatomy: LayerAnatomy,
    subject: LayerSubject,
    tally: Tally,
    case: Case,
    random: np.random.Generator,
) -> None:
    """Whether an object does what the functions do; nothing where the subject has no class."""
    for reuse in (False, True) if subject.reuses else (False,):
        if subject.make is None or tally.refuted:
            return
        trial = ClassTrial(anatomy, subject, tally, case, random, reuse)
        try:
            trial.judge()
        except _Refused:
            return  # the functions have no value on these arrays, and are judged by themselves
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            trial.refute("an object", f"it fails: {type(error).__name__}: {error}")


class _Refused(Exception):
    """A function refuses its arguments."""


class ClassTrial:
    """One object, and the arrays that the functions are handed in its place."""

    def __init__(
        self,
        anatomy: LayerAnatomy,
        subject: LayerSubject,
        tally: Tally,
        case: Case,
        random: np.random.Generator,
        reuse: bool,
    ) -> None:
        self.anatomy, self.subject, self.tally = anatomy, subject, tally
        self.reuse = reuse
        self.arrangement: Arrangement = case.arrangement
        self.case, self.random = case, random
        self.output = anatomy.output.spelling.python
        self.given = tuple(one.spelling.python for one in anatomy.given)
        self.labels = tuple(one.spelling.python for one in anatomy.labels)
        self.learned = tuple(one.spelling.python for one in anatomy.learned)
        self.averages = tuple(one.spelling.python for one in anatomy.averages)
        self.numbers = by_name(case.setting.values)
        self.held: Arrays = {}  # what the functions are handed for what the object holds
        self.last: Any = None  # the output of the last call
        self.calls = 0
        self.seed = word_drawn(random) if anatomy.drawn else 0

    def refute(self, what: str, words: str) -> None:
        """Where the object went wrong."""
        where = f"{self.tally.name}, the class, {what}"
        how = ", arrays reused" if self.reuse else ""
        self.tally.refute(where, f"{where}: {words} ({self.case.words}{how})")

    def made(self, seed: int) -> Any:
        """A new object for arrays of this shape."""
        shape, wanted = self.arrangement.shape, self.subject.make_arguments
        known: dict[str, Any] = dict.fromkeys((*self.learned, *self.averages), _START)
        known |= {"shape": self.arrangement.parameter_shape, "groups": self.arrangement.groups}
        known |= {"channels": shape[1], "spatial": shape[2:], "seed": seed, **self.numbers}
        more = {"reuse": True} if self.reuse else {}
        assert self.subject.make is not None
        made = self.subject.make
        return made(**{one: known[one] for one in wanted}, dtype=np.dtype(self.tally.dtype), **more)

    def judge(self) -> None:
        """Training and its gradients, evaluation, a saved state, and training again."""
        one = self.made(self.seed)
        self._started(one)
        for name in self.learned:
            one.parameters[name][...] = self.random.normal(size=one.parameters[name].shape)
        self.held = {x: y.copy() for x, y in {**one.parameters, **one.averages}.items()}
        for _ in range(CALLS):
            inputs, kept = self._training_call(one, "in training")
        self._backward(one, inputs, kept)
        one.evaluate()
        for _ in range(2):
            self._evaluated(one, "after evaluate()")
        self._saved(one)
        one.train()
        self._training_call(one, "after train()")

    def _started(self, one: Any) -> None:
        """The names of its arrays, and the numbers that they start from."""
        starts = {x.spelling.python: float(y) for x, y in self.anatomy.layer.initial}
        for word, names, found in (
            ("parameters", self.learned, one.parameters),
            ("averages", self.averages, one.averages),
        ):
            if set(found) != set(names):
                self.refute(word, f"they are {', '.join(found)}; declared are {', '.join(names)}")
            for name in set(names) & set(found):
                start = np.full_like(found[name], starts.get(name, _START))
                self._same(name, "at the start", found[name], start)

    def _data(self) -> Arrays:
        shape = self.arrangement.shape
        found = {x: self.random.normal(size=shape).astype(self.tally.dtype) for x in self.given}
        return found | {x: labels(self.arrangement, self.random) for x in self.labels}

    def _known(self, inputs: Arrays) -> dict[str, Any]:
        more = {"t": self.calls, "groups": self.arrangement.groups, REDUCTION: _MEAN}
        more |= {"seed": self.seed, "step": self.calls}
        return {**self.numbers, **more, **self.held, **inputs}

    def _training_call(self, one: Any, when: str) -> tuple[Arrays, Arrays]:
        """A call beside forward, which updates the averages; the inputs and what is kept."""
        inputs = self._data()
        known = self._known(inputs)
        results = _asked(self.subject.forward, self.subject.forward_arguments, known)
        self.calls += 1
        found = one(**inputs)
        self._same(self.output, when, found, results[0])
        self._placed(found, when)
        self._compare_averages(one, when)
        return inputs, dict(zip(self.subject.results, results, strict=True))

    def _placed(self, found: Any, when: str) -> None:
        """An output where the last one of the object was, or anywhere else."""
        last, self.last = self.last, found
        if last is None or not isinstance(found, np.ndarray):
            return
        if np.may_share_memory(found, last) != self.reuse:
            words = "not where the last one was" if self.reuse else "where the last one was"
            self.refute(self.output, f"{when} it is written {words}")

    def _backward(self, one: Any, inputs: Arrays, kept: Arrays) -> None:
        shape = np.shape(self.last)
        dy: Any = self.random.normal(size=shape).astype(self.tally.dtype) if shape else _BY_MEAN
        # what was drawn in the last call is drawn again
        known = {**self._known(inputs), **kept, f"d{self.output}": dy, "step": self.calls - 1}
        results = _asked(self.subject.backward, self.subject.backward_arguments, known)
        gradients = dict(zip(self.subject.gradients, results, strict=True))
        by_input = one.backward(dy.copy() if shape else dy)
        by_input = by_input if isinstance(by_input, tuple) else (by_input,)
        for name, mine in zip(self.given, by_input, strict=True):
            self._same(f"dL/d{name}", "of backward", mine, gradients[name])
        for name in self.learned:
            self._same(f"dL/d{name}", "among gradients", one.gradients[name], gradients[name])
        self._same(self.output, "after backward", self.last, kept[self.output])
        self._compare_averages(one, "after backward")

    def _evaluated(self, one: Any, when: str) -> None:
        """A call beside inference, or forward where there is none, that changes no average."""
        inputs, subject = self._data(), self.subject
        known = self._known(inputs)
        if subject.inference is not None:
            wanted, *_ = _asked(subject.inference, subject.inference_arguments, known)
        else:
            wanted, *_ = _asked(subject.forward, subject.forward_arguments, known)
        self._same(self.output, when, one(**inputs), wanted)
        self._compare_averages(one, when)

    def _saved(self, one: Any) -> None:
        """A new object goes on from what was saved, whatever became of the old one since."""
        state, held, calls = one.state_dict(), self.held, self.calls
        self.held = {name: array.copy() for name, array in held.items()}
        one.train()
        self._training_call(one, "after state_dict()")
        left, count, last = self.held, self.calls, self.last
        self.held, self.calls = {name: x.copy() for name, x in held.items()}, calls
        self.last = None
        fresh = self.made(self.seed ^ 1)
        fresh.load_state_dict(state)
        fresh.evaluate()
        self._evaluated(fresh, "after load_state_dict() and evaluate()")
        fresh.train()
        self._training_call(fresh, "after load_state_dict() and train()")
        self.held, self.calls, self.last = left, count, last

    def _compare_averages(self, one: Any, when: str) -> None:
        held: Mapping[str, Any] = {**one.parameters, **one.averages}
        for name in (*self.averages, *self.learned):
            self._same(name, when, held[name], self.held[name])

    def _same(self, name: str, when: str, found: Any, wanted: Any) -> None:
        found, wanted = np.asarray(found), np.asarray(wanted)
        if found.dtype == wanted.dtype and found.shape == wanted.shape:
            if found.tobytes() == wanted.tobytes():
                return
            off = np.flatnonzero(found.ravel() != wanted.ravel())
            at = tuple(map(int, np.unravel_index(off[0] if len(off) else 0, found.shape)))
            words = f"{float(found[at])!r} at {', '.join(map(str, at))}, not {float(wanted[at])!r}"
        else:
            words = f"{found.dtype} of shape {found.shape}, not {wanted.dtype} of {wanted.shape}"
        self.refute(name, f"{when} it is {words}, as the functions have it")


def _asked(
    kernel: Callable[..., Any], names: tuple[str, ...], known: Mapping[str, Any]
) -> tuple[np.ndarray, ...]:
    """What a function returns."""
    try:
        found = kernel(**{x: known[x] for x in names})
    except ValueError as error:
        raise _Refused from error
    return found if isinstance(found, tuple) else (found,)
