"""A derived update rule as a Python module of Numba kernels that stands alone."""

from __future__ import annotations

import keyword
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sympy import Expr

from symopt.declaration import UpdateRule
from symopt.declaration.display import display
from symopt.derivation.rule import derive_rule
from symopt.derivation.solving import completed
from symopt.derivation.system import INPUT, STATE, System, Variable
from symopt.errors import LoweringError
from symopt.printing.unicode import UnicodePrinter, unicode
from symopt.program.bfloat16 import seed_of
from symopt.program.ir import (
    ARRAY,
    BATCH,
    BITS,
    NUMBER,
    SCALAR_STATE,
    STEP,
    Argument,
    Kernel,
    Scratch,
)
from symopt.program.lower import lower_gradient_point, lower_step
from symopt.program.lower_vjp import lower_vjps
from symopt.targets.bfloat16_states import (
    ROUNDING,
    kept_in_bfloat16,
    kept_states,
    own_fingerprint,
    rounding_formulas,
)
from symopt.targets.calling import annotated, argument_words, flat, joined, number_check, signature
from symopt.targets.elementary import elementary_words
from symopt.targets.numba_segments import segment_drivers
from symopt.targets.numba_vjp import vjp_function
from symopt.targets.python_code import lines, number_code
from symopt.targets.target import Options
from symopt.targets.templates import render

WIDTH = 88
# what a generated file imports or is imported beside
_HIDDEN = {"Any", "Callable", "Iterable", "Mapping"}
_MODULES = sys.stdlib_module_names | {"numba", "numpy", "llvmlite"}


def class_name(name: str) -> str:
    """``adam_naive`` ⇒ ``AdamNaive``.

    >>> class_name("adam_naive")
    'AdamNaive'

    Raises
    ------
    LoweringError
        If the class, or the file, would hide a name that Python or the file itself needs.
    """
    made = "".join(part.capitalize() for part in name.split("_"))
    if made in _HIDDEN or keyword.iskeyword(made) or not made.isidentifier():
        raise LoweringError(
            f"{name} cannot be generated, for its class would be called {made}; rename it"
        )
    if name in _MODULES:
        raise LoweringError(
            f"{name} cannot be generated, for its file would hide the module {name}; rename it"
        )
    return made


def render_rule(rule: UpdateRule, options: Options) -> str:
    """The text of the module."""
    return render("numba", "update_rule.py.jinja", **rule_words(rule, options))


def rule_words(rule: UpdateRule, options: Options) -> dict[str, Any]:
    """All that the templates of an update rule lay out, with its kernels as lines of Python."""
    system = derive_rule(rule)
    states = kept_states(system, options)
    kernel, point = kept_in_bfloat16(lower_step(system), states), lower_gradient_point(system)
    point = kept_in_bfloat16(point, states) if point else None
    # what is rounded at random has no gradient
    vjps = () if states else lower_vjps(system)
    kernels = [kernel, *([point] if point else []), *(one.kernel for one in vjps)]
    return {
        **_heading(rule, system, states),
        "fingerprint": own_fingerprint(rule, options),
        "bits": "".join(f'"{one.name}", ' for one in states).rstrip(" "),
        **dtype_words(options),
        **_step(kernel),
        "parameter": system.parameter.name,
        "kernels": [
            {
                "name": one.name,
                "arguments": joined(a.name for a in one.arguments),
                "lines": kernel_lines(one),
            }
            for one in kernels
        ],
        "point": _point(system, point) if point else None,
        "vjps": [vjp_function(one) for one in vjps],
        "called": [
            *(["random_words.py.jinja", "bfloat16.py.jinja"] if states else []),
            *(["total.py.jinja"] if any(one.gathers for one in vjps) else []),
        ],
        **elementary_words(kernels, options),
        "states": _states(system, options),
        "table": segment_drivers(kernel, len(system.of_role(INPUT))),
        "class": _class(system, kernel),
    }


