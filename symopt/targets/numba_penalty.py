"""A regularizer as a Python module: value, derived gradient and proximal step as kernels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from symopt.declaration import Regularizer
from symopt.derivation.penalty import Penalty, derive_penalty
from symopt.derivation.proximal import ProximalStep, proximal_if_any
from symopt.printing.unicode import unicode
from symopt.program.ir import ARRAY, NUMBER, Kernel
from symopt.program.lower_penalty import (
    SCALE,
    lower_penalty_gradient,
    lower_proximal,
    lower_value,
)
from symopt.targets.calling import joined, number_check, signature
from symopt.targets.elementary import elementary_words
from symopt.targets.numba_rule import dtype_words, heading, kernel_lines, wrapped
from symopt.targets.ranges import admissible
from symopt.targets.target import Options
from symopt.targets.templates import render


@dataclass(frozen=True)
class _Function:
    """What a kernel is called as: for one layer, and for a list of arrays, one a layer."""

    kernel: Kernel
    name: str
    summary: str
    summary_of_all: str


def render_regularizer(regularizer: Regularizer, options: Options) -> str:
    """The text of the module."""
    return render("numba", "regularizer.py.jinja", **regularizer_words(regularizer, options))


def regularizer_kernels(regularizer: Regularizer) -> tuple[Kernel, ...]:
    """The kernels of a penalty: its value, its gradient, and its proximal step if it has one."""
    return tuple(one.kernel for one in _functions(derive_penalty(regularizer)))


def _functions(penalty: Penalty) -> tuple[_Function, ...]:
    weighed = f"the penalty's gradient, times {SCALE.spelling.unicode}, to g in place"
    found = proximal_if_any(penalty)
    return (
        _Function(
            lower_value(penalty),
            "value",
            "The penalty on one layer's parameters, summed in float64.",
            "The penalty on all layers' parameters, summed in float64.",
        ),
        _Function(
            lower_penalty_gradient(penalty),
            "gradient",
            f"Add {weighed}.",
            f"Add {weighed}, for each layer.",
        ),
        *([_proximal(found)] if isinstance(found, ProximalStep) else []),
    )


def regularizer_words(regularizer: Regularizer, options: Options) -> dict[str, Any]:
    """All that the templates of a penalty lay out, with its kernels as lines of Python."""
    penalty = derive_penalty(regularizer)
    functions, found = _functions(penalty), proximal_if_any(penalty)
    follows, head = [penalty.derivation], heading(regularizer, regularizer.statements)
    if isinstance(found, ProximalStep):
        follows.append(replace(found.derivation, lines=found.derivation.lines[-2:]))
    else:
        head["notes"] += wrapped(f"Note: {found}.")
    return {
        **head,
        **dtype_words(options),
        "bits": "",
        "derived": [
            f"{formula}  ({reason})" for one in follows for formula, reason, _ in one.rows()[1:]
        ],
        "kernels": [
            {
                "name": one.kernel.name,
                "arguments": joined(argument.name for argument in one.kernel.arguments),
                "lines": kernel_lines(one.kernel),
            }
            for one in functions
        ],
        **elementary_words((one.kernel for one in functions), options),
        "functions": [shown for one in functions for shown in (_single(one), _over_layers(one))],
    }


def _proximal(step: ProximalStep) -> _Function:
    kernel = lower_proximal(step)
    became = f"{kernel.over} becomes {unicode(step.derivation.lines[-1].left)} of each component u"
    formula = unicode(step.value)
    return _Function(
        kernel,
        "proximal_step",
        f"{became}, in place: {formula}.",
        f"Each {became}, in place: {formula}.",
    )


def _single(one: _Function) -> dict[str, object]:
    """The function for the parameters of one layer."""
    kernel, returned = one.kernel, "return " if one.kernel.result else ""
    return {
        "name": one.name,
        "signature": joined(signature(kernel.arguments)),
        "returns": _returns(kernel),
        "summary": one.summary,
        "words": _words(kernel, "a contiguous array"),
        "lines": [
            f"{returned}{kernel.name}(",
            f"    *_flat({_arrays(kernel)}),",
            *(f"    {check}," for check in _checks(kernel)),
            ")",
        ],
    }


def _over_layers(one: _Function) -> dict[str, object]:
    """The function for lists of arrays: the penalty is a sum over layers."""
    kernel = one.kernel
    call = f"{kernel.name}(*one, *numbers)"
    each = [f"return sum(({call} for one in layers), 0.0)"]
    if not kernel.result:
        each = ["for one in layers:", f"    {call}"]
    checks = [f"        {check}," for check in _checks(kernel)]
    return {
        "name": f"{one.name}_over_layers",
        "signature": joined(signature(kernel.arguments, "Iterable[np.ndarray]")),
        "returns": _returns(kernel),
        "summary": one.summary_of_all,
        "words": _words(kernel, "a contiguous array for each layer"),
        "lines": [
            "layers, numbers = (",
            f"    _layers({_arrays(kernel)}),",
            *(["    (", *checks, "    ),"] if checks else ["    (),"]),
            ")",
            *each,
        ],
    }


def _returns(kernel: Kernel) -> str:
    return "float" if kernel.result else "None"


def _arrays(kernel: Kernel) -> str:
    """The arrays by name, and the names of those that are written."""
    arrays = kernel.of_kind(ARRAY)
    written = "".join(f'"{one.name}", ' for one in arrays if one.written).rstrip(" ")
    named = joined(f'"{one.name}": {one.name}' for one in arrays)
    return f"{{{named}}}, written=({written})"


def _checks(kernel: Kernel) -> list[str]:
    return [number_check(one) for one in kernel.of_kind(NUMBER)]


def _words(kernel: Kernel, each: str) -> list[str]:
    """What a docstring says of each argument."""
    arrays = kernel.of_kind(ARRAY)
    alike = "" if len(arrays) == 1 else ", of one shape and dtype; what is written overlaps none"
    return [
        f"{joined(one.name for one in arrays)}: {each}{alike}.",
        *(
            f"{one.name}: a number in {admissible(one.name, one.domain)[1]}."
            for one in kernel.of_kind(NUMBER)
            if one.domain
        ),
        "Raises ValueError, before anything is changed, for arguments that do not fit.",
    ]
