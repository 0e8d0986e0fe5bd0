"""What is drawn, told by itself, and what is refused of the numbers that it is drawn by."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symopt.verification.cases import admits, by_name
from symopt.verification.chance import MOST, settled_draws
from symopt.verification.declared import Declared
from symopt.verification.layer_anatomy import LayerAnatomy
from symopt.verification.layer_cases import Case
from symopt.verification.layer_subject import LayerSubject
from symopt.verification.trials import Trial
from symopt.verification.verdict import Tally

# of one element to more than a block of 1024, and of lengths that four does not divide
_SHAPES = ((), (0,), (1,), (6,), (3, 1, 7), (2, 1027))
_NO_WORDS = (-1, MOST, 1.0, 0.5, math.nan, "1", None, True)


def judge_draws(
    anatomy: LayerAnatomy,
    subject: LayerSubject,
    tally: Tally,
    case: Case,
    random: np.random.Generator,
) -> None:
    """Whether the mask is the declared one; nothing is asked of a layer that draws nothing.

    Where kernels check what they are handed, they refuse what is no seed, no step, or no number
    in its range.
    """
    if anatomy.drawn and not tally.refuted:
        one = _Draws(anatomy, subject, tally, case, random)
        one.masks()
        if subject.checks:
            one.refusals()


class _Draws:
    """One setting of the hyperparameters."""

    def __init__(
        self,
        anatomy: LayerAnatomy,
        subject: LayerSubject,
        tally: Tally,
        case: Case,
        random: np.random.Generator,
    ) -> None:
        self.anatomy, self.subject, self.tally = anatomy, subject, tally
        self.case, self.random = case, random
        self.numbers = by_name(case.setting.values)

    def _refute(self, what: str, words: str) -> None:
        where = f"{self.tally.name}, {what}"
        self.tally.refute(where, f"{where}: {words} ({self.case.setting.word} hyperparameters)")

    def masks(self) -> None:
        """The mask of several shapes, each with words of its own."""
        if self.subject.mask is None:
            return
        here = Declared(self.anatomy, self.case, self.tally.form, {})
        for shape in _SHAPES:
            chosen, drawn = settled_draws(
                self.anatomy.drawn, shape, here.ops, here.numbers, self.random
            )
            known = {"shape": shape, **chosen, **self.numbers}
            with_words = ", ".join(f"{name} = {value}" for name, value in chosen.items())
            words = f"of shape {shape} with {with_words}"
            try:
                found = self.subject.mask(**{x: known[x] for x in self.subject.mask_arguments})
            except (ValueError, TypeError) as error:
                self._refute("mask", f"{words} it is refused: {error}")
                return
            masks = map(np.asarray, found if isinstance(found, tuple) else (found,))
            for (name, declared), mask in zip(drawn.items(), masks, strict=True):
                if mask.dtype != np.bool_ or mask.shape != shape:
                    self._refute(f"mask, {name}", f"{words} it is {mask.dtype} of {mask.shape}")
                elif (mask != declared).any():
                    off = int(np.flatnonzero(mask.ravel() != declared.ravel())[0])
                    self._refute(f"mask, {name}", f"{words} it is not as declared at {off}")

    def refusals(self) -> None:
        """What is no seed, no step or no number in its range is refused, by every kernel."""
        for what, kernel, handed in self._kernels():
            for name, wrong in self._wrong():
                if name in handed:
                    self._refusing(what, kernel, {**handed, name: wrong}, name, wrong)

    def _kernels(self) -> Iterator[tuple[str, Callable[..., Any], dict[str, Any]]]:
        """All that draws, with arguments that fit; a class where it needs no sizes."""
        trial = Trial(self.anatomy, self.subject, self.tally, self.case, self.random)
        forward, known, subject = trial.ask_forward(), trial.known(), self.subject
        if forward is None or forward.refused:
            return
        known |= {x: forward.arrays[x] for x in subject.results[1:]}
        known["shape"] = self.case.arrangement.shape
        for what, kernel, names in (
            ("forward", subject.forward, subject.forward_arguments),
            ("backward", subject.backward, subject.backward_arguments),
            ("mask", subject.mask, subject.mask_arguments),
            ("the class", subject.make, subject.make_arguments),
        ):
            if kernel is not None and all(x in known for x in names):
                yield what, kernel, {x: known[x] for x in names}

    def _wrong(self) -> Iterator[tuple[str, Any]]:
        """Arguments outside of their ranges, by name."""
        for name in ("seed", "step"):
            yield from ((name, wrong) for wrong in _NO_WORDS)
        for one in self.anatomy.hyperparameters:
            ends = (float(one.domain.inf), float(one.domain.sup))
            wrong = [math.nan, *ends, ends[0] - 1, ends[1] + 1, -math.inf, math.inf]
            for value in wrong:
                if math.isnan(value) or not admits(one.domain, value):
                    yield one.spelling.python, value

    def _refusing(
        self, what: str, kernel: Callable[..., Any], handed: dict[str, Any], name: str, wrong: Any
    ) -> None:
        try:
            kernel(**handed)
        except ValueError:
            return
        except Exception as error:  # whatever it is, it is no refusal
            self._refute(what, f"{name} = {wrong!r} raises {type(error).__name__}: {error}")
            return
        self._refute(what, f"{name} = {wrong!r} is not refused")