def _heading(rule: UpdateRule, system: System, states: tuple[Variable, ...]) -> dict[str, Any]:
    """What is said of the declaration, and of states that are rounded."""
    words = heading(rule, completed(rule))
    if states:
        words["formulas"] += [rounding_formulas(system, states, unicode, "↦")]
        words["notes"] += wrapped(ROUNDING)
    return words


def rule_kernels(rule: UpdateRule) -> tuple[Kernel, ...]:
    """The kernels of a rule: its step, its gradient point if it has one, and their gradients."""
    system = derive_rule(rule)
    point = lower_gradient_point(system)
    vjps = (one.kernel for one in lower_vjps(system))
    return (lower_step(system), *([point] if point else []), *vjps)


def heading(declared: Any, statements: Iterable[Any]) -> dict[str, Any]:
    """What every generated file says of its declaration."""
    printer = UnicodePrinter()
    shown = [display(one.content, printer) for one in statements]
    notes = [f"Note: {one.note}" for one in declared.statements if one.note]
    return {
        "name": declared.name,
        "summary": declared.summary,
        "formulas": shown,
        "notes": [line for note in notes for line in wrapped(note)],
        "source": declared.source or "a declaration of its user",
        "fingerprint": declared.fingerprint,
    }


def wrapped(text: str) -> list[str]:
    """The text in lines of a docstring's width."""
    return textwrap.wrap(text, WIDTH)


def dtype_words(options: Options) -> dict[str, str]:
    """The dtypes that a module accepts, as code and in words."""
    return {
        "dtypes": ", ".join(f"np.dtype(np.{one})" for one in options.dtypes),
        "dtype_words": " or ".join(options.dtypes),
    }


def kernel_lines(kernel: Kernel) -> list[str]:
    """The kernel's lines, the ids of equations in a column of their own."""
    model = next(one.name for one in kernel.arguments if one.kind == ARRAY)
    head = [f"real = {model}.dtype.type"]
    if any(isinstance(one, Scratch) for one in kernel.body):
        head = [f"dtype = {model}.dtype", "real = dtype.type"]
    if kernel.batch:
        head.append(f"{kernel.count} = len({kernel.batch})")
    numbers, body = lines(kernel)
    column = min(60, max((len(line) for line, note in body if note), default=0))

    def shown(part: Iterable[tuple[str, str]]) -> list[str]:
        return [f"{line:<{column}}  # {note}" if note else line for line, note in part]

    tail = [f"return {kernel.result}"] if kernel.result else []
    return [*head, *shown(numbers), f"size = {kernel.over}.size", *shown(body), *tail]


def _step(kernel: Kernel) -> dict[str, Any]:
    scalars = kernel.of_kind(SCALAR_STATE)
    numbers = kernel.of_kind(STEP, NUMBER)
    plain = kernel.of_kind(ARRAY, BITS)
    kinds = (ARRAY, BATCH, BITS, SCALAR_STATE)
    arguments = kernel.of_kind(*kinds, STEP, NUMBER)
    names = [f"{one.name}={one.name}" for one in arguments]
    return {
        "signature": signature(arguments),
        "plain_signature": [annotated(one) for one in arguments],
        "written_words": joined(one.name for one in kernel.arguments if one.written),
        "argument_words": argument_words(kernel),
        "names": joined(names),
        "array_names": joined(one.name for one in kernel.of_kind(*kinds)),
        "array_signature": joined(annotated(one) for one in kernel.of_kind(*kinds)),
        "written": joined(f'"{one.name}": {one.name}' for one in plain if one.written),
        "read": joined(f'"{one.name}": {one.name}' for one in plain if not one.written),
        "batches": joined(f'"{one.name}": {one.name}' for one in kernel.of_kind(BATCH)),
        "scalar_checks": [f'_check_written("{one.name}", {one.name})' for one in scalars],
        "flattened": [flat(one) for one in arguments if one not in numbers],
        "numbers": joined(one.name for one in numbers),
        "number_signature": joined(annotated(one) for one in numbers),
        "number_checks": [number_check(one) for one in numbers],
    }


