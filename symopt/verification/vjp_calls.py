"""One call of a gradient's function: what it is handed, and the form of what it gives back."""

from __future__ import annotations

from typing import Any

import numpy as np

from symopt.verification.replay import Arrays
from symopt.verification.rule_runs import Run
from symopt.verification.rule_subject import Vjp
from symopt.verification.verdict import Tally


def asked(
    where: str, vjp: Vjp, run: Run, arrays: Arrays, adjoints: Arrays, tally: Tally
) -> dict[str, Any] | None:
    """The gradient by each argument, an array like it or a number; None where it is no such thing.

    Raises
    ------
    UsageError
        If the function takes an argument that the rule does not know.
    """
    known = {**arrays, **adjoints}
    handed = run.arguments(vjp.arguments, {name: one.copy() for name, one in known.items()})
    try:
        with np.errstate(all="ignore"):
            found = dict(vjp.function(**handed))
    except (TypeError, ValueError, ZeroDivisionError) as error:
        tally.refute(where, f"{where}: the function refuses its inputs: {error}")
        return None
    for name, one in handed.items():
        if isinstance(one, np.ndarray) and one.tobytes() != known[name].tobytes():
            tally.refute(where, f"{where}: the function changes {name}, which it only reads")
            return None
    wanted = [name for name in vjp.arguments if name in arrays or name in run.named]
    if set(found) != set(wanted):
        words = f"the gradients are by {', '.join(found)}; wanted are those by {', '.join(wanted)}"
        tally.refute(where, f"{where}: {words}")
        return None
    for name, one in found.items():
        form = _form(arrays[name]) if name in arrays else ""
        if _form(one) != form:
            words = f"{_form(one) or 'a number'}, where {form or 'a number'} is wanted"
            tally.refute(where, f"{where}: the gradient by {name} is {words}")
            return None
    return found


def _form(one: Any) -> str:
    """The form of an array in words; nothing for a number."""
    array = np.asarray(one)
    number = array.ndim == 0 and array.dtype.kind == "f"
    return "" if number else f"an array of shape {array.shape} and {array.dtype}"
