"""``symopt bench``: generated code beside its peers, interleaved, with what is to be reached."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from symopt.cli import completion
from symopt.cli.consoles import console_for_people
from symopt.cli.library import catalogue, find
from symopt.cli.options import AsJson
from symopt.errors import UsageError, nearest

if TYPE_CHECKING:
    from symopt.bench.results import Result
    from symopt.bench.run import Wishes
    from symopt.bench.works import Work

EXAMPLES = (
    "Examples:  symopt bench  ·  symopt bench adam/1e6 layer_norm  ·  symopt bench my_rule.py  ·  "
    "symopt bench adam --peer 'torch fused' --peer C --threads 1  ·  "
    "symopt bench adam momentum --plot times.png --output times.json  ·  symopt bench --quick"
)


def command(
    works: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WORK|NAME|FILE.py]...",
            help="Works as --list names them, declarations, or files; by default all of --list.",
            autocompletion=completion.names,
        ),
    ] = None,
    peers: Annotated[
        list[str] | None,
        typer.Option("--peer", help="torch, 'torch fused', optax, NumPy, C …; by default all."),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="For all; by default one for each processor.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="To measure each work.")] = 4.0,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small arrays: compare answers, measure nothing.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="Show the works and their bars.")] = False,
    output: Annotated[
        Path | None, typer.Option(help="Write what --json shows to a file too.")
    ] = None,
    plot_file: Annotated[
        Path | None, typer.Option("--plot", help="Draw times and bandwidths: .png, .pdf or .svg.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Time generated code and every peer that is installed in turn; exit 1 if answers differ."""
    chosen = _chosen(works or [])
    if listed:
        _list(chosen, as_json)
        return

    from symopt.bench.machine import set_threads

    # before anything loads NumPy, whose matrix products read the number of threads once
    count = set_threads(threads)

    from symopt.bench.plot import check_plot, plot
    from symopt.bench.run import Wishes, check_peers
    from symopt.bench.timing import Pace
    from symopt.bench.works import each_once

    check_plot(plot_file)
    if output is not None and not output.absolute().parent.is_dir():
        raise UsageError(
            f"--output is {output}, but there is no folder {output.parent}; name another"
        )
    if plot_file is not None and quick:
        raise UsageError("--quick measures nothing that --plot could draw; leave one of them out")
    pace = None if quick else Pace(seconds=seconds, threads=count)
    chosen = each_once(chosen) if quick else chosen
    results: list[Result] = []
    stopped = _stopped_early(chosen, Wishes(check_peers(peers or []), count, pace), results)
    _report(results, count, quick, output, as_json)
    if plot_file is not None:
        plot(results, count, plot_file)
    if stopped:
        raise typer.Exit(130)
    if not all(one.ok for one in results):
        raise typer.Exit(1)


def _chosen(names: Sequence[str]) -> tuple[Work, ...]:
    """The works that names stand for: a work, several that begin so, a declaration or a file."""
    from symopt.bench.works import works, works_of

    tabled = works(catalogue())
    if not names:
        return tabled
    found: dict[str, Work] = {}
    for name in names:
        those = [one for one in tabled if f"{one.name}/".startswith(f"{name}/")]
        if not those and "/" in name and not name.endswith(".py"):
            known = [one.name for one in tabled]
            raise UsageError(f"there is no work '{name}'; {nearest(name, known)}")
        for one in those or [work for each in find([name]) for work in works_of(each)]:
            found[one.name] = one
    return tuple(found.values())


def _list(chosen: Sequence[Work], as_json: bool) -> None:
    rows = [
        {
            "work": one.name,
            "bars": [{"who": b.who, "over": b.over, "most": b.most} for b in one.bars],
        }
        for one in chosen
    ]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for one in chosen:
        words = "; ".join(f"{b.who} {b.most:g} of {b.over}" for b in one.bars)
        typer.echo(f"{one.name:40}{words}".rstrip())


def _stopped_early(chosen: Sequence[Work], wishes: Wishes, results: list[Result]) -> bool:
    """Add the works' results one by one; whether Ctrl-C ended it, what was measured is kept."""
    from symopt.bench.machine import keep_heap
    from symopt.bench.run import run

    keep_heap()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=len(chosen))
        for place, work in enumerate(chosen):

            def show(what: str, share: float, place: int = place, work: Work = work) -> None:
                words = f"{work.name}: {what}"
                progress.update(bar, description=words, completed=place + share)

            show("compiling", 0.0)
            try:
                results.append(run(work, wishes, show))
            except UsageError as error:
                if len(chosen) == 1:
                    raise
                progress.console.print(f"left out: {error}", markup=False, highlight=False)
            except KeyboardInterrupt:
                return True
    return False


def _report(
    results: Sequence[Result], threads: int, quick: bool, output: Path | None, as_json: bool
) -> None:
    from symopt.bench.machine import description
    from symopt.bench.table import answers, notes, table

    machine = description(threads)
    whole: dict[str, Any] = {"machine": machine, "results": [one.json() for one in results]}
    text = json.dumps(whole, ensure_ascii=False, indent=2)
    if output is not None:
        output.write_text(f"{text}\n", encoding="utf-8")
    if as_json:
        typer.echo(text)
        return
    console = console_for_people()
    console.print(answers(results) if quick else table(results, machine), highlight=False)
    for note in notes(results):
        console.print(note, style="dim", markup=False, highlight=False)
    for one in results:
        for name, found in one.agreements.items():
            if not found.ok:
                words = f"{one.work.name}: the answers of {name} differ by {found.difference:.1e}"
                words += f", where rounding allows {found.bound:.1e}"
                console.print(words, style="red", markup=False, highlight=False)
