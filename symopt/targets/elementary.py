"""Which of exp, log, tanh and erf a module's kernels take of elements, and what writes them out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sympy import Expr, erf, exp, log, tanh

from symopt.program.elementary import (
    error_function,
    exponential,
    exponential_to_one,
    hyperbolic,
    logarithm,
    rank,
)
from symopt.program.invariants import every_node
from symopt.program.ir import Assign, Kernel
from symopt.program.signs import exp_to_one
from symopt.targets.target import Options


@dataclass(frozen=True)
class Elementary:
    """A function of our own: its Python name, what it is made of, and how far it may be off.

    ``ulps`` are units in the last place of the exact result; tests hold it. The ``library`` has the
    function by this name.
    """

    name: str
    function: type
    template: str
    numbers: Callable[[str], dict[str, Any]]
    summary: str
    ulps: str
    library: str
    calls: tuple[str, ...] = ()


# each after those that it calls
ELEMENTARY = (
    Elementary("exp", exp, "exponential", exponential, "e to the power x", "1.1", "exp"),
    Elementary(
        "exp_to_one", exp_to_one, "exponential_to_one", exponential_to_one,
        "e to the power x, for x that is never above 0", "1.1", "exp",
    ),
    Elementary("log", log, "logarithm", logarithm, "The natural logarithm", "1.0", "log"),
    Elementary(
        "tanh", tanh, "hyperbolic", hyperbolic, "The hyperbolic tangent", "1.4", "tanh",
        calls=("exp_to_one",),
    ),
    Elementary(
        "erf", erf, "error_function", error_function, "The error function", "1.1", "erf",
        calls=("exp_to_one",),
    ),
)  # fmt: skip


def elementary_words(kernels: Iterable[Kernel], options: Options) -> dict[str, Any]:
    """What templates need to write out the functions that some kernels take of elements."""
    kernels = tuple(kernels)
    values = [value for kernel in kernels for value in _of_elements(kernel)]
    needed = {one.name for one in ELEMENTARY if any(value.has(one.function) for value in values)}
    needed |= {name for one in ELEMENTARY if one.name in needed for name in one.calls}
    ranked = any("max" in row.combine for kernel in kernels for row in kernel.rows)
    return written_out([one for one in ELEMENTARY if one.name in needed], options, ranked)


def written_out(
    found: Sequence[Elementary], options: Options, ranked: bool = False
) -> dict[str, Any]:
    """What templates need to write out these functions, for all dtypes of the module.

    Where numbers are ``ranked``, also the functions that turn them into whole ones and back.
    """
    ranks = [rank(dtype) for dtype in options.dtypes] if ranked else []
    return {
        "rank": ranks,
        "rank_of": ", ".join(f"numba.{one['real']}: _rank_{one['real']}" for one in ranks),
        "ranked_of": ", ".join(f"numba.{one['whole']}: _ranked_{one['real']}" for one in ranks),
        "elementary": [
            {
                "name": one.name,
                "template": f"{one.template}.py.jinja",
                "summary": one.summary,
                "ulps": one.ulps,
                "library": one.library,
                "known": ", ".join(
                    f"numba.{dtype}: _{one.name}_{dtype}" for dtype in options.dtypes
                ),
            }
            for one in found
        ],
        **{one.template: [one.numbers(dtype) for dtype in options.dtypes] for one in found},
    }


def _of_elements(kernel: Kernel) -> Iterator[Expr]:
    """The values that are computed in the arrays' dtype."""
    lines = (line for row in kernel.rows for line in row.body)
    for node in (*every_node(kernel.body), *lines):
        match node:
            case Assign(value=value, wide=False, cast=False):
                yield value
