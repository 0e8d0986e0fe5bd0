"""A network for other examples than those that it was declared for."""

from __future__ import annotations

from dataclasses import replace

from symopt.declaration import Configured, Network, TensorLayer
from symopt.errors import UsageError


def fitted(network: Network, inputs: tuple[int, ...], outputs: int) -> Network:
    """The network for examples of this shape, with so many outputs for each.

    Raises
    ------
    UsageError
        If its last layer has no size that says how many outputs there are.
    """
    *others, last = network.layers
    if isinstance(last, Configured) and isinstance(last.declared, TensorLayer):
        # the first axis counts examples, the second is that of the classes
        name = last.declared.outline.output_shape[1].spelling.python
        if name in last.declared.own_sizes:
            widened = last.declared(**{**last.chosen, name: outputs})
            return replace(network, inputs=inputs, layers=(*others, widened))
    raise UsageError(
        f"{network.name} ends in {network.names[-1]}, of which no size says how many outputs "
        f"there are; let it end in a layer such as affine(K={outputs})"
    )
