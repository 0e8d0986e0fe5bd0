"""An update rule's kernel beside its declaration, step by step."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from symopt.declaration import UpdateRule
from symopt.errors import UsageError, nearest
from symopt.verification.anatomy import Anatomy, anatomy
from symopt.verification.cases import Setting, by_name, gradients, settings, starts
from symopt.verification.definitions import Definition, entries
from symopt.verification.quantity import FORMATS
from symopt.verification.replay import Arrays, Replay
from symopt.verification.verdict import Point, Tally, Verdict

_EXAMPLES = (5, 1, 3)
_SHORT = 3  # runs at the ends of ranges are shorter by this factor

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Subject:
    """A kernel under judgement, as callables.

    ``step`` updates arrays in place and takes the names in ``arguments``; ``states(theta)`` gives
    the arrays before the first step, among them any that the declaration does not know.
    ``state_arguments`` names hyperparameters that ``states`` takes besides. ``gradient_point``
    gives the array at which the next gradient is to be taken.
    """

    step: Callable[..., None]
    arguments: tuple[str, ...]
    states: Callable[..., Arrays]
    gradient_point: Callable[..., np.ndarray] | None = None
    point_arguments: tuple[str, ...] = ()
    state_arguments: tuple[str, ...] = ()
    gradient: str = "g"


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
    done = 0
    for number, (setting, length) in enumerate(zip(tried, lengths, strict=True)):
        examples = _EXAMPLES[number % len(_EXAMPLES)]
        run = _Run(taken, subject, tally, setting, starts(size, dtype, random))
        shape = (examples, size) if taken.per_example else (size,)
        for _ in range(length):
            run.step(gradients(shape, dtype, random), random)
            done += 1
            if progress is not None:
                progress(done, sum(lengths))
            if tally.refuted:
                return tally.verdict()
    return tally.verdict()


class _Run:
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

    def step(self, gradient: np.ndarray, random: np.random.Generator) -> None:
        """One step of the kernel, and what the equations say of it."""
        inputs = {self.subject.gradient: gradient}
        for name in self._other_inputs():
            inputs[name] = gradients(gradient.shape[-1:], self.tally.dtype, random)
        self.replay.begin(inputs)
        self._judge_gradient_point()
        handed = _copied(inputs)
        arguments = self._arguments(self.subject.arguments, {**self.arrays, **handed})
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
        for one in self._visible():
            self._judge(one)

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
                found = take(**self._arguments(names, _copied(self.arrays)))
            for element in range(self.replay.size):
                declared = self.replay.read(where, self.replay.place(element))
                point = self._point(f"{one.id}, gradient point", element)
                self.tally.point(declared, float(found.flat[element]), point)

    def _other_inputs(self) -> list[str]:
        """Arguments that the rule reads and that are neither the gradient nor computed."""
        read = {x.base for one in self.anatomy.definitions.values() for x in entries(one.right)}
        names = {x.spelling.python for x in read if x not in self.anatomy.definitions}
        return sorted((names & set(self.subject.arguments)) - {self.subject.gradient})

    def _step_name(self) -> str:
        steps = (one.step for one in self.anatomy.definitions.values())
        return next((str(step.spelling.python) for step in steps if step is not None), "t")

    def _arguments(self, names: tuple[str, ...], arrays: Arrays) -> dict[str, object]:
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
