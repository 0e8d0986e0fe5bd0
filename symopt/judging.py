"""Kernels brought before the judge: what is compiled from a declaration, against its meaning."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import ModuleType

from symopt.declaration import (
    Declaration,
    Layer,
    Monitor,
    Regularizer,
    Schedule,
    TensorLayer,
    UpdateRule,
)
from symopt.derivation.api import derivations
from symopt.derivation.layer import derive_layer
from symopt.derivation.monitor import derive_monitor
from symopt.derivation.rule import derive_rule
from symopt.derivation.steps import in_words
from symopt.derivation.system import INPUT
from symopt.derivation.tensor_layer import derive_tensor_layer
from symopt.errors import UsageError
from symopt.program.lower import lower_gradient_point, lower_step
from symopt.program.lower_monitor import lower_monitor
from symopt.program.lower_tensor import lower_tensor
from symopt.runtime.ahead import compile_ahead
from symopt.runtime.compiling import compile
from symopt.targets.layer_functions import arguments, layer_kernels, statistics_kept
from symopt.targets.numba_rule import class_name
from symopt.targets.target import Options
from symopt.verification.judge import (
    REDUCTION,
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

VERIFIABLE = (UpdateRule, Schedule, Monitor, Regularizer, Layer, TensorLayer)


def verifiable(declared: Declaration) -> bool:
    """Whether there is a kernel, and a judge for it."""
    return isinstance(declared, VERIFIABLE)


def check_verifiable(declared: Declaration) -> None:
    """UsageError for a declaration without a kernel."""
    if not verifiable(declared):
        raise UsageError(
            f"{declared.name} is {declared.a_kind}, which has no kernel to verify; "
            "verify an update rule, a schedule, a monitor, a regularizer, a layer or a loss"
        )


def subject(rule: UpdateRule, module: ModuleType, gradients: bool = False) -> Subject:
    """A compiled update rule as the judge takes it: callables and the names of arguments.

    With ``gradients``, those of its step and of the point of its gradient are among them.
    """
    system = derive_rule(rule)
    point = lower_gradient_point(system)
    read = [one.name for one in point.arguments if one.name != "point"] if point else []
    make = getattr(module, class_name(rule.name))
    return Subject(
        step=module.step,
        arguments=tuple(one.name for one in lower_step(system).arguments),
        states=module.initial_states,
        gradient_point=module.gradient_point if point else None,
        point_arguments=tuple(read),
        gradient=next((one.name for one in system.of_role(INPUT)), "g"),
        state_arguments=tuple(one.spelling.python for one in system.initial_hyperparameters),
        step_vjp=_vjp(module, "step_vjp") if gradients else None,
        point_vjp=_vjp(module, "gradient_point_vjp") if gradients else None,
        makes=(make, partial(make, arena=True)),
    )


def monitor_subject(monitor: Monitor, module: ModuleType) -> MonitorSubject:
    """A monitor's module as the judge takes it: callables and the names of arguments."""
    system = derive_monitor(monitor)
    return MonitorSubject(
        step=module.step,
        arguments=tuple(one.name for one in lower_monitor(system).arguments),
        states=module.initial_states,
        state_arguments=tuple(one.spelling.python for one in system.initial_hyperparameters),
        make=getattr(module, class_name(monitor.name)),
    )


def _vjp(module: ModuleType, name: str) -> Vjp | None:
    """A gradient of a module's kernel, where it has one."""
    function = getattr(module, name, None)
    return function and Vjp(function, tuple(inspect.signature(function).parameters))


def layer_subject(layer: Layer, module: ModuleType) -> LayerSubject:
    """A compiled layer as the judge takes it: callables and the names of what goes in and out."""
    kernels = layer_kernels(layer, derive_layer(layer))

    def names(function: str) -> tuple[str, ...]:
        return tuple(one.name for one in arguments(layer, kernels, function))

    later = kernels.inference is not None
    reduction = set(inspect.signature(module.forward).parameters) & {REDUCTION}
    output = kernels.forward.results[0][0]
    make = getattr(module, class_name(layer.name))
    taken = inspect.signature(make).parameters
    mask = getattr(module, "mask", None) if kernels.forward.drawn else None
    return LayerSubject(
        forward=module.forward,
        forward_arguments=(*names("forward"), *reduction),
        results=(output, *statistics_kept(kernels)),
        backward=module.backward,
        backward_arguments=(*names("backward"), *reduction),
        gradients=tuple(name.removeprefix("d") for name, _ in kernels.backward.results),
        inference=module.inference if later else None,
        inference_arguments=names("inference") if later else (),
        make=make,
        make_arguments=tuple(one for one in taken if one not in ("dtype", "reuse")),
        reuses="reuse" in taken,
        mask=mask,
        mask_arguments=tuple(one for one in inspect.signature(mask).parameters if one != "kept")
        if mask
        else (),
        checks=True,
    )


def tensor_subject(layer: TensorLayer, module: ModuleType) -> TensorSubject:
    """A compiled tensor layer as the judge takes it: callables and the names of arguments."""
    program = lower_tensor(derive_tensor_layer(layer))
    make = getattr(module, class_name(layer.name))

    def names(function: Callable[..., object]) -> tuple[str, ...]:
        return tuple(one for one in inspect.signature(function).parameters if one != "kept")

    return TensorSubject(
        forward=module.forward,
        forward_arguments=names(module.forward),
        backward=module.backward,
        backward_arguments=names(module.backward),
        gradients=tuple(one.name.removeprefix("d") for one in program.backward.results),
        make=make,
        make_arguments=tuple(one for one in names(make) if one != "dtype"),
    )


def _proved(layer: Layer) -> str:
    """What is proved of a layer beside its kernels: a derivation that fails raises."""
    titles = [in_words(one.title) for one in derivations(layer)]
    return f"proved for every size of a group: {'; '.join(titles)}"


def verify(
    declared: Declaration,
    dtype: str = "float32",
    *,
    steps: int = 12,
    seed: int = 0,
    gradients: bool = False,
    module: ModuleType | None = None,
    ahead: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Verdict:
    """The judge's verdict on the kernel of a declaration, evaluated at 50 digits.

    An update rule is run for ``steps`` steps from the first one on, over inputs that ``seed``
    chooses; with ``gradients`` its ``step_vjp`` is judged too. ``module`` is another module to
    judge in place of the compiled one, which is that in C if it is compiled ``ahead`` of time.

    Raises
    ------
    UsageError
        For a declaration without a kernel, or without one in C, or where nothing compiles C.
    """
    check_verifiable(declared)
    made = module or (compile_ahead if ahead else compile)(declared, Options())
    match declared:
        case UpdateRule():
            judged = subject(declared, made, gradients)
            return judge_rule(declared, judged, dtype, steps=steps, seed=seed, progress=progress)
        case Schedule():
            return judge_schedule(declared, getattr(made, declared.name), seed=seed)
        case Monitor():
            return judge_monitor(declared, monitor_subject(declared, made), seed=seed)
        case Regularizer():
            step = getattr(made, "proximal_step", None)
            return judge_penalty(
                declared, made.value, made.gradient, dtype, seed=seed, proximal_step=step
            )
        case Layer():
            judged_layer = layer_subject(declared, made)
            found = judge_layer(declared, judged_layer, dtype, seed=seed, progress=progress)
            return replace(
                found, note="; ".join(part for part in (found.note, _proved(declared)) if part)
            )
        case TensorLayer():
            judged_tensor = tensor_subject(declared, made)
            return judge_tensor(declared, judged_tensor, dtype, seed=seed, progress=progress)
    raise AssertionError(f"{declared.a_kind} is verifiable, but has no judge")
