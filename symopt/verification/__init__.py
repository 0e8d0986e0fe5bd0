"""The independent judge: declarations at 50 digits, beside kernels handed to it as callables."""

from symopt.verification.judge import (
    LayerSubject,
    MonitorSubject,
    Subject,
    TensorSubject,
    Verdict,
    Vjp,
    judge_layer,
    judge_monitor,
    judge_penalty,
    judge_rule,
    judge_schedule,
    judge_tensor,
)

__all__ = [
    "LayerSubject",
    "MonitorSubject",
    "Subject",
    "TensorSubject",
    "Verdict",
    "Vjp",
    "judge_layer",
    "judge_monitor",
    "judge_penalty",
    "judge_rule",
    "judge_schedule",
    "judge_tensor",
]
