"""The gradient of a step as a function of a generated module: arguments, checks and results."""

from __future__ import annotations

from typing import Any

from symopt.program.ir import ARRAY, BATCH, NUMBER, SCALAR_STATE, STEP, Argument
from symopt.program.lower_vjp import VjpKernel
from symopt.targets.calling import annotated, flat, joined, number_check, signature

# elements of a part: enough for a thread to be worth its while, and few enough to share out evenly
STRETCH = 65536


def vjp_function(vjp: VjpKernel) -> dict[str, Any]:
    """What a template needs for the public function of one kernel of adjoints."""
    plain = [one for one in (*vjp.forward, *vjp.handed) if one.kind == ARRAY]
    batches = [one for one in vjp.forward if one.kind == BATCH]
    public = vjp.kernel.name.removeprefix("_")
    given = signature(vjp.forward)
    outputs = dict(vjp.results)
    returned = vjp.kernel.result.strip("()").rstrip(",").split(", ") if vjp.numbers else []
    results = {name: one.name for name, one in outputs.items()}
    results |= dict(zip(vjp.numbers, returned, strict=True))
    return {
        "name": public,
        "of": f"of one {public.removesuffix('_vjp').replace('_', ' ')}",
        "signature": [*given, *([] if "*" in given else ["*"]), *map(annotated, vjp.handed)],
        "derived": [formula for formula, _, _ in vjp.derivation.rows()],
        "words": _words(vjp),
        "read": joined(f'"{one.name}": {one.name}' for one in plain),
        "batches": joined(f'"{one.name}": {one.name}' for one in batches),
        "checks": [*_scalar_checks(vjp), *_number_checks(vjp)],
        "allocated": [f"{one.name} = {_empty(of, one)}" for of, one in vjp.results],
        **_parts(vjp),
        "returned": f"{vjp.kernel.result} = " if vjp.numbers else "",
        "passed": [
            one.name if one.kind in (NUMBER, STEP) else flat(one) for one in vjp.kernel.arguments
        ],
        "results": [
            f'"{one.name}": {results[one.name]}' for one in vjp.forward if one.name in results
        ],
    }


def _parts(vjp: VjpKernel) -> dict[str, Any]:
    """How the kernel is called for one part of its arrays, where all of them can be cut alike."""
    arrays = [one for one in vjp.kernel.arguments if one.kind not in (NUMBER, STEP)]
    cut = all(one.kind == ARRAY for one in arrays)
    name = vjp.kernel.name
    return {
        "stretch": STRETCH,
        "run": f"_run{name}" if cut else name,
        "slices": [f"arrays[{k}][start:stop]" for k in range(len(arrays))] if cut else [],
        "found": "found = " if vjp.numbers else "",
        "kept": [f"sums[part, {k}] = found[{k}]" for k in range(len(vjp.numbers))],
    }


def _words(vjp: VjpKernel) -> list[str]:
    """What a docstring says of arguments and results."""
    given = joined(one.name for one in vjp.forward if one.kind != STEP)
    handed = joined(one.name for one in vjp.handed)
    new = joined(one.name.removeprefix("d") for one in vjp.handed)
    return [
        f"{given}: as {vjp.kernel.name.removeprefix('_').removesuffix('_vjp')} takes them, "
        "before the step; nothing is changed.",
        f"{handed}: dL/d(new value) of {new}, arrays like it.",
        "Arrays in the result are new; hyperparameters have floats, summed in float64.",
        "Raises ValueError for arguments that do not fit.",
    ]


def _scalar_checks(vjp: VjpKernel) -> list[str]:
    states = [one for one in vjp.forward if one.kind == SCALAR_STATE]
    handed = [one for one in vjp.handed if one.kind == SCALAR_STATE]
    return [
        *(f'_check_scalar("{one.name}", {one.name})' for one in states),
        *(
            f'_check_scalar("{one.name}", {one.name}, "give np.zeros(1) or its adjoint")'
            for one in handed
        ),
    ]


def _number_checks(vjp: VjpKernel) -> list[str]:
    numbers = [one for one in vjp.forward if one.kind in (NUMBER, STEP)]
    return [f"{one.name} = {number_check(one)}" for one in numbers]


def _empty(of: str, one: Argument) -> str:
    if one.kind == SCALAR_STATE:
        return "np.empty(1)"
    return f"np.empty({of}.shape, {of}.dtype, order=order)"
