"""Requests of questions ⇒ derivations: a row a kind of request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from symopt.declaration import (
    Ask,
    BestInputs,
    DecayInLoss,
    Drift,
    Fading,
    FirstSteps,
    LargestStep,
    MiniBatch,
    NoiseAsPenalty,
    OnQuadratic,
    Question,
    SameTrajectory,
    ScaledWeights,
    Shrinkage,
    Unrolled,
)
from symopt.derivation.best_inputs import derive_best_inputs
from symopt.derivation.decay_in_loss import derive_decay_in_loss
from symopt.derivation.drift import derive_drift
from symopt.derivation.fading import derive_fading
from symopt.derivation.first_steps import derive_first_steps
from symopt.derivation.largest_step import derive_largest_step
from symopt.derivation.noise_as_penalty import derive_noise_as_penalty
from symopt.derivation.on_quadratic import derive_on_quadratic
from symopt.derivation.same_trajectory import derive_same_trajectory
from symopt.derivation.samples_of_examples import derive_batches
from symopt.derivation.scaled_weights import derive_scaled_weights
from symopt.derivation.shrinkage import derive_shrinkage
from symopt.derivation.steps import Derivation
from symopt.derivation.unrolled_step import derive_unrolled_step

ANSWERS: Mapping[type[Ask], Callable[[Any], tuple[Derivation, ...]]] = {
    BestInputs: derive_best_inputs,
    DecayInLoss: derive_decay_in_loss,
    Drift: derive_drift,
    Fading: derive_fading,
    FirstSteps: derive_first_steps,
    LargestStep: derive_largest_step,
    MiniBatch: derive_batches,
    NoiseAsPenalty: derive_noise_as_penalty,
    OnQuadratic: lambda one: derive_on_quadratic(one.rule),
    SameTrajectory: derive_same_trajectory,
    ScaledWeights: derive_scaled_weights,
    Shrinkage: derive_shrinkage,
    Unrolled: derive_unrolled_step,
}


@cache
def answers(question: Question) -> tuple[tuple[Ask, tuple[Derivation, ...]], ...]:
    """Each request of a question with its answer, line by line.

    Raises
    ------
    DerivationError
        In one sentence, where what is asked does not follow.
    """
    asked = (one.content for one in question.statements if isinstance(one.content, Ask))
    return tuple((one, ANSWERS[type(one)](one)) for one in asked)


def answer(question: Question) -> tuple[Derivation, ...]:
    """All that is asked, answered line by line; errors are those of :func:`answers`."""
    return tuple(found for _, several in answers(question) for found in several)
