"""``symopt check``: a derivation that somebody wrote, line by line, with the slip in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from symopt.cli.library import run_file
from symopt.cli.options import AsJson
from symopt.errors import UsageError
from symopt.proof.outcomes import PROVED, REFUTED, SECONDS, UNDECIDED

EXAMPLES = "Examples:  symopt check chain.py  ·  symopt check chain.py --json --seconds 30"
EXIT_CODES = {PROVED: 0, REFUTED: 1, UNDECIDED: 3}


def command(
    file: Annotated[str, typer.Argument(metavar="FILE.py", help="Functions under @chain().")],
    seconds: Annotated[float, typer.Option("--seconds", help="The limit for one slip.")] = SECONDS,
    as_json: AsJson = False,
) -> None:
    """Find the first line of a chain of equations that does not follow, and the likely slip.

    Exit codes: 0 every line is proved, 1 one does not follow, 2 wrong use, 3 some lines agree at
    all points that were tried and are not proved.
    """
    from symopt.proof.chains import Chain
    from symopt.proof.following import check_chain

    module = run_file(Path(file))
    chains = [one for one in vars(module).values() if isinstance(one, Chain)]
    if not chains:
        raise UsageError(f"{file} holds no chain; decorate a function in it with @chain()")
    found = [check_chain(one, seconds=seconds) for one in chains]
    if as_json:
        rows = [one.json() for one in found]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        typer.echo("\n\n".join(map(str, found)))
    statuses = {one.status for one in found}
    worst = next(one for one in (REFUTED, UNDECIDED, PROVED) if one in statuses)
    raise typer.Exit(EXIT_CODES[worst])
