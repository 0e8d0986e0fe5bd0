"""Numba: each declaration as a Python module that stands alone."""

from __future__ import annotations

from symopt.declaration import (
    Declaration,
    Layer,
    Monitor,
    Regularizer,
    Schedule,
    TensorLayer,
    UpdateRule,
)
from symopt.targets.bfloat16_states import checked_states
from symopt.targets.numba_layer import render_layer
from symopt.targets.numba_monitor import render_monitor
from symopt.targets.numba_penalty import render_regularizer
from symopt.targets.numba_rule import render_rule
from symopt.targets.numba_schedule import render_schedule
from symopt.targets.numba_tensor import render_tensor_layer
from symopt.targets.target import Options, Target


def render_module(declared: Declaration, options: Options) -> str | None:
    """The module of a declaration that computes something; an objective is the user's own."""
    options = checked_states(declared, options)
    match declared:
        case UpdateRule():
            return render_rule(declared, options)
        case Regularizer():
            return render_regularizer(declared, options)
        case Schedule():
            return render_schedule(declared, options)
        case Monitor():
            return render_monitor(declared, options)
        case Layer():
            return render_layer(declared, options)
        case TensorLayer():
            return render_tensor_layer(declared, options)
    return None


NUMBA = Target("numba", ".py", render_module, index=lambda _collection, _declared: {})
