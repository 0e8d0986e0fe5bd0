"""The class of a monitor beside its functions, which are judged by themselves.

The class adds no arithmetic, so outputs and states are the very numbers of the functions.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from symopt.verification.verdict import Tally
from symopt.verification.watch import Values


class MonitorObject:
    """One object, told what the functions gave for the same observations."""

    def __init__(self, make: Callable[..., Any], named: Mapping[str, float], tally: Tally) -> None:
        self.make, self.named, self.tally = make, named, tally
        self.states: Values = {}
        self.value: float | None = None
        self.one: Any = None

    def start(self, states: Values, value: float | None) -> None:
        """A new object, which is as the functions start."""
        self._trying("at the start", lambda: setattr(self, "one", self.make(**self.named)))
        self._follow("at the start", states, value)

    def refuse_start(self) -> None:
        """Nothing can be made, for some state has no initial value."""
        with suppress(ValueError):
            self.make(**self.named)
            self._refute("at the start", "it is made, though the function refuses to start")

    def step(self, observed: Values, states: Values, output: float) -> None:
        """One observation, after which the functions have these states and this output."""
        found: list[float] = []
        self._trying("in a step", lambda: found.append(self.one.step(**observed)))
        if found and not _same(found[0], output):
            self._refute("in a step", f"it returns {found[0]!r}, not {output!r}")
        self._follow("after a step", states, output)

    def refuse(self, observed: Values) -> None:
        """An observation that is refused and changes nothing."""
        if self.tally.refuted:
            return
        try:
            self.one.step(**observed)
        except ValueError:
            self._follow("after a refusal", self.states, self.value)
        else:
            self._refute("in a step", f"it takes {_words(observed)}, which the function refuses")

    def save(self, other: Mapping[str, float], observed: Values) -> None:
        """Another object goes on from what was saved, and from nothing that is not of its kind."""
        if not self.tally.refuted:
            self._trying("when it is saved", lambda: self._save(other, observed))

    def _save(self, other: Mapping[str, float], observed: Values) -> None:
        saved = self.one.state_dict()
        text = json.dumps(saved, allow_nan=False)
        taken = self._another(other)
        taken.load_state_dict(saved)
        with suppress(ValueError):  # there may be no value
            taken.step(**observed)
        if json.dumps(saved) != text:
            self._refute("when it is saved", "what was saved changes with the object it went to")
        self._follow("after state_dict()", self.states, self.value)
        fresh = self._another(other)
        for words, wrong in _spoilt(json.loads(text)):
            before = json.dumps(fresh.state_dict())
            try:
                fresh.load_state_dict(wrong)
                self._refute("in load_state_dict()", f"it takes a state with {words}")
            except ValueError:
                if json.dumps(fresh.state_dict()) != before:
                    self._refute("in load_state_dict()", f"{words} is refused, but changes it")
        fresh.load_state_dict(json.loads(text))
        self.one = fresh
        self._follow("after load_state_dict()", self.states, self.value)

    def _another(self, other: Mapping[str, float]) -> Any:
        """An object with other hyperparameters, where there are initial values for them."""
        try:
            return self.make(**other)
        except ValueError:
            return self.make(**self.named)

    def _follow(self, when: str, states: Values, value: float | None) -> None:
        """The states and the value are to be these."""
        self.states, self.value = dict(states), value
        if not self.tally.refuted:
            self._trying(when, lambda: self._compare(when))

    def _compare(self, when: str) -> None:
        found = dict(self.one.states)
        if set(found) != set(self.states):
            names = f"{', '.join(found)}; those of the functions are {', '.join(self.states)}"
            self._refute(when, f"its states are {names}")
            return
        for name, state in self.states.items():
            if not _same(found[name], state):
                self._refute(when, f"{name} is {found[name]!r}, not {state!r}")
        if not _same(self.one.value, self.value):
            self._refute(when, f"its value is {self.one.value!r}, not {self.value!r}")

    def _trying(self, when: str, act: Callable[[], None]) -> None:
        if self.tally.refuted:
            return
        try:
            act()
        except Exception as error:  # whatever it is, the object has no answer
            self._refute(when, f"it fails: {type(error).__name__}: {error}")

    def _refute(self, when: str, words: str) -> None:
        where = f"{self.tally.name}, the class, {when}"
        numbers = ", ".join(f"{name} = {value!r}" for name, value in self.named.items())
        self.tally.refute(where, f"{where}: {words} (with {numbers})")


def _same(found: Any, wanted: float | None) -> bool:
    """Whether this is the very number, as a plain float, or nothing where there is none."""
    return type(found) is type(wanted) and bool(found == wanted)


def _words(observed: Values) -> str:
    return ", ".join(f"{name} = {value!r}" for name, value in observed.items())


def _spoilt(saved: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What was saved, with one thing wrong, and in words what."""
    states = saved["states"]
    found = [("another fingerprint", {**saved, "fingerprint": "0"})]
    for key in states:
        less = {name: state for name, state in states.items() if name != key}
        found.append((f"no {key}", {**saved, "states": less}))
        found += [
            (f"{key} = {wrong!r}", {**saved, "states": {**states, key: wrong}})
            for wrong in (math.nan, "much", None)
        ]
    found.append(("a state too many", {**saved, "states": {**states, "another_state": 0.0}}))
    for key in saved["hyperparameters"]:
        others = {**saved["hyperparameters"], key: math.nan}
        found.append((f"{key} = nan", {**saved, "hyperparameters": others}))
    found += [
        (f"no {key}", {name: part for name, part in saved.items() if name != key})
        for key in ("states", "hyperparameters", "fingerprint")
    ]
    return found
