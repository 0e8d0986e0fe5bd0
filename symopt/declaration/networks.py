"""A network as a value: layers in order, a loss, penalties, an update rule and when to stop."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

from symopt.declaration.checks import check_name
from symopt.declaration.configured import Configured
from symopt.declaration.statements import Drawn
from symopt.declaration.values import Declaration, Regularizer, UpdateRule
from symopt.errors import DeclarationError, nearest


@dataclass(frozen=True)
class Flatten:
    """Each example's numbers in one row, as they lie in memory: no arithmetic, and no kernel."""

    name: ClassVar[str] = "flatten"


flatten = Flatten()


@dataclass(frozen=True)
class Penalty:
    """λ·R(θ) on the learned letters of these Python names, in every layer; on all of none."""

    regularizer: Regularizer
    strength: float
    letters: tuple[str, ...] = ()


def penalty(regularizer: Regularizer, strength: float, *letters: str) -> Penalty:
    """A regularizer with its λ: ``penalty(l2, 1e-4, "W")`` is on all letters called W alone.

    Raises
    ------
    DeclarationError
        For what is no regularizer, or a strength that is no number from 0 on.
    """
    if not isinstance(regularizer, Regularizer):
        raise DeclarationError(
            f"penalty was given {_what(regularizer)}, but takes a regularizer; write "
            "penalty(l2, 1e-4)"
        )
    number = isinstance(strength, int | float) and not isinstance(strength, bool)
    if not number or not 0 <= strength < float("inf"):
        raise DeclarationError(
            f"the penalty {regularizer.name} has the strength {strength!r}; write a number λ from "
            "0 on"
        )
    wrong = [one for one in letters if not isinstance(one, str)]
    if wrong:
        raise DeclarationError(
            f"the penalty {regularizer.name} is on {wrong[0]!r}; name letters by words, such as "
            'penalty(l2, 1e-4, "W", "b")'
        )
    return Penalty(regularizer, float(strength), letters)


Part = Configured | Flatten


@dataclass(frozen=True, kw_only=True)
class Network(Declaration):
    """Layers in the order in which they follow each other, and how they are trained.

    ``inputs`` is the shape of one example. ``schedule`` gives the rule's α at each step, or after
    each look at the validation loss; ``stopping`` says from the same when training ends.
    """

    inputs: tuple[int, ...]
    layers: tuple[Part, ...]
    loss: Configured
    rule: Configured
    penalties: tuple[Penalty, ...] = ()
    schedule: Configured | None = None
    stopping: Configured | None = None

    kind: ClassVar[str] = "network"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """A name for each layer: the declaration's, numbered from its second place on."""
        names: list[str] = []
        owns = [one.name if isinstance(one, Flatten) else one.declared.name for one in self.layers]
        for own in owns:
            tries = (own, *(f"{own}_{k}" for k in range(2, len(owns) + 2)))
            # a number may make another layer's own name
            names.append(next(one for one in tries if one not in names))
        return tuple(names)

    @property
    def _distinct(self) -> tuple[object, ...]:
        several = (*self.layers, self.loss, self.rule, self.schedule, self.stopping)
        parts = tuple(one.distinct if isinstance(one, Configured) else one for one in several)
        owed = tuple((p.regularizer.fingerprint, p.strength, p.letters) for p in self.penalties)
        return (self.kind, self.name, self.inputs, parts, owed)


# kinds that a part may be of, with their articles
_KINDS: Mapping[str, Mapping[str, str]] = {
    "loss": {"loss": "a loss"},
    "rule": {"update rule": "an update rule"},
    "schedule": {"schedule": "a schedule", "monitor": "a monitor"},
    "stopping": {"monitor": "a monitor"},
}
_WORDS = ("layers", "loss", "penalties", "rule", "schedule", "stopping")


