"""The independent judge: declarations at 50 digits, beside kernels handed to it as callables."""

from symopt.verification.judge import (
    LayerSubject,
    Subject,
    Verdict,
    Vjp,
    judge_layer,
    judge_penalty,
    judge_rule,
    judge_schedule,
)

__all__ = [
    "LayerSubject",
    "Subject",
    "Verdict",
    "Vjp",
    "judge_layer",
    "judge_penalty",
    "judge_rule",
    "judge_schedule",
]
