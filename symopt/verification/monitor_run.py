"""One run of a monitor's module, each number laid beside what is declared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from symopt.errors import UsageError, nearest
from symopt.notation import Hyperparameter
from symopt.verification.anatomy import Anatomy
from symopt.verification.cases import Setting, by_name
from symopt.verification.definitions import Definition
from symopt.verification.monitor_class import MonitorObject
from symopt.verification.monitor_subject import MonitorSubject
from symopt.verification.observations import Move, Observer
from symopt.verification.quantity import Quantity
from symopt.verification.verdict import Point, Tally, fits
from symopt.verification.watch import Values, Watch

Reading = dict[str, Quantity]
Lead = tuple[list[Values], Hyperparameter, float]


@dataclass(frozen=True)
class Court:
    """What all runs of a module have in common."""

    anatomy: Anatomy
    subject: MonitorSubject
    tally: Tally
    observer: Observer

    def run(self, setting: Setting) -> Run:
        """A new run with this choice of hyperparameters."""
        return Run(self, setting)


class Run:
    """A run from the start."""

    def __init__(self, court: Court, setting: Setting) -> None:
        self.subject, self.tally, self.observer = court.subject, court.tally, court.observer
        self.setting, self.named = setting, by_name(setting.values)
        self.anatomy = court.anatomy
        self.definitions = tuple(court.anatomy.definitions.values())
        last = court.anatomy.declared.equations[-1][1].left.base
        self.output = court.anatomy.definitions[last]
        self.states: Values = {}
        self.watch = Watch(court.anatomy, setting.values, {})
        make = court.subject.make
        self.object = None if make is None else MonitorObject(make, self.named, court.tally)

    def go(self, plan: list[Move], other: Setting) -> None:
        """All observations of a plan; half way the object gives way to one that is loaded."""
        if not self._starts():
            return
        for place, move in enumerate(plan):
            if self.tally.refuted:
                return
            observed = self.observer.choose(move, self.watch)
            if self.object is not None and place == len(plan) // 2:
                self.object.save(by_name(other.values), observed)
            self._observe(observed)
        for name in self.observer.names:
            self._refuse_nan({**dict.fromkeys(self.observer.names, 0.0), name: math.nan})

    def leads(self, plan: list[Move]) -> Iterator[Lead]:
        """Observations so far, and a hyperparameter that would meet a comparison after them."""
        if self._starts():
            for move in plan:
                observed = self.observer.choose(move, self.watch)
                for one, value in self.observer.ties.chosen(observed, self.watch):
                    yield [*self.watch.observed[1:], observed], one, value
                self._observe(observed)

    def repeat(self, observations: Iterable[Values]) -> None:
        """These observations."""
        if self._starts():
            for observed in observations:
                if not self.tally.refuted:
                    self._observe(observed)

    def _starts(self) -> bool:
        """Whether there are states before the first observation; they are judged."""
        initial = {
            _name(one): self.watch.read(one.initial, self.watch.place())
            for one in self.definitions
            if one.initial is not None
        }
        try:
            found = self.subject.states(**self._handed(self.subject.state_arguments, {}))
        except ValueError as error:
            if all(x.bounded for x in initial.values()):
                self._refute(f"the module refuses to start: {error}")
            elif self.object is not None:
                self.object.refuse_start()
            return False
        self.states = dict(found)
        self.watch = Watch(self.anatomy, self.setting.values, self.states)
        for name in initial:
            if name in found:
                point = self._point(f"{name} before the first observation")
                self.tally.point(initial[name], found[name], point)
        if self.object is not None:
            self.object.start(self.states, self.states.get(_name(self.output)))
        return True

    def _observe(self, observed: Values) -> None:
        self.watch.begin(observed)
        readings = list(self.watch.readings())
        try:
            states, output = self._stepped(observed)
        except ValueError as error:
            self._refused(observed, readings, str(error))
            return
        except UsageError:
            raise
        except Exception as error:  # whatever it is, the module has no answer
            self._refute(f"it fails: {type(error).__name__}: {error}")
            return
        if set(states) != set(self.states):
            self._refute(f"the new states are {', '.join(states)}, not {', '.join(self.states)}")
            return
        self._judge(readings, states, output)
        self.observer.ties.count(self.watch)
        self.states = dict(states)
        self.watch.end(self.states)
        if self.object is not None:
            self.object.step(observed, self.states, output)

    def _judge(self, readings: list[Reading], states: Values, output: float) -> None:
        """The numbers beside the reading that they fit, if they fit any."""
        given = {**states, _name(self.output): output}
        declared = next((one for one in readings if _fit(one, given)), readings[0])
        for name, x in declared.items():
            if math.isnan(x.error):
                self._refute(f"{name} has no value, but the module gives one")
        for one in self.definitions:
            if _name(one) in states:
                self.tally.point(declared[_name(one)], states[_name(one)], self._point(one.id))
        point = self._point(f"{self.output.id}, output")
        self.tally.point(declared[_name(self.output)], output, point)

    def _stepped(self, observed: Values) -> tuple[Values, float]:
        step = str(self.output.step.spelling.python)
        known = {**self.states, **observed, step: self.watch.now}
        states, output = self.subject.step(**self._handed(self.subject.arguments, known))
        return states, output

    def _refused(self, observed: Values, readings: list[Reading], words: str) -> None:
        """Nothing is wrong where an equation has no value, or may leave the range of doubles."""
        found = [x for one in readings for x in one.values()]
        if all(x.bounded for x in found):
            self._refute(f"the module refuses: {words}")
            return
        lost = any(math.isnan(x.error) for x in found)
        self.tally.many(points=int(lost), out_of_range=int(not lost))
        self.watch.undo()
        if self.object is not None:
            self.object.refuse(observed)

    def _refuse_nan(self, observed: Values) -> None:
        if self.tally.refuted:
            return
        try:
            self._stepped(observed)
        except ValueError:
            if self.object is not None:
                self.object.refuse(observed)
        else:
            self._refute(f"NaN is observed and taken, {observed}")

    def _refute(self, words: str) -> None:
        point = self._point(self.tally.name)
        self.tally.refute(point.where, f"{point.where}: {words}; {point.inputs()}")

    def _handed(self, names: tuple[str, ...], values: dict[str, Any]) -> dict[str, Any]:
        known = {**self.named, **values}
        for name in names:
            if name not in known:
                hint = nearest(name, known)
                raise UsageError(f"the module of {self.tally.name} takes {name}; {hint}")
        return {name: known[name] for name in names}

    def _point(self, what: str) -> Point:
        where = f"{what}, step {self.watch.now}" if self.watch.now else what
        named = {**self.states, **self.watch.observed[-1], **self.named}
        word = self.setting.word

        def inputs() -> str:
            words = ", ".join(f"{name} = {value!r}" for name, value in named.items())
            return f"with {words} ({word} hyperparameters)"

        return Point(where, inputs)


def _fit(declared: Reading, given: Values) -> bool:
    """Whether each number that is given is the declared one."""
    return all(fits(declared[name], x) for name, x in given.items() if name in declared)


def _name(one: Definition) -> str:
    name: str = one.letter.spelling.python
    return name
