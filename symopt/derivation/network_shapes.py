"""What goes from layer to layer of a network: shapes, sizes, counts."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from sympy import Expr

from symopt.declaration import Configured, Flatten, Layer, Loss, Network, TensorLayer
from symopt.derivation.forward import forward, leaves
from symopt.derivation.network_letters import compared
from symopt.derivation.small_sizes import whole
from symopt.derivation.tensor_sizes import operations, tensor_shapes
from symopt.errors import UsageError
from symopt.nodes import Largest, Sigma
from symopt.notation import Count, Label
from symopt.printing.unicode import unicode

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Stage:
    """A layer at its place: the shapes of one example before and after it, and what it costs.

    ``sizes`` are those that its class takes, by name. ``operations`` counts additions,
    multiplications, quotients and functions of the forward pass of one example.
    """

    name: str
    part: Configured | Flatten
    inputs: Shape
    outputs: Shape
    sizes: tuple[tuple[str, int], ...] = ()
    parameters: int = 0
    operations: int = 0


def stages(network: Network) -> tuple[Stage, ...]:
    """The layers of a network with all shapes known.

    Raises
    ------
    UsageError
        Where a layer does not take the shape that the one before it gives, with both.
    """
    found: list[Stage] = []
    shape, giver = network.inputs, "the input"
    for name, part in zip(network.names, network.layers, strict=True):
        try:
            stage = _stage(name, part, shape)
        except UsageError as error:
            raise UsageError(
                f"{network.name}: {giver} gives {shape} to {name}, which does not fit: {error}"
            ) from error
        found.append(stage)
        shape, giver = stage.outputs, name
    return tuple(found)


def comparison(network: Network, last: Stage) -> tuple[str, str]:
    """The Python names of what the loss of a network reads: its output, and what that is held to.

    Raises
    ------
    UsageError
        If the loss does not say which is which, or its labels tell a single class.
    """
    loss = network.loss.declared
    assert isinstance(loss, Loss)  # as the network has checked
    names = compared(loss)
    if loss.symbols(Label) and last.outputs[:1] == (1,):
        raise UsageError(
            f"{network.name} ends in {last.name} with one output, but {loss.name} has a label for "
            "each of several; give it two outputs or more"
        )
    return names


def _stage(name: str, part: Configured | Flatten, shape: Shape) -> Stage:
    if isinstance(part, Flatten):
        return Stage(name, part, shape, (prod(shape),))
    declared = part.declared
    if isinstance(declared, Layer):
        _, inputs = leaves(forward(declared))
        if len(inputs) != 1:
            letters = " and ".join(unicode(one) for one in inputs)
            raise UsageError(f"{declared.name} reads {letters}; a chain of layers passes on one")
        learned, _ = leaves(forward(declared))
        count = len(learned) * _parameters(declared, shape)
        return Stage(name, part, shape, shape, (), count, _operations(declared, shape))
    assert isinstance(declared, TensorLayer)  # as the network has checked
    return _tensor_stage(name, part, declared, shape)


def _tensor_stage(name: str, part: Configured, layer: TensorLayer, shape: Shape) -> Stage:
    sizes, outputs = tensor_shapes(layer, shape, part.chosen)
    given = tuple(one for one in outputs if one is not None)
    known = {one: sizes[one.spelling.python] for one in layer.symbols(Count)
             if one.spelling.python in sizes}  # fmt: skip
    count = sum(
        prod(whole(one, known) for one in layer.outline.shapes[letter])
        for letter in layer.outline.learned
    )
    # a product is a multiplication and an addition
    cost = 2 * operations(layer, sizes)
    return Stage(name, part, shape, given, tuple(sizes.items()), count, cost)


def _parameters(layer: Layer, shape: Shape) -> int:
    """How many numbers one learned letter has."""
    return prod(shape) if "E" in layer.axes.parameters else shape[0]


def _operations(layer: Layer, shape: Shape) -> int:
    """Operations on each element; what a group shares is a small part of them, left out."""
    return prod(shape) * sum(_of_one(one.written) for one in forward(layer))


def _of_one(expr: Expr) -> int:
    """Operations for one element of an equation, terms of its sums among them."""
    totals = expr.atoms(Sigma, Largest)
    if totals:
        return sum(int(one.body.count_ops()) + 1 for one in totals)
    return int(expr.count_ops())
