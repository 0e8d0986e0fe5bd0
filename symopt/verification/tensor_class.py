"""The class of a tensor layer beside its functions: where it starts, calls, gradients, states."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np
from sympy import Expr

from symopt.nodes import Normal
from symopt.notation import Sequence
from symopt.verification.tensor_trials import TensorTrial

_START = 0.75  # of what has no declared start
_MANY = 5000  # numbers of which mean and spread are told apart from others
_SPREADS = 5  # as far off as about one in 10^6 draws is
Known = dict[str, Any]


def judge_class(trial: TensorTrial) -> None:
    """Whether an object does what the functions do, bit for bit, and starts as declared."""
    try:
        _Class(trial).judge()
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        _refute(trial, "an object", f"it fails: {type(error).__name__}: {error}")


def _refute(trial: TensorTrial, what: str, words: str) -> None:
    where = f"{trial.tally.name}, the class, {what}"
    trial.tally.refute(where, f"{where}: {words} ({trial.case.words})")


class _Class:
    """One object, and the arrays that the functions are handed in its place."""

    def __init__(self, trial: TensorTrial) -> None:
        self.trial = trial
        self.subject = trial.subject
        self.outline = trial.outline
        self.learned = {one.spelling.python: one for one in self.outline.learned}
        self.inputs = tuple(one.spelling.python for one in self.outline.inputs)
        self.starts: dict[Sequence, Expr] = dict(trial.world.layer.initial)

    def made(self, sizes: Mapping[Expr, int] | None = None, **more: Any) -> Any:
        """A new object for a world of these sizes."""
        lengths = {**self.trial.world.sizes, **(sizes or {})}
        known: Known = {str(one): length for one, length in lengths.items()}
        known |= {name: x for name, x in self.trial.known().items() if np.isscalar(x)}
        known |= {name: _START for name, one in self.learned.items() if one not in self.starts}
        wanted = (one for one in self.subject.make_arguments if one not in ("seed", "reuse"))
        return self.subject.make(
            **{x: known[x] for x in wanted}, dtype=self.trial.tally.dtype, **more
        )

    def judge(self) -> None:
        """The start, calls and gradients, a saved state, results that are kept."""
        self._constants(self.made())
        self._draws()
        one = self.made()
        for name in self.learned:
            one.parameters[name][...] = self.trial.known()[name]
        self._called(one, "")
        one.evaluate()
        one.train()
        fresh = self.made()
        fresh.load_state_dict(one.state_dict())
        for array in one.parameters.values():
            array[...] = 0
        self._called(fresh, "after load_state_dict()")
        if "reuse" in self.subject.make_arguments:
            kept = self.made(reuse=True)
            for name in self.learned:
                kept.parameters[name][...] = self.trial.known()[name]
            self._called(kept, "with reuse")
            self._called(kept, "with reuse, again")

    def _called(self, one: Any, when: str) -> None:
        known = self.trial.known()
        output = f"d{self.trial.output.spelling.python}"
        inputs = {x: known[x] for x in self.inputs}
        wanted = self.subject.forward(**{x: known[x] for x in self.subject.forward_arguments})
        self._same(f"the output {when}".rstrip(), one(**inputs), wanted)
        found = self.subject.backward(**{x: known[x] for x in self.subject.backward_arguments})
        several = found if isinstance(found, tuple) else (found,)
        gradients = dict(zip(self.subject.gradients, several, strict=True))
        mine = one.backward(known[output])
        mine = mine if isinstance(mine, tuple) else (mine,)
        for name, array in zip(self.inputs, mine, strict=True):
            self._same(f"dL/d{name} {when}".rstrip(), array, gradients[name])
        for name in self.learned:
            self._same(f"dL/d{name} {when}".rstrip(), one.gradients[name], gradients[name])

    def _same(self, what: str, found: Any, wanted: Any) -> None:
        found, wanted = np.asarray(found), np.asarray(wanted)
        alike = found.dtype == wanted.dtype and found.shape == wanted.shape
        if not alike or found.tobytes() != wanted.tobytes():
            _refute(self.trial, what, "it is not what the functions give")

    # where it starts

    def _constants(self, one: Any) -> None:
        if set(one.parameters) != set(self.learned) or one.averages:
            _refute(self.trial, "parameters", f"they are {', '.join(one.parameters)}")
        for name, letter in self.learned.items():
            array, start = one.parameters[name], self.starts.get(letter)
            if (
                array.shape != self.trial.world.shape(letter)
                or array.dtype != self.trial.tally.dtype
            ):
                _refute(self.trial, name, f"it is of shape {array.shape} and {array.dtype}")
            elif start is None or not isinstance(start, Normal):
                number = _START if start is None else float(self.trial.world.number(start))
                if not (array == np.full_like(array, number)).all():
                    _refute(self.trial, name, f"it does not start from {number!r}")

    def _draws(self) -> None:
        """Drawn numbers have the declared mean and spread, and are those of their seed."""
        for name, letter in self.learned.items():
            start = self.starts.get(letter)
            if not isinstance(start, Normal):
                continue
            sizes = self._larger(letter)
            one = self.made(sizes, seed=1).parameters[name].astype(float)
            if one.tobytes() != self.made(sizes, seed=1).parameters[name].astype(float).tobytes():
                _refute(self.trial, name, "one seed stands for two starts")
            if one.tobytes() == self.made(sizes, seed=2).parameters[name].astype(float).tobytes():
                _refute(self.trial, name, "two seeds stand for one start")
            world = type(self.trial.world)(
                self.trial.world.layer,
                {**self.trial.world.lengths, **sizes},
                self.trial.world.numbers,
            )
            deviation = float(world.number(start.deviation))
            off = abs(one.mean()) / (deviation / sqrt(one.size))
            spread = abs(one.var() / deviation**2 - 1) / sqrt(2 / one.size)
            if off > _SPREADS or spread > _SPREADS:
                _refute(
                    self.trial,
                    name,
                    f"it starts with the mean {one.mean():.3g} and the standard deviation "
                    f"{one.std():.3g}, not 0 and {deviation:.3g}",
                )

    def _larger(self, letter: Sequence) -> dict[Expr, int]:
        """Lengths with which an array has many numbers."""
        world = self.trial.world
        lengths = [one for one in self.outline.shapes[letter] if one in world.lengths]
        found = {one: world.lengths[one] for one in lengths}
        while lengths and np.prod([found.get(one, 1) for one in lengths]) < _MANY:
            least = min(lengths, key=lambda one: found[one])
            found[least] = 2 * found[least] + 1
        return found
