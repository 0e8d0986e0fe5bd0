"""``symopt list``: what is declared."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.table import Table

from symopt.cli import completion
from symopt.cli.consoles import console_for_people
from symopt.cli.library import find

EXAMPLES = "Examples:  symopt list  ·  symopt list my_rule.py  ·  symopt list --json"


def command(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME|FILE.py]...", autocompletion=completion.names, help="Only these."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """List the declarations with what each is about."""
    declared = find(names or [])
    if as_json:
        rows = [
            {
                "name": one.name,
                "kind": one.kind,
                "summary": one.summary,
                "source": one.source,
                "fingerprint": one.fingerprint,
            }
            for one in declared
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    console = console_for_people()
    table = Table("name", "kind", "what it is", box=None, pad_edge=False)
    for one in declared:
        table.add_row(one.name, one.kind, one.summary)
    console.print(table)
