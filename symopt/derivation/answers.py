"""Requests of questions ⇒ derivations: a row a kind of request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from symopt.derivation.best_inputs import best_inputs
from symopt.derivation.decay_in_loss import decay_in_loss
from symopt.derivation.drift import drift
from symopt.derivation.fading import fading
from symopt.derivation.first_steps import first_steps
from symopt.derivation.largest_step import largest_step
from symopt.derivation.noise_as_penalty import noise_as_penalty
from symopt.derivation.on_quadratic import on_quadratic
from symopt.derivation.same_trajectory import same_trajectory
from symopt.derivation.samples_of_examples import batches
from symopt.derivation.scaled_weights import scaled_weights
from symopt.derivation.shrinkage import shrinkage
from symopt.derivation.steps import Derivation
from symopt.derivation.unrolled_step import unrolled_step

ANSWERS: Mapping[type[Ask], Callable[[Any], tuple[Derivation, ...]]] = {
    BestInputs: best_inputs,
    DecayInLoss: decay_in_loss,
    Drift: drift,
    Fading: fading,
    FirstSteps: first_steps,
    LargestStep: largest_step,
    MiniBatch: batches,
    NoiseAsPenalty: noise_as_penalty,
    OnQuadratic: lambda one: on_quadratic(one.rule),
    SameTrajectory: same_trajectory,
    ScaledWeights: scaled_weights,
    Shrinkage: shrinkage,
    Unrolled: unrolled_step,
}


def answer(question: Question) -> tuple[Derivation, ...]:
    """All that is asked, answered line by line.

    Raises
    ------
    DerivationError
        In one sentence, where what is asked does not follow.
    """
    asked = (one.content for one in question.statements if isinstance(one.content, Ask))
    return tuple(found for one in asked for found in ANSWERS[type(one)](one))
