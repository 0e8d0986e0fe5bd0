"""``symopt``: the commands, and how errors become exit codes."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from symopt import __version__
from symopt.cli.commands import (
    bench,
    check,
    derive,
    equivalent,
    generate,
    list_,
    safety,
    show,
    train,
    verify,
)
from symopt.errors import SymoptError

app = typer.Typer(
    name="symopt",
    help="Optimizers as formulas: derived, compiled, printed and proved from one declaration.",
    epilog="Exit codes: 0 all is well, 1 something was found, 2 wrong use, 3 undecided.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

app.command("list", epilog=list_.EXAMPLES)(list_.command)
app.command("show", epilog=show.EXAMPLES)(show.command)
app.command("derive", epilog=derive.EXAMPLES)(derive.command)
app.command("equivalent", epilog=equivalent.EXAMPLES)(equivalent.command)
app.command("check", epilog=check.EXAMPLES)(check.command)
app.command("generate", epilog=generate.EXAMPLES)(generate.command)
app.command("verify", epilog=verify.EXAMPLES)(verify.command)
app.command("bench", epilog=bench.EXAMPLES)(bench.command)
app.command("safety", epilog=safety.EXAMPLES)(safety.command)
app.command("train", epilog=train.EXAMPLES)(train.command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"symopt {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; an error of the user's is one sentence and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # a terminal without Greek letters shows question marks rather than nothing
            stream.reconfigure(errors="replace")
    try:
        app()
    except SymoptError as error:
        print(f"symopt: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        print(f"symopt:{where}: {error.strerror or error}", file=sys.stderr)
        sys.exit(2)
