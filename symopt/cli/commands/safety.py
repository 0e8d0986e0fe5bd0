"""``symopt safety``: where a kernel's arithmetic is in danger, and how far off it was found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from symopt.cli import completion
from symopt.cli.commands.verify import dtypes_of
from symopt.cli.consoles import console_for_people
from symopt.cli.options import AsJson, Dtypes, With
from symopt.cli.penalties import with_penalty
from symopt.errors import UsageError

if TYPE_CHECKING:
    from symopt.safety.report import Report

EXAMPLES = (
    "Examples:  symopt safety adam  ·  symopt safety batch_norm --dtype float32  ·  "
    "symopt safety my_rule.py --json"
)


def command(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME|FILE.py...", autocompletion=completion.names, help="Of what."),
    ],
    dtypes: Dtypes = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random inputs.")] = 0,
    regularizer: With = None,
    as_json: AsJson = False,
) -> None:
    """Report kinks, cancellation, overflow and underflow, and the worst error that was found."""
    from symopt.judging import check_verifiable
    from symopt.runtime.generation import DTYPES
    from symopt.safety.report import safety

    for dtype in dtypes or ():
        if dtype not in DTYPES:
            raise UsageError(f"there is no dtype '{dtype}'; known are {', '.join(DTYPES)}")
    declared = with_penalty(names, regularizer)
    for one in declared:
        check_verifiable(one)
    work = [(one, dtype) for one in declared for dtype in dtypes_of(one, dtypes or DTYPES)]
    progress = track(work, "judging", console=Console(stderr=True), transient=True, disable=as_json)
    reports = [safety(one, dtype, seed=seed) for one, dtype in progress]
    if as_json:
        rows = [report.json() for report in reports]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        for report in reports:
            _print(report)
    if not all(report.verdict.ok for report in reports):
        raise typer.Exit(1)


def _print(report: Report) -> None:
    table = Table(box=None, pad_edge=False, title=f"{report.name}, {report.dtype}")
    for heading in ("danger", "equation", "in", "where", "what the kernel does"):
        table.add_column(heading, overflow="fold")
    for one in report.findings:
        table.add_row(*one.row())
    console = console_for_people()
    console.print(table, highlight=False, markup=False)
    verdict = report.verdict
    console.print(
        f"worst error {verdict.error:.2f} ulp of the terms' magnitudes, where {verdict.bound:.2f} "
        f"are allowed, among {verdict.points} points: {verdict.where}, {verdict.inputs}\n",
        highlight=False,
        markup=False,
    )
    if verdict.message:
        console.print(f"{report.name} is refuted. {verdict.message}", markup=False, highlight=False)
