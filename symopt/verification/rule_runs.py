"""One run of an update rule's kernel beside its declaration, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from symopt.errors import UsageError, nearest
from symopt.verification.anatomy import Anatomy
from symopt.verification.cases import HUGE, Setting, by_name, gradients
from symopt.verification.definitions import Definition, entries
from symopt.verification.quantity import FORMATS
from symopt.verification.replay import Arrays, Replay
from symopt.verification.rule_subject import Subject
from symopt.verification.verdict import Point, Tally


class Run:
    """One kernel run from its start with one choice of hyperparameters."""

    def __init__(
        self, taken: Anatomy, subject: Subject, tally: Tally, setting: Setting, theta: np.ndarray
    ) -> None:
        self.anatomy = taken
        self.subject = subject
        self.tally = tally
        self.setting = setting
        self.named = by_name(setting.values)
        parameter = taken.parameter.spelling.python
        known = {name: self.named[name] for name in subject.state_arguments}
        states = subject.states(theta.copy(), **known)
        self.arrays: Arrays = {parameter: theta, **{k: x.copy() for k, x in states.items()}}
        form = FORMATS[tally.dtype]
        start = _copied(self.arrays)
        self.replay = Replay(taken, form, setting.values, start, subject.gradient)
        self._judge_start()

    def _judge_start(self) -> None:
        for one in self._visible():
            if one.initial is not None:
                for element in range(self.arrays[_name(one)].size):
                    place = self.replay.place(element)
                    declared = self.replay.ops.lifted(self.replay.read(one.initial, place))
                    found = float(self.arrays[_name(one)].flat[element])
                    self.tally.point(
                        declared, found, self._point(f"{_name(one)} before the first step", element)
                    )

    def _visible(self) -> Iterator[Definition]:
        """The definitions of what the kernel keeps in arrays."""
        for one in self.anatomy.definitions.values():
            if _name(one) in self.arrays:
                yield one

    @property
    def inputs(self) -> Arrays:
        """What is handed to the present step."""
        return self.replay.inputs[self.replay.now]

    def begin(
        self, examples: int, random: np.random.Generator, huge: Mapping[str, float] = HUGE
    ) -> None:
        """The next step, and what is handed to it: gradients, of so many examples if of each."""
        size, dtype = self.replay.size, self.tally.dtype
        shape = (examples, size) if self.anatomy.per_example else (size,)
        inputs = {self.subject.gradient: gradients(shape, dtype, random, huge)}
        for name in self.other_inputs:
            inputs[name] = gradients((size,), dtype, random, huge)
        self.replay.begin(inputs)

    def step(self) -> None:
        """The step of the kernel, and what the equations say of it."""
        self._judge_gradient_point()
        self.advance()
        for one in self._visible():
            self._judge(one)

    def advance(self) -> None:
        """The step of the kernel, which must take its inputs and leave them as they are."""
        inputs, handed = self.inputs, _copied(self.inputs)
        arguments = self.arguments(self.subject.arguments, {**self.arrays, **handed})
        try:
            with np.errstate(all="ignore"):
                self.subject.step(**arguments)
        except (TypeError, ValueError) as error:
            where = f"step {self.replay.now}"
            self.tally.refute(where, f"{self.tally.name}: the kernel refuses its inputs: {error}")
            return
        for name, array in inputs.items():
            if not np.array_equal(array, handed[name]):
                self.tally.refute(
                    f"{name}", f"{self.tally.name}: the kernel changes its input {name}"
                )
        self.replay.end(_copied(self.arrays))

    def _judge(self, one: Definition) -> None:
        array = self.arrays[_name(one)]
        for element in range(array.size):
            if self.tally.refuted:
                return
            place = self.replay.place(element)
            declared = self.replay.value(one.letter, self.replay.now + one.offset, place)
            if array.size == self.replay.size:
                declared = self.replay.ops.lifted(declared)
            point = self._point(one.id, element)
            self.tally.point(declared, float(array.flat[element]), point)

    def _judge_gradient_point(self) -> None:
        take = self.subject.gradient_point
        for one, where in self.anatomy.gradient_points:
            if take is None:
                if _is_elsewhere(where, self.anatomy):
                    self.tally.refute(
                        one.id,
                        f"{one.id} takes the gradient at {where}; the kernel does not say where",
                    )
                continue
            names = self.subject.point_arguments
            with np.errstate(all="ignore"):
                found = take(**self.arguments(names, _copied(self.arrays)))
            for element in range(self.replay.size):
                declared = self.replay.read(where, self.replay.place(element))
                point = self._point(f"{one.id}, gradient point", element)
                self.tally.point(declared, float(found.flat[element]), point)

    @property
    def other_inputs(self) -> list[str]:
        """Arguments that the rule reads and that are neither the gradient nor computed."""
        read = {x.base for one in self.anatomy.definitions.values() for x in entries(one.right)}
        names = {x.spelling.python for x in read if x not in self.anatomy.definitions}
        return sorted((names & set(self.subject.arguments)) - {self.subject.gradient})

    def _step_name(self) -> str:
        steps = (one.step for one in self.anatomy.definitions.values())
        return next((str(step.spelling.python) for step in steps if step is not None), "t")

    def arguments(self, names: tuple[str, ...], arrays: Arrays) -> dict[str, object]:
        """What a kernel is handed, by name: hyperparameters, the step, counts and these arrays.

        Raises
        ------
        UsageError
            If it takes what the rule does not know.
        """
        known: dict[str, object] = {**self.named, **arrays, self._step_name(): self.replay.now}
        known |= dict.fromkeys(self.anatomy.counts, self.replay.examples)
        for name in names:
            if name not in known:
                hint = nearest(name, known)
                raise UsageError(f"the kernel of {self.tally.name} takes {name}; {hint}")
        return {name: known[name] for name in names}

    def _point(self, what: str, element: int) -> Point:
        now = self.replay.now
        where = f"{what}, step {now}, element {element}" if now else f"{what}, element {element}"
        return Point(where, lambda: self._inputs(element))

    def _inputs(self, element: int) -> str:
        """The kernel's inputs at one component, as a reader would type them."""
        now = self.replay.now
        before = self.replay.states[max(now - 1, 0)]
        handed = self.replay.inputs[now]
        words = [f"{name} = {_at(array, element)}" for name, array in {**before, **handed}.items()]
        words += [f"{name} = {value!r}" for name, value in self.named.items()]
        return f"with {', '.join(words)} ({self.setting.word} hyperparameters)"


def _is_elsewhere(where: object, taken: Anatomy) -> bool:
    """Whether a gradient is taken at another point than the parameter as it stands."""
    if where == taken.parameter:
        return False
    definition = taken.definitions[taken.parameter]
    here = {(definition.step,), ()}
    base, indices = getattr(where, "base", None), getattr(where, "indices", None)
    plain = None if indices is None else tuple(x for x in indices if x == definition.step)
    return not (base == taken.parameter and plain in here)


def _at(array: np.ndarray, element: int) -> str:
    if array.ndim > 1:
        return str([float(x) for x in array[:, element]])
    return repr(float(array.flat[element if array.size > element else 0]))


def _name(one: Definition) -> str:
    name: str = one.letter.spelling.python
    return name


def _copied(arrays: Arrays) -> Arrays:
    return {name: array.copy() for name, array in arrays.items()}
