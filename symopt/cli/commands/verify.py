"""``symopt verify``: kernels against the meaning of their declarations, at 50 digits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from symopt.cli.consoles import console_for_people
from symopt.cli.options import AsJson, Dtypes, Names, With
from symopt.cli.penalties import with_penalty
from symopt.errors import UsageError

if TYPE_CHECKING:
    from symopt.declaration import Declaration
    from symopt.verification.judge import Verdict

EXAMPLES = (
    "Examples:  symopt verify  ·  symopt verify adam my_rule.py  ·  "
    "symopt verify adam --with l2  ·  symopt verify adam --aot  ·  symopt verify --json"
)


def command(
    names: Names = None,
    dtypes: Dtypes = None,
    steps: Annotated[int, typer.Option(min=1, help="Steps of each run.")] = 12,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random inputs.")] = 0,
    gradients: Annotated[
        bool, typer.Option("--gradients", help="Of update rules, step_vjp too; takes longer.")
    ] = False,
    regularizer: With = None,
    ahead: Annotated[
        bool,
        typer.Option("--aot", help="The kernels in C, compiled by this machine's compiler."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Verify kernels, of a network those of all its parts; exit 1 if one is wrong."""
    from symopt.judging import check_verifiable, verifiable, verify
    from symopt.runtime.generation import DTYPES
    from symopt.targets.c import compiled_ahead

    for dtype in dtypes or ():
        if dtype not in DTYPES:
            raise UsageError(f"there is no dtype '{dtype}'; known are {', '.join(DTYPES)}")
    chosen = with_penalty(names or [], regularizer)
    suits = compiled_ahead if ahead else verifiable
    declared = [one for one in _in_parts(chosen) if names or suits(one)]
    for one in declared:
        check_verifiable(one)
    work = [(one, dtype) for one in declared for dtype in dtypes_of(one, dtypes or DTYPES)]
    progress = track(
        work, "verifying", console=Console(stderr=True), transient=True, disable=as_json
    )
    verdicts = [
        verify(one, dtype, steps=steps, seed=seed, gradients=gradients, ahead=ahead)
        for one, dtype in progress
    ]
    if as_json:
        rows = [
            {**verdict.json(), "fingerprint": one.fingerprint, "steps": steps, "seed": seed}
            for verdict, (one, _) in zip(verdicts, work, strict=True)
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        _print(verdicts)
    if not all(one.ok for one in verdicts):
        raise typer.Exit(1)


def _in_parts(several: Sequence[Declaration]) -> tuple[Declaration, ...]:
    """The declarations, networks replaced by what they are made of; each once."""
    from symopt.declaration import Network, parts_of

    found: dict[str, Declaration] = {}
    for one in several:
        parts = (part.declared for part in parts_of(one)) if isinstance(one, Network) else (one,)
        found.update((part.fingerprint, part) for part in parts)
    return tuple(found.values())


def dtypes_of(declared: Declaration, wanted: Sequence[str]) -> Sequence[str]:
    """A schedule and a monitor are plain numbers, always computed in float64."""
    from symopt.declaration import Monitor, Schedule

    return ("float64",) if isinstance(declared, Schedule | Monitor) else wanted


def _print(verdicts: Sequence[Verdict]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "dtype", "verdict"):
        table.add_column(heading, no_wrap=True)
    for heading in ("error", "bound", "points", "out of range"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("worst at", overflow="fold")
    for one in verdicts:
        table.add_row(
            one.name,
            one.dtype,
            "[green]verified[/green]" if one.ok else "[red]refuted[/red]",
            f"{one.error:.2f}",
            f"{one.bound:.2f}",
            str(one.points),
            str(one.out_of_range),
            one.where,
        )
    console = console_for_people()
    console.print(table, highlight=False)
    console.print(
        "error and bound in ulps of the sum of the terms' magnitudes, at the point of worst error",
        style="dim",
        highlight=False,
    )
    noted: set[str] = set()
    for one in verdicts:
        if one.note and one.name not in noted:
            noted.add(one.name)  # the other dtype says the same of other numbers
            console.print(f"{one.name}: {one.note}", style="dim", markup=False)
        if not one.ok:
            console.print(f"{one.name} is refuted. {one.message}", markup=False, highlight=False)
