"""A monitor's module beside its declaration, observation by observation."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from symopt.declaration import Monitor
from symopt.errors import UsageError, nearest
from symopt.verification.anatomy import Anatomy, anatomy
from symopt.verification.cases import Setting, by_name
from symopt.verification.definitions import Definition, entries
from symopt.verification.monitor_class import MonitorObject
from symopt.verification.observations import Move, Observer, coarse_settings, long_plan, plans
from symopt.verification.quantity import FLOAT64, Quantity
from symopt.verification.verdict import Point, Tally, Verdict, fits
from symopt.verification.watch import Values, Watch


@dataclass(frozen=True)
class MonitorSubject:
    """A monitor's module under judgement, as callables.

    ``step`` takes the names in ``arguments`` and returns the new states by name and the output;
    ``states`` takes the hyperparameters in ``state_arguments`` and returns the states before the
    first observation. ``make`` makes an object from all hyperparameters by name.
    """

    step: Callable[..., tuple[Values, float]]
    arguments: tuple[str, ...]
    states: Callable[..., Values]
    state_arguments: tuple[str, ...] = ()
    make: Callable[..., Any] | None = None


def judge_monitor(monitor: Monitor, subject: MonitorSubject, seed: int = 0) -> Verdict:
    """Whether each step of the module is what the equations say, and its class what ``step`` is.

    Every number is evaluated at 50 digits from the module's own states before the step; what is
    computed exactly in double precision has to be exact. A module may raise ``ValueError`` where
    an equation has no value, such as ∞ − ∞, and has to there; and where NaN is observed.

    Raises
    ------
    DeclarationError
        If an equation has no meaning for the judge.
    UsageError
        If the module takes an argument that the monitor does not know.
    """
    taken = anatomy(monitor)
    tally = Tally(monitor.name, "float64", FLOAT64)
    random = np.random.default_rng([seed, zlib.crc32(monitor.name.encode())])
    observer = Observer(taken, _observed(taken), random)
    tried = coarse_settings(taken.hyperparameters, monitor.default_values, random)
    ties = open_ones = 0
    for number, setting in enumerate(tried):
        moves = [*plans(setting, random), *([long_plan(random)] if number < 2 else [])]
        for plan in moves:
            run = _Run(taken, subject, tally, setting, observer)
            run.go(plan, other=tried[number - 1])
            ties, open_ones = ties + run.ties, open_ones + run.open
            if tally.refuted:
                return tally.verdict()
    tally.note = (
        f"{ties} comparisons were met exactly where their two sides are equal; at {open_ones} more "
        "rounding may decide, and either answer was accepted"
    )
    return tally.verdict()


def _observed(taken: Anatomy) -> tuple[str, ...]:
    """The letters that no equation defines, by name, in the order in which they are read."""
    read = (x.base for one in taken.definitions.values() for x in entries(one.right))
    names = (str(x.spelling.python) for x in read if x not in taken.definitions)
    return tuple(dict.fromkeys(names))


class _Run:
    """One run of a module from its start with one choice of hyperparameters."""

    def __init__(
        self,
        taken: Anatomy,
        subject: MonitorSubject,
        tally: Tally,
        setting: Setting,
        observer: Observer,
    ) -> None:
        self.anatomy, self.subject, self.tally = taken, subject, tally
        self.setting, self.observer = setting, observer
        self.named = by_name(setting.values)
        self.output = taken.definitions[taken.declared.equations[-1][1].left.base]
        self.states: Values = {}
        self.watch = Watch(taken, setting.values, self.states)
        self.object = subject.make and MonitorObject(subject.make, self.named, tally)
        self.ties = self.open = 0

    def _starts(self) -> bool:
        """Whether there are states before the first observation; they are judged."""
        initial = {
            _name(one): self.watch.read(one.initial, self.watch.place())
            for one in self.anatomy.definitions.values()
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
        for name in initial.keys() & found.keys():
            point = self._point(f"{name} before the first observation")
            self.tally.point(initial[name], found[name], point)
        if self.object is not None:
            self.object.start(self.states, self.states.get(_name(self.output)))
        return True

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

    def _observe(self, observed: Values) -> None:
        self.watch.begin(observed)
        readings = list(self.watch.readings())
        try:
            states, output = self._stepped(observed)
        except ValueError as error:
            self._refused(observed, readings, str(error))
            return
        except (ArithmeticError, LookupError, TypeError) as error:
            self._refute(f"it fails: {type(error).__name__}: {error}")
            return
        given = {**states, _name(self.output): output}
        declared = next((one for one in readings if _fit(one, given)), readings[0])
        lost = [name for name, x in declared.items() if math.isnan(x.error)]
        if lost:
            self._refute(f"{lost[0]} has no value, but the module gives one")
            return
        if set(states) != set(self.states):
            self._refute(f"the new states are {', '.join(states)}, not {', '.join(self.states)}")
            return
        for one in self.anatomy.definitions.values():
            if _name(one) in states:
                self.tally.point(declared[_name(one)], states[_name(one)], self._point(one.id))
        output_point = self._point(f"{self.output.id}, output")
        self.tally.point(declared[_name(self.output)], output, output_point)
        ties, open_ones = self.observer.met(self.watch)
        self.ties, self.open = self.ties + ties, self.open + open_ones
        self.states = dict(states)
        self.watch.end(self.states)
        if self.object is not None:
            self.object.step(observed, self.states, output)

    def _stepped(self, observed: Values) -> tuple[Values, float]:
        known = {**self.states, **observed, self._step_name(): self.watch.now}
        states, output = self.subject.step(**self._handed(self.subject.arguments, known))
        return states, output

    def _refused(self, observed: Values, readings: list[dict[str, Quantity]], words: str) -> None:
        """Nothing is wrong where an equation has no value, or may leave the range of doubles."""
        found = [x for one in readings for x in one.values()]
        lost = any(math.isnan(x.error) for x in found)
        if all(x.bounded for x in found):
            self._refute(f"the module refuses: {words}")
            return
        self.tally.many(int(lost), int(not lost))
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
            self._refute(f"NaN is observed and taken: {observed}")

    def _refute(self, words: str) -> None:
        point = self._point(f"{self.tally.name}")
        self.tally.refute(point.where, f"{point.where}: {words}; {point.inputs()}")

    def _step_name(self) -> str:
        return next(str(one.step.spelling.python) for one in self.anatomy.definitions.values())

    def _handed(self, names: tuple[str, ...], values: dict[str, Any]) -> dict[str, Any]:
        known = {**self.named, **values}
        for name in names:
            if name not in known:
                hint = nearest(name, known)
                raise UsageError(f"the module of {self.tally.name} takes {name}; {hint}")
        return {name: known[name] for name in names}

    def _point(self, what: str) -> Point:
        where = f"{what}, step {self.watch.now}" if self.watch.now else what
        before, observed = dict(self.states), dict(self.watch.observed[-1])

        def inputs() -> str:
            named = {**before, **observed, **self.named}.items()
            words = [f"{name} = {value!r}" for name, value in named]
            return f"with {', '.join(words)} ({self.setting.word} hyperparameters)"

        return Point(where, inputs)


def _fit(declared: dict[str, Quantity], given: Values) -> bool:
    """Whether each number that is given is the declared one."""
    return all(fits(declared[name], x) for name, x in given.items() if name in declared)


def _name(one: Definition) -> str:
    name: str = one.letter.spelling.python
    return name
