"""A question as a value: what is asked about other declarations, and answered by derivation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sympy import Expr

from symopt.declaration.checks import check_name
from symopt.declaration.statements import Ask, Statement
from symopt.declaration.values import Declaration, Layer, Regularizer, UpdateRule
from symopt.errors import DeclarationError
from symopt.notation import Hyperparameter

_STEPS = 10


@dataclass(frozen=True)
class Question(Declaration):
    """What a lecture asks, or a reader: requests about declarations, each answered line by line."""

    kind: ClassVar[str] = "question"

    @property
    def _distinct(self) -> tuple[object, ...]:
        asked = tuple((one.key, type(one.content).__name__, _parts(one)) for one in self.statements)
        return (self.kind, self.name, asked)


def _parts(statement: Statement) -> tuple[object, ...]:
    """What a request holds, declarations by their fingerprints, which know no paths."""
    values = vars(statement.content).values()
    return tuple(one.fingerprint if isinstance(one, Declaration) else one for one in values)


@dataclass(frozen=True)
class AboutRule(Ask):
    """What is asked about one update rule."""

    rule: UpdateRule

    def __post_init__(self) -> None:
        if not isinstance(self.rule, UpdateRule):
            raise DeclarationError(
                f"{type(self).__name__} was given {_what(self.rule)}; give it an update rule"
            )


@dataclass(frozen=True)
class OnQuadratic(AboutRule):
    """When does the rule converge where the gradient is λ(θ − θ*), how fast, and best at what?"""

    @property
    def sentence(self) -> tuple[str | Expr, ...]:
        """What is asked, in words."""
        return (f"{self.rule.title} on a quadratic: when does it converge, and how fast at best?",)


@dataclass(frozen=True)
class FirstSteps(AboutRule):
    """What are the rule's first steps, as functions of the gradient?

    ``small`` is a hyperparameter that is there to keep a divisor from zero; what it does is asked.
    """

    small: Hyperparameter | None = None
    steps: int = _STEPS

    @property
    def sentence(self) -> tuple[str | Expr, ...]:
        """What is asked, in words."""
        return (f"the first {self.steps} steps of {self.rule.title} as functions of the gradient",)


@dataclass(frozen=True)
class LargestStep(AboutRule):
    """How far can one step lead, whatever the gradients are?"""

    @property
    def sentence(self) -> tuple[str | Expr, ...]:
        """What is asked, in words."""
        return (f"the largest step of {self.rule.title}, whatever the gradients are",)


@dataclass(frozen=True)
class Unrolled(AboutRule):
    """What is a step as a sum over all gradients, and where does a constant gradient lead?"""

    @property
    def sentence(self) -> tuple[str | Expr, ...]:
        """What is asked, in words."""
        return (f"a step of {self.rule.title} as a sum over all gradients so far",)


@dataclass(frozen=True)
class Drift(AboutRule):
    """What is left of the bias of corrected averages where the mean of the gradient drifts?"""

    @property
    def sentence(self) -> tuple[str | Expr, ...]:
        """What is asked, in words."""
        return (f"the bias that remains in {self.rule.title} where the gradient's mean drifts",)


@dataclass(frozen=True)
class Fading(AboutRule):
    """Do steps vanish where gradients stay between two bounds, and how fast?"""

    @property
    def sentence(self) -> tuple[str | Expr, ...]:
        """What is asked, in words."""
        return (f"whether steps of {self.rule.title} fade where gradients do not",)


@dataclass(frozen=True)
class SameTrajectory(AboutRule):
    """Are two rules one in other letters, whatever the loss is? The change of letters is found."""

    other: UpdateRule

    @property
    def sentence(self) -> tuple[str | Expr, ...]:
        """What is asked, in words."""
        return (f"{self.rule.title} and {self.other.title}: one rule in other letters?",)


@dataclass(frozen=True)
class DecayInLoss(AboutRule):
    """Is a penalty in the loss the same as parameters that shrink by a factor at each step?"""

    penalty: Regularizer

    @property
    def sentence(self) -> tuple[str | Expr, ...]:
        """What is asked, in words."""
        return (
            f"{self.penalty.title} in the loss of {self.rule.title}: the same as parameters that "
            "shrink by a factor?",
        )


@dataclass(frozen=True)
class MiniBatch(AboutRule):
    """What are mean and variance of the gradient of a batch, over the ways to draw it?"""

    @property
    def sentence(self) -> tuple[str | Expr, ...]:
        """What is asked, in words."""
        return (f"mean and variance of the gradient of a batch in {self.rule.title}",)


@dataclass(frozen=True)
class AboutLayer(Ask):
    """What is asked about one layer or loss."""

    layer: Layer

    def __post_init__(self) -> None:
        if not isinstance(self.layer, Layer):
            raise DeclarationError(
                f"{type(self).__name__} was given {_what(self.layer)}; give it a layer or a loss"
            )


@dataclass(frozen=True)
class ScaledWeights(AboutLayer):
    """What does the scale of the weights before a layer do to their gradient?"""

    @property
    def sentence(self) -> tuple[str | Expr, ...]:
        """What is asked, in words."""
        return (f"the gradient of weights before {self.layer.title} where these are scaled",)


@dataclass(frozen=True)
class NoiseAsPenalty(AboutLayer):
    """What does a layer with random letters add to the squared error of a linear model?"""

    @property
    def sentence(self) -> tuple[str | Expr, ...]:
        """What is asked, in words."""
        return (f"what {self.layer.title} adds to the squared error of a linear model",)


@dataclass(frozen=True)
class BestInputs(AboutLayer):
    """For which inputs is a loss smallest, its targets given?"""

    @property
    def sentence(self) -> tuple[str | Expr, ...]:
        """What is asked, in words."""
        return (f"the inputs at which {self.layer.title} is smallest",)


@dataclass(frozen=True)
class Shrinkage(Ask):
    """Where is a quadratic smallest once a penalty is added to it?"""

    penalty: Regularizer

    @property
    def sentence(self) -> tuple[str | Expr, ...]:
        """What is asked, in words."""
        return (f"where a quadratic is smallest once {self.penalty.title} is added",)


def _what(one: Any) -> str:
    return f"{one.name}, {one.a_kind}" if isinstance(one, Declaration) else repr(one)


def question(*, title: str = "", source: str = "") -> Callable[..., Any]:
    """A question: the decorated function returns what is asked, by key; its text asks in words.

    Raises
    ------
    DeclarationError
        Names what is no request, or what it is asked about wrongly.
    """

    def decorate(body: Callable[[], Any]) -> Question:
        name = body.__name__
        asked = body()
        if not isinstance(asked, Mapping) or not asked:
            raise DeclarationError(
                f"{name} asks nothing; return a dict of requests, such as "
                '{"steps": FirstSteps(adam)}'
            )
        for key, one in asked.items():
            if not isinstance(one, Ask):
                raise DeclarationError(
                    f"{name}.{key} is {_what(one)}, which asks nothing; write a request such as "
                    "FirstSteps(adam)"
                )
        found = Question(
            name=name,
            statements=tuple(Statement(key, one) for key, one in asked.items()),
            doc=inspect.cleandoc(body.__doc__ or ""),
            source=source,
            title=title or name.replace("_", " ").capitalize(),
            file=inspect.getsourcefile(body) or "",
        )
        check_name(found)
        return found

    return decorate
