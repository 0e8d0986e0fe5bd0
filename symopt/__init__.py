"""Optimizers as formulas: derived, compiled, printed and proved from one declaration.

What is listed here is the public interface; each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "symopt.declaration": (
        "Declaration",
        "Layer",
        "Loss",
        "Network",
        "Monitor",
        "Objective",
        "Question",
        "Regularizer",
        "Schedule",
        "TensorLayer",
        "UpdateRule",
        "aside",
        "debias",
        "default",
        "define",
        "flatten",
        "drawn",
        "holds",
        "inference",
        "initially",
        "layer",
        "leave_out",
        "loss",
        "minimize",
        "monitor",
        "network",
        "normal",
        "objective",
        "padded",
        "penalty",
        "question",
        "regularizer",
        "schedule",
        "shape",
        "slip",
        "tensor_layer",
        "unbias",
        "update_rule",
    ),
    "symopt.declaration.questions": (
        "BestInputs",
        "DecayInLoss",
        "Drift",
        "Fading",
        "FirstSteps",
        "LargestStep",
        "MiniBatch",
        "NoiseAsPenalty",
        "OnQuadratic",
        "SameTrajectory",
        "ScaledWeights",
        "Shrinkage",
        "Unrolled",
    ),
    "symopt.nodes": (
        "Bernoulli",
        "Expectation",
        "Gradient",
        "Largest",
        "Norm",
        "Normal",
        "Sigma",
        "d",
    ),
    "symopt.notation": (
        "count",
        "function",
        "given",
        "hat",
        "hyperparameter",
        "index",
        "label",
        "learned",
        "parameter",
        "random",
        "sequence",
        "statistic",
        "unknown",
    ),
    "symopt.errors": ("SymoptError",),
    "symopt.printing.unicode": ("unicode",),
    "symopt.derivation.api": ("derivations", "formulas", "gradient", "latex"),
    "symopt.derivation.network_summary": ("summary",),
    "symopt.proof.chains": ("Chain", "chain"),
    "symopt.proof.following": ("check_chain",),
    "symopt.proof.checking": ("checked",),
    "symopt.proof.equivalent": ("equivalent",),
    "symopt.proof.verdict": ("Verdict",),
    "symopt.runtime.entry": ("compile",),
    "symopt.runtime.model": ("Model",),
    "symopt.runtime.threads": ("get_threads", "set_threads"),
    "symopt.derivation.penalized": ("penalized",),
    "symopt.judging": ("verify",),
}
_HOME = {name: module for module, names in _PUBLIC.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'symopt' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
