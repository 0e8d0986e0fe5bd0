"""``symopt generate``: kernels and LaTeX as files, or whether those there are up to date."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from symopt.cli import completion
from symopt.cli.library import COLLECTIONS, collection
from symopt.cli.options import Dtypes, HouseStyle, Names, With
from symopt.cli.penalties import with_penalty

EXAMPLES = (
    "Examples:  symopt generate  ·  symopt generate my_rule.py --out build  ·  "
    "symopt generate adam --target numba --dtype float32  ·  symopt generate adam --with l2  ·  "
    "symopt generate adam --aot  ·  symopt generate adam --states bfloat16  ·  "
    "symopt generate --check"
)


def command(
    names: Names = None,
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("generated"),
    targets: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            help="numba, latex or c; by default the first two.",
            autocompletion=completion.among("numba", "latex", "c"),
        ),
    ] = None,
    dtypes: Dtypes = None,
    style: HouseStyle = None,
    regularizer: With = None,
    states: Annotated[
        str,
        typer.Option(
            "--states", help="bfloat16: states in half the memory, in files called NAME_bfloat16."
        ),
    ] = "",
    ahead: Annotated[
        bool,
        typer.Option(
            "--aot", help="C and its build besides, of what has kernels to compile ahead of time."
        ),
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; show what is out of date, exit 1 if so.")
    ] = False,
) -> None:
    """Write generated kernels (numba/NAME.py, c/NAME.c) and formulas (latex/NAME.tex)."""
    from symopt.runtime.generation import DTYPES, files, write
    from symopt.targets.registry import NAMES
    from symopt.targets.target import Options

    wanted = tuple(dict.fromkeys([*(targets or NAMES), *(["c"] if ahead else [])]))
    chosen = completion.style_of(style or "lecture")
    options = Options(tuple(dict.fromkeys(dtypes or DTYPES)), chosen, states)
    if names or regularizer:
        texts = files(with_penalty(names or [], regularizer), wanted, options)
    else:
        several = (files(collection(one), wanted, options, one) for one in COLLECTIONS)
        texts = {path: text for one in several for path, text in one.items()}
    if check:
        _check(out, texts, everything=not names)
        return
    written = write(out, texts)
    typer.echo(f"{len(texts)} files in {out}, {len(written)} of them new or changed")


def _check(out: Path, texts: Mapping[str, str], everything: bool) -> None:
    from symopt.runtime.generation import differences, missing, unknown

    absent, changed = missing(out, texts), list(differences(out, texts))
    for one in changed:
        typer.echo(one, nl=False)
    for path in absent:
        typer.echo(f"{path} is missing")
    if everything:
        for path in unknown(out, texts):
            typer.echo(f"note: {path} follows from no declaration of the catalogue", err=True)
    if absent or changed:
        count = len(absent) + len(changed)
        typer.echo(f"{count} of {len(texts)} files differ; run symopt generate", err=True)
        raise typer.Exit(1)
    typer.echo(f"{len(texts)} files are as declared")
