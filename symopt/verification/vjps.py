"""The gradients that a rule's kernels give, at some steps of each run."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np

from symopt.nodes import Sigma
from symopt.notation import sequence
from symopt.verification.anatomy import Anatomy
from symopt.verification.cases import HUGE_IN_GRADIENTS, Setting
from symopt.verification.definitions import Definition
from symopt.verification.one_step import OneStep, Source, Unclear
from symopt.verification.quantity import FORMATS
from symopt.verification.rule_runs import Run
from symopt.verification.rule_subject import Subject, Vjp
from symopt.verification.step_equations import StepEquations
from symopt.verification.unnamed_states import stands_for
from symopt.verification.verdict import Tally
from symopt.verification.vjp_spoilt import judge_spoilt_step
from symopt.verification.vjp_trials import Judged, VjpTrial
from symopt.views import occurrences

STEP, POINT = "step_vjp", "gradient_point_vjp"


class Vjps:
    """The gradients of one rule's kernels under judgement; ``tally`` counts them alone."""

    def __init__(
        self,
        taken: Anatomy,
        subject: Subject,
        dtype: str,
        setting: Setting,
        seed: int,
    ) -> None:
        self.anatomy, self.subject = taken, subject
        name = taken.declared.name
        self.tally = Tally(name, dtype, FORMATS[dtype])
        self.random = np.random.default_rng([seed, zlib.crc32(f"{name}, {STEP}".encode())])
        self.unjudged: dict[str, str] = {}  # the names of gradients, each with the reason
        self.present = {
            name: vjp
            for name, vjp in ((STEP, subject.step_vjp), (POINT, subject.point_vjp))
            if vjp is not None
        }
        self.unnamed: Mapping[str, Source | None] = {}
        if self.present:
            self.unnamed = stands_for(taken, subject, dtype, setting, self.random)
        self._judged: dict[tuple[str, int], Judged] = {}

    def judge(
        self, setting: Setting, theta: np.ndarray, examples: int, length: int, many: bool
    ) -> None:
        """Each gradient at the first two steps of a run and the last, there of ``many`` elements.

        A kernel that takes wrong steps is refuted for those; the gradients are of what is declared.
        """
        if not self.present:
            return
        steps = Tally(self.tally.name, self.tally.dtype, self.tally.form)
        run = Run(self.anatomy, self.subject, steps, setting, theta)
        for now in range(1, length + 1):
            run.begin(examples, self.random, HUGE_IN_GRADIENTS)
            if now in (1, 2, length):
                self._judge_at(run, many and now == length)
            run.advance()
            if steps.refuted:
                return

    def _judge_at(self, run: Run, many: bool) -> None:
        """Each gradient at the present step, before the kernel takes it."""
        for name, vjp in self.present.items():
            if self.tally.refuted or name in self.unjudged:
                continue
            try:
                trial = VjpTrial(self._ready(name, vjp, run), run, self.tally, self.random)
            except Unclear as reason:
                self.unjudged[name] = str(reason)
                continue
            trial.judge()
            if many:
                trial.judge_many()
                judge_spoilt_step(trial)

    def _ready(self, name: str, vjp: Vjp, run: Run) -> Judged:
        key = (name, run.replay.examples)
        if key not in self._judged:
            self._judged[key] = self._made(name, vjp, run)
        return self._judged[key]

    def _made(self, name: str, vjp: Vjp, run: Run) -> Judged:
        taken, examples = self.anatomy, run.replay.examples
        inputs = (self.subject.gradient, *run.other_inputs)
        made = self._of_point() if name == POINT else self._of_step(run)
        outputs = [one for one, _ in made.values()]
        one = OneStep(taken, outputs, examples, self.subject.gradient, inputs)
        held, carried = self._arrays(run)
        unnamed = {x: y for x, y in self.unnamed.items() if y is not None and y not in one.data}
        whole = {y: x for x, y in self.unnamed.items() if y in one.data}
        return Judged(
            name,
            vjp,
            StepEquations(one),
            {x: source for x, (_, source) in made.items()},
            held | whole,
            carried,
            unnamed,
            any(y is None and run.arrays[x].size == 1 for x, y in self.unnamed.items()),
        )

    def _of_point(self) -> dict[str, tuple[Definition, Source]]:
        """The point of the gradient as a new value."""
        (one, where), *_ = self.anatomy.gradient_points
        letter = sequence("point")
        return {"point": (Definition(one.id, letter, one.step, 0, where), letter)}

    def _of_step(self, run: Run) -> dict[str, tuple[Definition, Source]]:
        """What each array holds after the step, and the equation that says so."""
        found: dict[str, tuple[Definition, Source]] = {}
        for letter, one in self.anatomy.definitions.items():
            if letter.spelling.python in run.arrays:
                found[letter.spelling.python] = (one, letter)
            for name, source in self.unnamed.items():
                if source and source in (letter, *occurrences(one.right, Sigma)):
                    found[name] = (one, source)
        return found

    def _arrays(self, run: Run) -> tuple[dict[Source, str], dict[Source, str]]:
        """The arrays with a number for each element, and those of one number, by what they hold.

        Raises
        ------
        Unclear
            If what is a number stands in an array of all elements.
        """
        held: dict[Source, str] = {}
        carried: dict[Source, str] = {}
        for letter in self.anatomy.definitions:
            name = letter.spelling.python
            if name not in run.arrays:
                continue
            if letter in self.anatomy.driven:
                held[letter] = name
            elif run.arrays[name].size != 1:
                raise Unclear(f"{name} is a number, but stands in an array of all elements")
            else:
                carried[letter] = name
        return held, carried

    @property
    def note(self) -> str:
        """What was judged, in words."""
        words = []
        judged = [name for name in self.present if name not in self.unjudged]
        if judged:
            error, bound, where = self.tally.worst
            words.append(
                f"{' and '.join(judged)} judged at {self.tally.points} points, worst error "
                f"{error:.2f} where {bound:.2f} is allowed, at {where}"
            )
        words += [f"{name} was not judged: {why}" for name, why in self.unjudged.items()]
        unknown = [name for name, source in self.unnamed.items() if source is None]
        if judged and unknown:
            words.append(
                f"what {', '.join(unknown)} stands for is not declared, so that gradients by "
                "numbers were not judged"
            )
        return "; ".join(words)
