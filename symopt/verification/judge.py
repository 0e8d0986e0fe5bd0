"""The judge's whole interface: what is judged, by whom, and what is said of it."""

from symopt.verification.layer_judge import judge_layer
from symopt.verification.layer_subject import LayerSubject
from symopt.verification.monitor_subject import MonitorSubject
from symopt.verification.monitors import judge_monitor
from symopt.verification.penalties import judge_penalty
from symopt.verification.reductions import REDUCTION
from symopt.verification.rule_subject import Subject, Vjp
from symopt.verification.rules import judge_rule
from symopt.verification.schedules import judge_schedule
from symopt.verification.tensor_judge import judge_tensor
from symopt.verification.tensor_subject import TensorSubject
from symopt.verification.verdict import Verdict

__all__ = [
    "REDUCTION",
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
