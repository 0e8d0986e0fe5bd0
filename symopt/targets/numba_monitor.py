"""A derived monitor as a Python module of plain numbers that stands alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from symopt.declaration import Monitor
from symopt.derivation.monitor import MonitorSystem, derive_monitor
from symopt.derivation.solving import completed
from symopt.derivation.system import STATE
from symopt.program.ir import NUMBER, Argument, Assign
from symopt.program.lower_monitor import MonitorStep, lower_monitor
from symopt.targets.calling import joined, number_check, signature
from symopt.targets.numba_rule import class_name, heading, wrapped
from symopt.targets.plain_code import PlainCode, plain_code
from symopt.targets.ranges import admissible
from symopt.targets.target import Options
from symopt.targets.templates import render


def render_monitor(monitor: Monitor, options: Options) -> str:  # noqa: ARG001  # all is float64
    """The text of the module."""
    system = derive_monitor(monitor)
    made = lower_monitor(system)
    code = [(one, plain_code(one.value)) for one in made.computed]
    starts = [(name, plain_code(value)) for name, value in made.initial]
    known = [one for _, one in (*code, *starts)]
    guarded = not all(one.sure for one in known)
    return render(
        "numba",
        "monitor.py.jinja",
        **heading(monitor, completed(monitor)),
        observed=joined(one.name for one in made.observed),
        output=system.output.name,
        signature=signature(made.arguments),
        argument_words=[*_words(made), *wrapped(_refusals(guarded))],
        checks=[
            *(
                f'{one.name} = _real("{one.name}", {one.name})'
                for one in (*made.observed, *made.states)
            ),
            *(f"{one.name} = {number_check(one)}" for one in (*made.counter, *made.numbers)),
        ],
        lines=_aligned(code),
        kept=joined(f'"{name}": {value}' for name, value in made.kept),
        result=str(made.output),
        start_signature=joined(_keyword_only(_starting(system))),
        start_checks=[f"{one.name} = {number_check(one)}" for one in _starting(system)],
        start_lines=[
            f'"{name}": {_computed(f"{name} before the first observation", one)}'
            for name, one in starts
        ],
        guarded=guarded,
        helpers=[f"plain_{one}.py.jinja" for one in sorted({h for k in known for h in k.helpers})],
        **{"class": _class(system, made)},
    )


def _computed(id: str, code: PlainCode) -> str:
    """What is computed; where it may fail or come to no number, under the eye of _value."""
    return code.text if code.sure else f'_value("{id}", lambda: {code.text})'


def _aligned(code: Iterable[tuple[Assign, PlainCode]]) -> list[str]:
    """One line an equation, the ids in a column of their own where no line names its own."""
    rows = [
        (f"{one.target} = {_computed(one.note, made)}", one.note if made.sure else "")
        for one, made in code
    ]
    column = max((len(line) for line, note in rows if note), default=0)
    return [f"{line:<{column}}  # {note}" if note else line for line, note in rows]


def _words(made: MonitorStep) -> list[str]:
    """What a docstring says of the arguments."""
    words = [f"{joined(one.name for one in made.observed)}: what is observed, a number or ±∞."]
    if made.states:
        names = joined(one.name for one in made.states)
        words.append(f"{names}: the states before, from initial_states or the last step.")
    words += [f"{one.name}: the number of the observation, from 1 on." for one in made.counter]
    for one in made.numbers:
        assert one.domain is not None
        words.append(f"{one.name}: a number in {admissible(one.name, one.domain)[1]}.")
    return words


def _refusals(guarded: bool) -> str:
    without = ", and where an equation comes to no number, as ∞ − ∞ does" if guarded else ""
    return f"Raises ValueError for what is no number or outside its range{without}."


def _numbers(system: MonitorSystem) -> list[Argument]:
    """All hyperparameters, those without a default first."""
    defaults = system.declared.default_values
    numbers = [
        Argument(one.spelling.python, NUMBER, domain=one.domain, default=defaults.get(one))
        for one in system.hyperparameters
    ]
    return sorted(numbers, key=lambda one: one.default is not None)


def _starting(system: MonitorSystem) -> list[Argument]:
    """The hyperparameters on which an initial value depends."""
    used = [one.spelling.python for one in system.initial_hyperparameters]
    return [one for one in _numbers(system) if one.name in used]


def _keyword_only(arguments: Sequence[Argument]) -> list[str]:
    shown = [one for one in signature(arguments) if one != "*"]
    return ["*", *shown] if shown else []


def _class(system: MonitorSystem, made: MonitorStep) -> dict[str, Any]:
    numbers = _numbers(system)
    observed = [one.name for one in made.observed]
    read = [one.name for one in made.numbers]
    counter = joined(one.name for one in made.counter)
    given = [f'{one}=self.hyperparameters["{one}"]' for one in read]
    kept = system.output.name if system.output.role == STATE else ""
    return {
        "name": class_name(system.declared.name),
        "signature": _keyword_only(numbers),
        "number_signature": joined(f"{one.name}: Any" for one in numbers),
        "number_table": [f'"{one.name}": {number_check(one)}' for one in numbers],
        "number_names": joined(one.name for one in numbers),
        "starts": joined(
            f'{one.name}=self.hyperparameters["{one.name}"]' for one in _starting(system)
        ),
        "observed": joined(f"{one}: float" for one in observed),
        "passed": [
            *observed,
            "**self.states",
            *([f"{counter}=self.t + 1"] if counter else []),
            *given,
        ],
        "counts": bool(counter),
        "kept_output": kept,
        "value_words": "before the first one, what it starts from"
        if kept
        else "before the first one, None",
    }
