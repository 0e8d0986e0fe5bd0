"""Kernels brought before the judge: what is compiled from a declaration, against its meaning."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from symopt.declaration import Declaration, Regularizer, Schedule, UpdateRule
from symopt.derivation.rule import derive_rule
from symopt.derivation.system import INPUT
from symopt.errors import UsageError
from symopt.program.lower import lower_gradient_point, lower_step
from symopt.runtime.compiling import compile
from symopt.targets.target import Options
from symopt.verification.judge import Subject, Verdict, judge_penalty, judge_rule, judge_schedule

VERIFIABLE = (UpdateRule, Schedule, Regularizer)


def check_verifiable(declared: Declaration) -> None:
    """UsageError for a declaration without a kernel."""
    if not isinstance(declared, VERIFIABLE):
        raise UsageError(
            f"{declared.name} is {declared.a_kind}, which has no kernel to verify; "
            "verify an update rule, a schedule or a regularizer"
        )


def subject(rule: UpdateRule, module: ModuleType) -> Subject:
    """A compiled update rule as the judge takes it: callables and the names of arguments."""
    system = derive_rule(rule)
    point = lower_gradient_point(system)
    read = [one.name for one in point.arguments if one.name != "point"] if point else []
    return Subject(
        step=module.step,
        arguments=tuple(one.name for one in lower_step(system).arguments),
        states=module.initial_states,
        gradient_point=module.gradient_point if point else None,
        point_arguments=tuple(read),
        gradient=next((one.name for one in system.of_role(INPUT)), "g"),
        state_arguments=tuple(one.spelling.python for one in system.initial_hyperparameters),
    )


def verify(
    declared: Declaration,
    dtype: str = "float32",
    *,
    steps: int = 12,
    seed: int = 0,
    module: ModuleType | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verdict:
    """The judge's verdict on the kernel of a declaration, evaluated at 50 digits.

    An update rule is run for ``steps`` steps from the first one on, over inputs that ``seed``
    chooses. ``module`` is another module to judge in place of the compiled one.

    Raises
    ------
    UsageError
        For a declaration without a kernel.
    """
    check_verifiable(declared)
    made = module or compile(declared, Options())
    match declared:
        case UpdateRule():
            judged = subject(declared, made)
            return judge_rule(declared, judged, dtype, steps=steps, seed=seed, progress=progress)
        case Schedule():
            return judge_schedule(declared, getattr(made, declared.name), seed=seed)
        case Regularizer():
            return judge_penalty(declared, made.value, made.gradient, dtype, seed=seed)
    raise AssertionError(f"{declared.a_kind} is verifiable, but has no judge")
