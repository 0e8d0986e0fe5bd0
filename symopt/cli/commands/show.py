"""``symopt show``: formulas as the slide has them."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from symopt.cli.library import find
from symopt.errors import UsageError, nearest

EXAMPLES = (
    "Examples:  symopt show adam  ·  symopt show adam --latex --style book  ·  "
    "symopt show --all --json"
)


def command(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME|FILE.py]...", help="What to show.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show the whole catalogue.")] = False,
    as_latex: Annotated[bool, typer.Option("--latex", help="LaTeX in place of Unicode.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Ids and LaTeX for machines.")] = False,
    style: Annotated[str, typer.Option(help="House style: lecture, paper or book.")] = "lecture",
) -> None:
    """Show formulas, with all that symopt derived put in."""
    if not names and not everything:
        raise UsageError("nothing to show; name a declaration, or write symopt show --all")
    if names and everything:
        raise UsageError("--all shows the whole catalogue; leave out the names, or the --all")
    from symopt.derivation.api import formulas
    from symopt.printing.latex import SlidePrinter
    from symopt.printing.styles import STYLES
    from symopt.printing.unicode import UnicodePrinter

    if style not in STYLES:
        raise UsageError(f"there is no style '{style}'; {nearest(style, STYLES)}")
    declared = find(names or [])
    if as_json:
        rows = [
            {"id": one.id, "latex": one.text, **({"note": one.note} if one.note else {})}
            for declaration in declared
            for one in formulas(declaration, SlidePrinter(STYLES[style]))
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    printer = SlidePrinter(STYLES[style]) if as_latex else UnicodePrinter()
    for place, declaration in enumerate(declared):
        if place:
            typer.echo()
        typer.echo(f"{typer.style(declaration.name, bold=True)}  {declaration.summary}")
        for one in formulas(declaration, printer):
            typer.echo(f"  {one.text}")
            if one.note:
                typer.echo(f"    ({one.note})")
