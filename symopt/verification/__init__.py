"""The independent judge: declarations at 50 digits, beside kernels handed to it as callables."""

from symopt.verification.judge import Subject, Verdict, judge_penalty, judge_rule, judge_schedule

__all__ = ["Subject", "Verdict", "judge_penalty", "judge_rule", "judge_schedule"]
