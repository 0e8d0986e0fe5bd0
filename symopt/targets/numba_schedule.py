"""A schedule as a Python module: a function of the step, and a callable value for optimizers."""

from __future__ import annotations

from sympy import Basic, Expr, Piecewise, S

from symopt.declaration import Schedule
from symopt.derivation.times import entries, step_index
from symopt.errors import DerivationError
from symopt.notation import Hyperparameter, Index
from symopt.printing.unicode import unicode
from symopt.program.ir import NUMBER, Argument
from symopt.program.supported import check_supported
from symopt.targets.calling import signature
from symopt.targets.numba_rule import class_name, heading
from symopt.targets.python_code import number_code
from symopt.targets.ranges import admissible
from symopt.targets.target import Options
from symopt.targets.templates import render


def render_schedule(schedule: Schedule, options: Options) -> str:  # noqa: ARG001  # all is float64
    """The text of the module."""
    id, stated = schedule.equations[0]
    step = step_index(stated.left)
    _check(id, stated.right, step)
    check_supported(id, stated.right)
    defaults = schedule.default_values
    used = sorted(stated.right.atoms(Hyperparameter), key=lambda one: one.spelling.python)
    numbers = [
        Argument(one.spelling.python, NUMBER, domain=one.domain, default=defaults.get(one))
        for one in used
    ]
    required = [one for one in numbers if one.default is None]
    ordered = [*required, *(one for one in numbers if one.default is not None)]
    name = step.spelling.python
    words = {one.name: admissible(one.name, one.domain) for one in numbers if one.domain}
    return render(
        "numba",
        "schedule.py.jinja",
        **heading(schedule, schedule.statements),
        class_name=class_name(schedule.name),
        signature=[f"{name}: int", *signature(ordered)],
        fields=signature(ordered),
        passed=", ".join([name, *(f"{one.name}=self.{one.name}" for one in ordered)]),
        argument_words=[
            f"{name}: the number of the step, from 1 on.",
            *(f"{one}: a number in {word}." for one, (_, word) in words.items()),
        ],
        checks=[
            f'_check("{name}", {name}, 1 <= {name} < math.inf and {name} % 1 == 0, "{{1, 2, …}}")',
            *(f'_check("{one}", {one}, {code}, "{word}")' for one, (code, word) in words.items()),
        ],
        lines=[f"{line}  # {id}" if "return" in line else line for line in _returns(stated.right)],
    )


def _returns(expr: Expr) -> list[str]:
    """The value, a case at a time."""
    if not isinstance(expr, Piecewise):
        return [f"return float({number_code(expr)})"]
    found: list[str] = []
    for value, condition in expr.args:
        if condition is S.true:
            return [*found, f"return float({number_code(value)})"]
        found += [f"if {number_code(condition)}:", f"    return float({number_code(value)})"]
    # no last case for everything else: the printer says so
    return [number_code(expr)]


def _check(id: str, expr: Expr, step: Index) -> None:
    loose: list[Basic] = [*entries(expr)]
    loose += [one for one in expr.atoms(Index) if one != step]
    if loose:
        raise DerivationError(
            f"{id} reads {unicode(loose[0])}; a schedule is a function of the step "
            f"{unicode(step)} and of hyperparameters alone"
        )