def _point(system: System, kernel: Kernel) -> dict[str, Any]:
    arrays = [one for one in kernel.of_kind(ARRAY, BITS) if one.name != "point"]
    numbers = kernel.of_kind(NUMBER)
    others = arrays[1:]
    assert system.gradient_point is not None
    from_class = [f'{one.name}=state["{one.name}"]' for one in others]
    from_class += [f'{one.name}=values["{one.name}"]' for one in numbers]
    return {
        "formula": unicode(system.gradient_point[1]),
        "signature": signature([*arrays, *numbers]),
        "read": joined(f'"{one.name}": {one.name}' for one in arrays),
        "number_checks": [f"{one.name} = {number_check(one)}" for one in numbers],
        "passed": [
            "point.reshape(-1, order=order)",
            *(flat(one) for one in arrays),
            *(one.name for one in numbers),
        ],
        "from_class": joined(from_class),
    }


def _states(system: System, options: Options) -> dict[str, Any]:
    states = system.of_role(STATE)
    used = system.initial_hyperparameters
    parameter = system.parameter.name
    defaults = system.declared.default_values
    extra = [
        f"{one.spelling.python}: float" + (f" = {defaults[one]!r}" if one in defaults else "")
        for one in used
    ]
    return {
        "signature": joined([f"{parameter}: np.ndarray", *(["*", *extra] if extra else [])]),
        "lines": [f'"{one.name}": {_initial(one, parameter, options)}' for one in states],
    }


def _initial(one: Variable, parameter: str, options: Options) -> str:
    value: Expr = one.initial
    if options.states and not one.scalar:
        return f"as_bfloat16({_initial(one, parameter, replace(options, states=''))})"
    if value.is_Indexed:
        return f"{parameter}.copy()"
    if one.scalar:
        return f"np.array([{number_code(value)}])"
    return (
        f"np.zeros_like({parameter})"
        if value == 0
        else (f"np.full_like({parameter}, {number_code(value)})")
    )


def _class(system: System, kernel: Kernel) -> dict[str, Any]:
    numbers = kernel.of_kind(NUMBER)
    fixed = {one.spelling.python for one in system.constants_in_time} | {seed_of(kernel)}
    free = [one.name for one in numbers if one.name not in fixed]
    required = [one for one in numbers if one.default is None]
    ordered = [*required, *(one for one in numbers if one.default is not None)]
    initial = [one.spelling.python for one in system.initial_hyperparameters]
    schedules = f"{joined(free)} may follow a schedule, a function of the step." if free else ""
    inputs = system.of_role(INPUT)
    # the first input is the gradient, whatever its letter
    kept = [f'values["{one.name}"]' for one in numbers]
    words = ["grads", *(one.name for one in inputs[1:])][: len(inputs)]
    return {
        "name": class_name(system.declared.name),
        "signature": [
            *(["*"] if ordered else []),
            *(_class_argument(one, one.name in free) for one in ordered),
        ],
        "table": joined(f'"{one.name}": {one.name}' for one in numbers),
        "number_values": joined(["t"] * len(kernel.of_kind(STEP)) + kept),
        "saved_values": joined(["t + 1"] * len(kernel.of_kind(STEP)) + kept),
        "initial": "".join(f', {name}=values["{name}"]' for name in initial),
        "given": joined([f"[{joined(kept)}]", *(f"[*{word}]" for word in words)]),
        "inputs_signature": "".join(f", {word}: Iterable[np.ndarray]" for word in words),
        "input_names": "".join(f'"{one.name}", ' for one in inputs).rstrip(" "),
        "scheduled": "".join(f'"{name}", ' for name in free).rstrip(" "),
        "schedule_words": schedules,
    }


def _class_argument(one: Argument, free: bool) -> str:
    kind = f"{one.name}: float | Callable[[int], float]" if free else annotated(one)
    tail = "" if one.default is None else f" = {one.default!r}"
    return f"{kind}{tail}"
