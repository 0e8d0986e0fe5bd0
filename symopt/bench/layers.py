"""Layers and losses: generated code and its peers on the same arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np

from symopt.bench import c_layers, numpy_layers, torch_layers
from symopt.bench.c_limits import Traffic
from symopt.bench.passes import Given, Passes
from symopt.bench.timing import Contestant
from symopt.bench.works import BACKWARD, BOTH, FORWARD, INFERENCE, Work, table
from symopt.declaration import Layer, Loss
from symopt.errors import UsageError
from symopt.runtime.compiling import compile
from symopt.targets.numba_rule import class_name

OWN = "symopt"
# arrays read and made by each pass; a backward pass reads the input too
TRAFFIC = {FORWARD: (1, 1), BACKWARD: (2, 1), BOTH: (3, 2), INFERENCE: (1, 1)}
# a loss is a number for many elements: its input is read in each pass, its gradient made
LOSS_TRAFFIC = (2, 1)
CLASSES = 10


class Generated:
    """The generated class at work."""

    def __init__(self, work: Work, dtype: str) -> None:
        self.layer = _made(work, dtype)
        draw = np.random.default_rng(0)
        x = np.clip(draw.normal(size=work.shapes[0]), -2, 2).astype(dtype)
        for one in self.layer.parameters.values():
            one[...] = 1.0 + np.clip(draw.normal(size=one.shape), -2, 2) / 4
        self._others = _others(self.layer, x, draw)
        self._loss = isinstance(work.declared, Loss)
        starts = {key: one.copy() for key, one in self.layer.averages.items()}
        y = np.asarray(self.layer(x, *self._others))
        for key, one in starts.items():
            # inference is compared from where training begins
            self.layer.averages[key][...] = one
        dy = np.asarray(np.clip(draw.normal(size=y.shape), -2, 2), dtype)
        numbers = {**self.layer.hyperparameters, **work.settings}
        self.given = Given(x, dy, dict(self.layer.parameters), self._others, numbers)

    @property
    def passes(self) -> Passes:
        """What it can do."""
        return Passes(self._forward, self._backward, self._inference)

    def _forward(self) -> Mapping[str, Any]:
        return {"y": self.layer(self.given.x, *self._others)}

    def _backward(self) -> Mapping[str, Any]:
        found = self.layer.backward() if self._loss else self.layer.backward(self.given.dy)
        dx = found[0] if isinstance(found, tuple) else found  # of several inputs, the first
        return {"dx": dx, **{f"d{key}": one for key, one in self.layer.gradients.items()}}

    def _inference(self) -> Mapping[str, Any]:
        self.layer.evaluate()
        return self._forward()


def contestants(work: Work, threads: int, wanted: Callable[[str], bool]) -> Iterator[Contestant]:
    """Generated code and those of its peers that are here and wanted.

    Raises
    ------
    UsageError
        For a layer of which more is to be known than its input.
    """
    generated = Generated(work, "float32")
    given, kind = generated.given, table()["layers"].get(work.declared.name)
    drawn = "seed" in inspect.signature(type(generated.layer)).parameters and not given.parameters
    yield _contestant(OWN, generated.passes, work, drawn)
    if kind and find_spec("torch") is not None:
        for name, passes in torch_layers.variants(kind, given, threads):
            if wanted(name):
                yield _contestant(name, passes, work, drawn)
    others = {"NumPy": numpy_layers.passes, "C": c_layers.passes}
    for name, make in others.items():
        if kind and wanted(name):
            found = make(kind, given, threads)
            if found is not None and found.can(work.does):
                yield _contestant(name, found, work, drawn)
    if isinstance(work.declared, Layer) and wanted("copy"):
        reads, makes = _arrays_moved(work)
        yield Contestant("copy", Traffic(work.elements, reads, 0, makes, threads))


def reference(work: Work) -> Mapping[str, np.ndarray]:
    """What generated code gives in float64."""
    return _arrays(Generated(work, "float64").passes.doing(work.does)())


def bounds(work: Work, names: Mapping[str, np.ndarray]) -> dict[str, float]:
    """How far float32 may be from it.

    A sum of n terms is off by n roundings of the sum of their magnitudes at most, in any order. No
    sum has more terms than the input has elements, and no term of these inputs is above 8; in a
    gradient by parameters the terms are added up, in all else they are a mean or a fixed share.
    """
    count, rounding = work.elements, float(np.finfo(np.float32).eps) / 2
    each = (count + 32) * rounding * 8
    return {key: each if key in ("y", "dx") else each * count for key in names}


def least_bytes(work: Work) -> int | None:
    """The bytes that a pass has to move, each array once; of index sums that is not what counts."""
    if not isinstance(work.declared, Layer):
        return None
    return 4 * work.elements * sum(_arrays_moved(work))


def _arrays_moved(work: Work) -> tuple[int, int]:
    return LOSS_TRAFFIC if isinstance(work.declared, Loss) else TRAFFIC[work.does]


def _contestant(name: str, passes: Passes, work: Work, drawn: bool) -> Contestant:
    call = passes.doing(work.does)
    if drawn:
        return Contestant(name, call, None, passes.note)
    return Contestant(name, call, lambda: _arrays(call()), passes.note)


def _arrays(found: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Results as arrays of their own, for a call may write the next ones over them."""
    return {
        key: np.array(one.numpy() if hasattr(one, "numpy") else one) for key, one in found.items()
    }


def _made(work: Work, dtype: str) -> Any:
    """An object of the generated class: its sizes come from the input, or from the work."""
    declared, shape = work.declared, work.shapes[0]
    make = getattr(compile(declared), class_name(declared.name))
    letters = {"J": shape[1] if len(shape) > 1 else 1, "C": shape[1] if len(shape) > 1 else 1}
    offers = {
        **letters,
        "channels": shape[1] if len(shape) > 1 else shape[0],
        "spatial": shape[2:],
        "shape": shape[1:],
        "groups": 2,
        "seed": 0,
        "dtype": np.dtype(dtype),
        "reuse": True,
        **work.settings,
    }
    taken = inspect.signature(make).parameters.items()
    for name, one in taken:
        if one.default is one.empty and name not in offers:
            raise UsageError(
                f"{declared.name} needs {name}, which the shape of its input does not tell; let "
                "the declaration say where it starts"
            )
    try:
        return make(**{name: offers[name] for name, _ in taken if name in offers})
    except ValueError as error:
        raise UsageError(f"{declared.name} cannot be timed: {error}") from error


def _others(layer: Any, x: np.ndarray, draw: np.random.Generator) -> tuple[np.ndarray, ...]:
    """What a call takes beside the input: classes where it says labels, else arrays like it."""
    names = list(inspect.signature(layer.__call__).parameters)[1:]
    labels = (len(x), *x.shape[2:])
    classes = x.shape[1] if x.ndim > 1 else CLASSES
    return tuple(
        draw.integers(0, classes, labels)
        if name == "labels"
        else np.clip(draw.normal(size=x.shape), -2, 2).astype(x.dtype)
        for name in names
    )
