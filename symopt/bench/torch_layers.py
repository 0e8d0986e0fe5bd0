"""Layers as PyTorch has them, by the functions behind its modules.

Where PyTorch has the backward pass as a function, that is called, without its recording of graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from symopt.bench.passes import Given, Passes

ALL = [True, True, True]


def variants(kind: str, given: Given, threads: int) -> Iterator[tuple[str, Passes]]:
    """PyTorch's ways to do this, by name."""
    import torch

    torch.set_num_threads(threads)
    make = KINDS[kind]
    x, dy = _tensor(given.x), _tensor(given.dy)
    yield "torch", make(given, x, dy)
    if kind == "over_batch" and x.dim() == 4:
        last = torch.channels_last
        yield (
            "torch channels-last",
            make(given, x.to(memory_format=last), dy.to(memory_format=last)),
        )


def _tensor(array: Any) -> Any:
    import torch

    return torch.from_numpy(array)


def _over_batch(given: Given, x: Any, dy: Any) -> Passes:
    import torch

    gamma, beta, epsilon = _tensor(given["gamma"]), _tensor(given["beta"]), given["epsilon"]
    mean, variance = torch.zeros(x.shape[1]), torch.ones(x.shape[1])
    kept: list[Any] = []

    def forward(training: bool = True) -> dict[str, Any]:
        y, *kept[:] = torch.native_batch_norm(
            x, gamma, beta, mean, variance, training, given["alpha"], epsilon
        )
        return {"y": y}

    def backward() -> dict[str, Any]:
        found = torch.ops.aten.native_batch_norm_backward(
            dy, x, gamma, mean, variance, *kept, True, epsilon, ALL
        )
        return _gradients(found)

    note = "its running variance has n − 1 in place of n"
    return Passes(forward, backward, lambda: forward(training=False), note=note)


def _over_elements(given: Given, x: Any, dy: Any) -> Passes:
    import torch

    gamma, beta, epsilon = _tensor(given["gamma"]), _tensor(given["beta"]), given["epsilon"]
    kept: list[Any] = []

    def forward() -> dict[str, Any]:
        y, *kept[:] = torch.native_layer_norm(x, gamma.shape, gamma, beta, epsilon)
        return {"y": y}

    def backward() -> dict[str, Any]:
        found = torch.ops.aten.native_layer_norm_backward(
            dy, x, gamma.shape, *kept, gamma, beta, ALL
        )
        return _gradients(found)

    return Passes(forward, backward, forward)


def _over_channel_groups(given: Given, x: Any, dy: Any) -> Passes:
    import torch

    gamma, beta, epsilon = _tensor(given["gamma"]), _tensor(given["beta"]), given["epsilon"]
    sizes = (x.shape[0], x.shape[1], x[0, 0].numel(), given["groups"])
    kept: list[Any] = []

    def forward() -> dict[str, Any]:
        y, *kept[:] = torch.native_group_norm(x, gamma, beta, *sizes, epsilon)
        return {"y": y}

    def backward() -> dict[str, Any]:
        found = torch.ops.aten.native_group_norm_backward(dy, x, *kept, gamma, *sizes, ALL)
        return _gradients(found)

    return Passes(forward, backward, forward)


def _over_places(given: Given, x: Any, dy: Any) -> Passes:
    import torch

    gamma, beta, epsilon = _tensor(given["gamma"]), _tensor(given["beta"]), given["epsilon"]
    ends = tuple(one.clone().requires_grad_() for one in (x, gamma, beta))
    function = torch.nn.functional.instance_norm
    graph = function(ends[0], weight=ends[1], bias=ends[2], eps=epsilon)

    def forward() -> dict[str, Any]:
        return {"y": function(x, weight=gamma, bias=beta, eps=epsilon)}

    def backward() -> dict[str, Any]:
        return _gradients(torch.autograd.grad(graph, ends, dy, retain_graph=True))

    return Passes(forward, backward, forward)


def _smoothed(share: Callable[[float, int], float]) -> Callable[[Given, Any, Any], Passes]:
    """Cross-entropy; the share that PyTorch spreads over all classes, from α and their number."""

    def make(given: Given, x: Any, _dy: Any) -> Passes:
        import torch

        labels = _tensor(given.others[0])
        z, smoothing = x.clone().requires_grad_(), share(given["alpha"], x.shape[1])

        def both() -> dict[str, Any]:
            loss = torch.nn.functional.cross_entropy(z, labels, label_smoothing=smoothing)
            return {"y": loss.detach(), "dx": torch.autograd.grad(loss, z)[0]}

        def forward() -> dict[str, Any]:
            with torch.no_grad():
                return {
                    "y": torch.nn.functional.cross_entropy(x, labels, label_smoothing=smoothing)
                }

        return Passes(forward, both=both)

    return make


