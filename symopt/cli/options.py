"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from symopt.cli import completion

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME|FILE.py]...",
        help="Declarations by name, or files that hold some; by default all there are.",
        autocompletion=completion.names,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]
AsLatex = Annotated[bool, typer.Option("--latex", help="LaTeX in place of Unicode.")]
HouseStyle = Annotated[
    str | None,
    typer.Option(
        "--style",
        help="LaTeX in a house style: lecture, paper or book.",
        autocompletion=completion.styles,
    ),
]
With = Annotated[
    str | None,
    typer.Option(
        "--with",
        metavar="NAME|FILE.py",
        help="The penalty to put in: l1, l2, elastic_net or another.",
        autocompletion=completion.regularizers,
    ),
]
Dtypes = Annotated[
    list[str] | None,
    typer.Option(
        "--dtype", help="float32 or float64; by default both.", autocompletion=completion.dtypes
    ),
]
