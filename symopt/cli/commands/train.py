"""``symopt train``: each rule on real data, beside the same rule written straight in NumPy."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from symopt.cli.consoles import console_for_people
from symopt.cli.library import catalogue, find
from symopt.cli.options import AsJson, Names
from symopt.declaration import Schedule, UpdateRule
from symopt.errors import UsageError

EXAMPLES = (
    "Examples:  symopt train  ·  symopt train adam my_rule.py --epochs 5  ·  "
    "symopt train --dtype float32 --json"
)


def command(
    names: Names = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the data, in place of each rule's own.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the order of the batches.")] = 0,
    dtype: Annotated[str, typer.Option(help="float64 or float32.")] = "float64",
    as_json: AsJson = False,
) -> None:
    """Train a softmax classifier on scikit-learn's digits with each rule's generated kernel."""
    from symopt.demo import table, train

    chosen = find(names or [])
    wrong = [one for one in chosen if names and not isinstance(one, UpdateRule)]
    if wrong:
        raise UsageError(
            f"{wrong[0].name} is {wrong[0].a_kind}, which trains nothing; name update rules"
        )
    rules = [one for one in chosen if isinstance(one, UpdateRule)]
    schedules = {one.name: one for one in catalogue() if isinstance(one, Schedule)}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("loading the digits", total=None)

        def show(rule: str, step: int, total: int) -> None:
            progress.update(bar, description=rule, completed=step, total=total)

        outcomes = train(rules, schedules, epochs=epochs, seed=seed, dtype=dtype, progress=show)
    if as_json:
        typer.echo(json.dumps([one.json() for one in outcomes], ensure_ascii=False, indent=2))
    else:
        console_for_people().print(table(outcomes))
