"""A network in numbers: what goes from layer to layer, what is learned, what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from symopt.declaration import Network
from symopt.derivation.network_shapes import Stage, stages

_HEADINGS = ("layer", "shape of one example", "parameters", "operations")


@dataclass(frozen=True)
class Summary:
    """The layers of a network, each with the shape that it gives, its parameters, its operations.

    Operations are additions, multiplications, quotients and functions in the forward pass of one
    example.
    """

    network: str
    inputs: tuple[int, ...]
    stages: tuple[Stage, ...]

    @property
    def parameters(self) -> int:
        """How many numbers the network learns."""
        return sum(one.parameters for one in self.stages)

    @property
    def operations(self) -> int:
        """What one example costs in the forward pass."""
        return sum(one.operations for one in self.stages)

    def json(self) -> dict[str, Any]:
        """The summary for machines."""
        return {
            "network": self.network,
            "inputs": list(self.inputs),
            "layers": [
                {
                    "name": one.name,
                    "shape": list(one.outputs),
                    "parameters": one.parameters,
                    "operations": one.operations,
                }
                for one in self.stages
            ],
            "parameters": self.parameters,
            "operations": self.operations,
        }

    def rows(self) -> tuple[tuple[str, str, str, str], ...]:
        """The input, a row for each layer, and the totals, in words."""
        layers = [
            (one.name, str(one.outputs), f"{one.parameters:,}", f"{one.operations:,}")
            for one in self.stages
        ]
        total = ("in all", "", f"{self.parameters:,}", f"{self.operations:,}")
        return (("input", str(self.inputs), "", ""), *layers, total)

    def __str__(self) -> str:
        table = (_HEADINGS, *self.rows())
        widths = [max(len(row[column]) for row in table) for column in range(len(_HEADINGS))]
        lines = []
        for row in table:
            words = [one.ljust(width) for one, width in zip(row[:2], widths[:2], strict=True)]
            numbers = [one.rjust(width) for one, width in zip(row[2:], widths[2:], strict=True)]
            lines.append("  ".join((*words, *numbers)).rstrip())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{one}</th>" for one in _HEADINGS)
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(one)}</td>' for one in row)}</tr>" for row in self.rows()
        )
        return f"<table><tr>{head}</tr>{body}</table>"


def summary(network: Network) -> Summary:
    """The layers of a network with shapes, parameters and operations.

    Raises
    ------
    UsageError
        Where a layer does not take what the one before it gives.
    """
    return Summary(network.name, network.inputs, stages(network))
