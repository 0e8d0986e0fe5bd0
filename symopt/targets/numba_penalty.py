"""A regularizer as a Python module: its value and its derived gradient as Numba kernels."""

from __future__ import annotations

from symopt.declaration import Regularizer
from symopt.derivation.penalty import derive_penalty
from symopt.program.ir import NUMBER
from symopt.program.lower_penalty import SCALE, lower_penalty_gradient, lower_value, penalty_numbers
from symopt.targets.calling import number_check, signature
from symopt.targets.numba_rule import dtype_words, heading, kernel_lines
from symopt.targets.ranges import admissible
from symopt.targets.target import Options
from symopt.targets.templates import render


def render_regularizer(regularizer: Regularizer, options: Options) -> str:
    """The text of the module."""
    penalty = derive_penalty(regularizer)
    value, gradient = lower_value(penalty), lower_penalty_gradient(penalty)
    own = penalty_numbers(penalty)
    numbers = gradient.of_kind(NUMBER)
    shown = [
        {
            "name": one.name,
            "arguments": ", ".join(argument.name for argument in one.arguments),
            "lines": kernel_lines(one),
        }
        for one in (value, gradient)
    ]
    return render(
        "numba",
        "regularizer.py.jinja",
        **heading(regularizer, regularizer.statements),
        **dtype_words(options),
        derived=[f"{formula}  ({reason})" for formula, reason, _ in penalty.derivation.rows()[1:]],
        kernels=shown,
        parameter=value.over,
        scale=SCALE.spelling.unicode,
        value_signature=", ".join(signature(value.arguments)),
        value_numbers="".join(f", {number_check(one)}" for one in own),
        gradient_signature=", ".join(signature(gradient.arguments)),
        number_checks=[number_check(one) for one in numbers],
        argument_words=[
            f"{value.over}, g: contiguous arrays of one shape and dtype, not overlapping.",
            *(
                f"{one.name}: a number in {admissible(one.name, one.domain)[1]}."
                for one in numbers
                if one.domain
            ),
            "Raises ValueError, before anything is changed, for arguments that do not fit.",
        ],
    )
