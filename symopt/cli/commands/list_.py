"""``symopt list``: what is declared."""

from __future__ import annotations

import json

import typer
from rich.table import Table

from symopt.cli.consoles import console_for_people
from symopt.cli.library import find
from symopt.cli.options import AsJson, Names

EXAMPLES = "Examples:  symopt list  ·  symopt list my_rule.py  ·  symopt list --json"


def command(
    names: Names = None,
    as_json: AsJson = False,
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
