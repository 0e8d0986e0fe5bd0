"""The layers of a network under their numbers, each with letters of its own."""

from __future__ import annotations

from dataclasses import dataclass

from symopt.declaration import Configured, Network
from symopt.derivation.network_letters import AnyLayer, Letters, letters_at, signal


@dataclass(frozen=True)
class Place:
    """A layer or the loss under its number, its letters replaced."""

    name: str
    part: Configured
    declared: AnyLayer
    number: int
    letters: Letters


def places(network: Network) -> tuple[Place, ...]:
    """Layers with their numbers, then the loss; what only changes shapes has no letters."""
    parts = [
        (name, one)
        for name, one in zip(network.names, network.layers, strict=True)
        if isinstance(one, Configured)
    ]
    parts.append((network.loss.declared.name, network.loss))
    between = signal(part.declared for _, part in parts)
    return tuple(
        Place(name, part, part.declared, number, letters_at(part.declared, number, between))
        for number, (name, part) in enumerate(parts, start=1)
        if isinstance(part.declared, AnyLayer)  # as the network has checked
    )
