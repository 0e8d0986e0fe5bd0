"""``symopt train``: each rule on real data, beside the same rule written straight in NumPy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from symopt.cli.consoles import console_for_people
from symopt.cli.library import catalogue, find
from symopt.cli.options import AsJson, Names
from symopt.errors import UsageError

EXAMPLES = (
    "Examples:  symopt train  ·  symopt train adam my_rule.py --epochs 5  ·  "
    "symopt train --network  ·  symopt train --network adam --examples 100 --compare  ·  "
    "symopt train --network my_network.py --data flowers.csv  ·  "
    "symopt train --network --resume symopt-checkpoint.npz"
)


def command(
    names: Names = None,
    network: Annotated[
        bool,
        typer.Option(
            "--network", help="A network of generated parts: the catalogue's, or one among names."
        ),
    ] = False,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the data, in place of each rule's own.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Seed of all that is drawn at random; by default 0."),
    ] = None,
    dtype: Annotated[
        str | None,
        typer.Option(help="float64 or float32; by default float64, in networks float32."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="With --network: an .npz file with x and y, or a .csv, labels last."),
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=2, help="With --network: the examples of a step.")
    ] = None,
    examples: Annotated[
        int | None, typer.Option(min=2, help="With --network: train on so many examples only.")
    ] = None,
    compare: Annotated[
        bool,
        typer.Option("--compare", help="With --network: each rule without regularization too."),
    ] = False,
    ensemble: Annotated[
        int | None,
        typer.Option(min=2, help="With --network: the mean of so many behind dropout."),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="With --network: keep a checkpoint here after each epoch too."),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="With --network: go on from a checkpoint, with its options."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train on scikit-learn's digits with each rule: a softmax classifier, or a network."""
    wishes = {
        "names": tuple(names or ()),
        "epochs": epochs,
        "seed": seed,
        "dtype": dtype,
        "data": str(data) if data else None,
        "batch": batch,
        "examples": examples,
        "compare": compare or None,
        "ensemble": ensemble,
    }
    given = {key: value for key, value in wishes.items() if value not in (None, ())}
    if network:
        _network(given, checkpoint, resume, as_json)
        return
    alone = {**given, "checkpoint": checkpoint, "resume": resume}
    for key in ("data", "batch", "examples", "compare", "ensemble", "checkpoint", "resume"):
        if alone.get(key) is not None:
            raise UsageError(f"--{key} is of networks; write symopt train --network --{key} …")
    _classifier(names or [], epochs, seed or 0, dtype or "float64", as_json)


def _network(
    given: dict[str, Any], checkpoint: Path | None, resume: Path | None, as_json: bool
) -> None:
    from symopt.cli.commands.train_network import Wishes, train_network

    if resume is not None and given:
        words = ", ".join("names" if key == "names" else f"--{key}" for key in given)
        raise UsageError(f"--resume goes on with the options of its checkpoint; leave out {words}")
    train_network(Wishes(**given), checkpoint=checkpoint, resume=resume, as_json=as_json)


def _classifier(names: list[str], epochs: int | None, seed: int, dtype: str, as_json: bool) -> None:
    from symopt.declaration import Schedule, UpdateRule
    from symopt.demo import table, train

    chosen = [one for one in find(names) if names or isinstance(one, UpdateRule)]
    wrong = [one for one in chosen if not isinstance(one, UpdateRule)]
    if wrong:
        raise UsageError(
            f"{wrong[0].name} is {wrong[0].a_kind}, which trains nothing; name update rules, or "
            "write symopt train --network"
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
