"""Requests of questions ⇒ derivations: a row a kind of request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symopt.declaration import Ask, OnQuadratic, Question
from symopt.derivation.on_quadratic import on_quadratic
from symopt.derivation.steps import Derivation

ANSWERS: Mapping[type[Ask], Callable[[Any], tuple[Derivation, ...]]] = {
    OnQuadratic: lambda one: on_quadratic(one.rule),
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
