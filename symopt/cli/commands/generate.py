"""``symopt generate``: kernels and LaTeX as files, or whether those there are up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symopt.cli.library import COLLECTION, find

EXAMPLES = (
    "Examples:  symopt generate  ·  symopt generate my_rule.py --out build  ·  "
    "symopt generate adam --target numba --dtype float32  ·  symopt generate --check"
)


def command(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME|FILE.py]...", help="What to generate; by default all."),
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("generated"),
    targets: Annotated[
        list[str] | None, typer.Option("--target", help="numba or latex; by default both.")
    ] = None,
    dtypes: Annotated[
        list[str] | None,
        typer.Option("--dtype", help="What kernels accept: float32, float64; by default both."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; show what is out of date, exit 1 if so.")
    ] = False,
) -> None:
    """Write generated kernels (numba/NAME.py) and formulas (latex/NAME.tex)."""
    from symopt.runtime.generation import DTYPES, differences, files, write
    from symopt.targets.registry import NAMES
    from symopt.targets.target import Options

    texts = files(
        find(names or []),
        tuple(dict.fromkeys(targets or NAMES)),
        Options(tuple(dict.fromkeys(dtypes or DTYPES))),
        None if names else COLLECTION,
    )
    if check:
        found = list(differences(out, texts, complete=not names))
        for one in found:
            typer.echo(one, nl=False)
        if found:
            typer.echo(f"{len(found)} of {len(texts)} files differ; run symopt generate", err=True)
            raise typer.Exit(1)
        typer.echo(f"{len(texts)} files are as declared")
        return
    written = write(out, texts)
    typer.echo(f"{len(texts)} files in {out}, {len(written)} of them new or changed")