def network(*, inputs: tuple[int, ...], title: str = "", source: str = "") -> Callable[..., Any]:
    """A network: the decorated function returns its parts by name.

    ``inputs`` is the shape of one example, such as ``(64,)`` or ``(3, 32, 32)``. The parts are
    ``layers``, a list, each a layer or one with its settings such as ``dropout(p=0.5)``;
    ``loss``; ``rule``, an update rule; and, where they are wanted, ``penalties``, a list of
    ``penalty(l2, 1e-4)``; ``schedule``; ``stopping``.

    Raises
    ------
    DeclarationError
        Names the part that is missing or of the wrong kind.
    """

    def decorate(body: Callable[[], Any]) -> Network:
        name = body.__name__
        parts = body()
        if not isinstance(parts, Mapping):
            raise DeclarationError(
                f"{name} returns a {type(parts).__name__}; return a dict with its layers, its "
                "loss and its rule"
            )
        for word in parts:
            if word not in _WORDS:
                raise DeclarationError(f"{name} has no part '{word}'; {nearest(str(word), _WORDS)}")
        found = Network(
            name=name,
            statements=(),
            doc=inspect.cleandoc(body.__doc__ or ""),
            title=title or name.replace("_", " ").capitalize(),
            source=source,
            file=inspect.getsourcefile(body) or "",
            inputs=_shape(name, inputs),
            layers=_layers(name, parts.get("layers", ())),
            penalties=_penalties(name, parts.get("penalties", ())),
            loss=_needed(name, "loss", parts.get("loss")),
            rule=_needed(name, "rule", parts.get("rule")),
            schedule=_part(name, "schedule", parts.get("schedule")),
            stopping=_part(name, "stopping", parts.get("stopping")),
        )
        check_name(found)
        return found

    return decorate


def _shape(name: str, inputs: Any) -> tuple[int, ...]:
    whole = isinstance(inputs, tuple) and all(type(one) is int and one > 0 for one in inputs)
    if not whole or not inputs:
        raise DeclarationError(
            f"{name} has inputs={inputs!r}; write the shape of one example, such as (64,)"
        )
    return inputs


def _layers(name: str, several: Any) -> tuple[Part, ...]:
    if not isinstance(several, list | tuple) or not several:
        raise DeclarationError(f"{name} has no layers; write a list, such as [affine(K=10)]")
    return tuple(_layer(name, place, one) for place, one in enumerate(several, start=1))


def _layer(name: str, place: int, one: Any) -> Part:
    if isinstance(one, Flatten):
        return one
    part = _configured(one)
    if part is None or not part.declared.kind.endswith("layer"):
        raise DeclarationError(
            f"layer {place} of {name} is {_what(one)}; write a layer, such as relu"
        )
    return part


def _part(name: str, word: str, one: Any) -> Configured | None:
    return None if one is None else _needed(name, word, one)


def _needed(name: str, word: str, one: Any) -> Configured:
    part = _configured(one)
    if part is None or part.declared.kind not in _KINDS[word]:
        raise DeclarationError(
            f"the {word} of {name} is {_what(one)}; give it {' or '.join(_KINDS[word].values())}"
        )
    return part


def _penalties(name: str, several: Any) -> tuple[Penalty, ...]:
    if not isinstance(several, list | tuple):
        raise DeclarationError(
            f"{name} has the penalties {several!r}; write a list, such as [penalty(l2, 1e-4)]"
        )
    wrong = [one for one in several if not isinstance(one, Penalty)]
    if wrong:
        raise DeclarationError(
            f"{name} has the penalty {_what(wrong[0])}; write penalty(l2, 1e-4), a regularizer "
            "and its λ"
        )
    return tuple(several)


def _configured(one: Any) -> Configured | None:
    if isinstance(one, Declaration):
        return Configured(one)
    return one if isinstance(one, Configured) else None


def _what(one: Any) -> str:
    part = _configured(one)
    return repr(one) if part is None else f"{part.declared.name}, {part.declared.a_kind}"


def draws(part: Part) -> bool:
    """Whether a layer draws at random in training."""
    return isinstance(part, Configured) and any(
        isinstance(one.content, Drawn) for one in part.declared.statements
    )


def trained_by(declared: Network, rule: UpdateRule, schedule: Configured | None) -> Network:
    """The network with another update rule, at its defaults, and another schedule."""
    return replace(declared, rule=Configured(rule), schedule=schedule)


def parts_of(declared: Network) -> Iterable[Configured]:
    """All declarations that a network is made of, each with its settings."""
    owed = (Configured(one.regularizer) for one in declared.penalties)
    training = (declared.loss, *owed, declared.rule, declared.schedule, declared.stopping)
    return (one for one in (*declared.layers, *training) if isinstance(one, Configured))