def _function(call: Callable[[Any, Any, Given], Any]) -> Callable[[Given, Any, Any], Passes]:
    """A function of PyTorch's, from its own functions, the input and what else there is."""

    def make(given: Given, x: Any, dy: Any) -> Passes:
        import torch

        names = list(given.parameters)
        ends = [x.clone(), *(_tensor(one).clone() for one in given.parameters.values())]
        for one in ends:
            one.requires_grad_()
        graph = _applied(call, ends[0], given, dict(zip(names, ends[1:], strict=True)))
        fixed = {name: _tensor(one) for name, one in given.parameters.items()}

        def forward() -> dict[str, Any]:
            return {"y": _applied(call, x, given, fixed)}

        def backward() -> dict[str, Any]:
            # of a loss, the mean's own gradient is 1
            owed = dy if graph.dim() else torch.ones(())
            found = torch.autograd.grad(graph, ends, owed, retain_graph=True)
            return dict(zip(["dx", *(f"d{name}" for name in names)], found, strict=True))

        return Passes(forward, backward, forward)

    return make


def _applied(call: Any, x: Any, given: Given, parameters: dict[str, Any]) -> Any:
    import torch

    others = tuple(map(_tensor, given.others))
    return call(torch.nn.functional, x, Given(given.x, given.dy, parameters, others, given.numbers))


def _left_out(given: Given, x: Any, dy: Any) -> Passes:
    import torch

    p = given["p"]
    kept: list[Any] = []

    def forward() -> dict[str, Any]:
        y, *kept[:] = torch.native_dropout(x, p, True)
        return {"y": y}

    def backward() -> dict[str, Any]:
        return {"dx": torch.ops.aten.native_dropout_backward(dy, *kept, 1 / (1 - p))}

    return Passes(forward, backward, lambda: {"y": x}, note="it draws other numbers")


def _matrix_product(given: Given, x: Any, dy: Any) -> Passes:
    import torch

    W, b = _tensor(given["W"]), _tensor(given["b"])

    def forward() -> dict[str, Any]:
        return {"y": torch.addmm(b, x, W)}

    def backward() -> dict[str, Any]:
        return {"dx": dy @ W.T, "dW": x.T @ dy, "db": dy.sum(0)}

    return Passes(forward, backward, forward)


def _windows(given: Given, x: Any, dy: Any) -> Passes:
    import torch

    W, b = _tensor(given["W"]), _tensor(given["b"])
    stride, padding = [int(given["stride"])] * 2, [int(given["padding"])] * 2

    def forward() -> dict[str, Any]:
        return {"y": torch.conv2d(x, W, b, stride, padding)}

    def backward() -> dict[str, Any]:
        found = torch.ops.aten.convolution_backward(
            dy, x, W, [len(b)], stride, padding, [1, 1], False, [0, 0], 1, ALL
        )
        return dict(zip(("dx", "dW", "db"), found, strict=True))

    return Passes(forward, backward, forward)


def _gradients(found: Any) -> dict[str, Any]:
    return dict(zip(("dx", "dgamma", "dbeta"), found, strict=True))


KINDS: dict[str, Callable[[Given, Any, Any], Passes]] = {
    "over_batch": _over_batch,
    "over_elements": _over_elements,
    "over_channel_groups": _over_channel_groups,
    "over_places": _over_places,
    "smoothed_by_all": _smoothed(lambda alpha, _count: 1 - alpha),
    "smoothed_by_others": _smoothed(lambda alpha, count: (1 - alpha) * count / (count - 1)),
    "positive_part": _function(lambda nn, x, _given: nn.relu(x)),
    "leaking": _function(lambda nn, x, given: nn.leaky_relu(x, given["slope"])),
    "logistic": _function(lambda nn, x, _given: nn.sigmoid(x)),
    "tangent": _function(lambda nn, x, _given: nn.tanh(x)),
    "normal_gate": _function(lambda nn, x, _given: nn.gelu(x)),
    "shares_of_channels": _function(lambda nn, x, _given: nn.softmax(x, 1)),
    "over_squares": _function(
        lambda nn, x, given: nn.rms_norm(x, x.shape[1:], given["gamma"], given["epsilon"])
    ),
    "squares": _function(lambda nn, x, given: nn.mse_loss(x, given.others[0])),
    "left_out": _left_out,
    "matrix_product": _matrix_product,
    "windows": _windows,
}
