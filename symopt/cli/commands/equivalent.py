"""``symopt equivalent``: whether two expressions, or two declarations, are the same."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from symopt.cli.options import AsJson, AsLatex
from symopt.proof.outcomes import PROVED, REFUTED, SECONDS, UNDECIDED

EXAMPLES = (
    "Examples:  symopt equivalent momentum my_rule.py  ·  symopt equivalent layer_norm my.py:layer"
    '  ·  symopt equivalent "sqrt(x**2)" "Abs(x)"'
    '  ·  symopt equivalent "Sum(k, (k, 1, m))" "m*(m + 1)/2"  ·  '
    'symopt equivalent nesterov my_rule.py --relation "theta = theta[t] - gamma*v[t - 1]"  ·  '
    'symopt equivalent "log(x*y)" "log(x) + log(y)" --assume "x > 0" --assume "y > 0"'
)
_SIDE = "NAME|FILE.py[:NAME]|EXPRESSION"
EXIT_CODES = {PROVED: 0, REFUTED: 1, UNDECIDED: 3}


def command(
    left: Annotated[
        str,
        typer.Argument(
            metavar=_SIDE, help="A rule, layer, loss, penalty, schedule, or an expression."
        ),
    ],
    right: Annotated[str, typer.Argument(metavar=_SIDE, help="The other one.")],
    assume: Annotated[
        list[str] | None, typer.Option("--assume", help="A relation to assume, such as x > 0.")
    ] = None,
    relate: Annotated[
        list[str] | None,
        typer.Option("--relation", help="A letter of the second in letters of the first."),
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", help="The limit of time.")] = SECONDS,
    full: Annotated[bool, typer.Option("--full", help="All lines of a proof.")] = False,
    as_latex: AsLatex = False,
    as_json: AsJson = False,
) -> None:
    """Prove that two of a kind are the same, or find the smallest numbers for which they differ.

    Exit codes: 0 proved, 1 refuted, 2 wrong use, 3 undecided.
    """
    from symopt.cli.expressions import assumption, relation, side
    from symopt.proof.equivalent import equivalent

    verdict = equivalent(
        side(left),
        side(right),
        [assumption(one) for one in assume or ()],
        relation=relation(relate or ()),
        seconds=seconds,
    )
    if as_json:
        typer.echo(json.dumps(verdict.json(), ensure_ascii=False, indent=2))
    elif as_latex and verdict.derivation is not None:
        shown = verdict.derivation if full else verdict.derivation.short()
        typer.echo(shown.latex())
    else:
        typer.echo(verdict.text(full))
    raise typer.Exit(EXIT_CODES[verdict.status])
