"""``symopt show``: formulas as the slide has them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from symopt.cli import completion
from symopt.cli.options import AsJson, AsLatex, HouseStyle, Names, With
from symopt.cli.penalties import with_penalty
from symopt.errors import UsageError

if TYPE_CHECKING:
    from sympy import Basic

    from symopt.declaration import Declaration, Formula

EXAMPLES = (
    "Examples:  symopt show adam  ·  symopt show adam --latex --style book  ·  "
    "symopt show adam --with l2  ·  symopt show --all --json  ·  "
    "symopt show perceptron --summary"
)


def command(
    names: Names = None,
    everything: Annotated[bool, typer.Option("--all", help="Show the whole catalogue.")] = False,
    as_latex: AsLatex = False,
    as_json: AsJson = False,
    style: HouseStyle = None,
    sizes: Annotated[
        bool,
        typer.Option("--summary", help="Of networks: shapes, parameters and operations."),
    ] = False,
    regularizer: With = None,
) -> None:
    """Show formulas, with all that symopt derived put in."""
    from symopt.derivation.api import formulas
    from symopt.printing.latex import SlidePrinter

    if not names and not everything:
        raise UsageError("nothing to show; name a declaration, or write symopt show --all")
    if names and everything:
        raise UsageError("--all shows the whole catalogue; leave out the names, or the --all")
    chosen = completion.style_of(style or "lecture")
    declared = with_penalty(names or [], regularizer)
    if sizes:
        _summaries(declared, as_json)
        return
    if as_json:
        rows = [
            {"id": one.id, "latex": one.text, **({"note": one.note} if one.note else {})}
            for declaration in declared
            for one in formulas(declaration, SlidePrinter(chosen))
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    if as_latex or style:
        typer.echo(
            "\n\n".join(_latex(one, formulas(one, SlidePrinter(chosen))) for one in declared)
        )
        return
    _formulas(declared)


def _formulas(declared: Sequence[Declaration]) -> None:
    """The formulas in Unicode, one declaration below the other."""
    from symopt.derivation.api import formulas
    from symopt.printing.unicode import UnicodePrinter

    for place, declaration in enumerate(declared):
        if place:
            typer.echo()
        typer.echo(f"{typer.style(declaration.name, bold=True)}  {declaration.summary}")
        for one in formulas(declaration, UnicodePrinter()):
            typer.echo(f"  {one.text}")
            if one.note:
                typer.echo(f"    ({one.note})")
        hidden = _hidden(declaration)
        if hidden:
            typer.echo(typer.style(f"  not on the slide: {', '.join(hidden)}", dim=True))


def _hidden(declaration: Declaration) -> list[str]:
    """What is declared and stands on no slide."""
    from sympy import S

    from symopt.declaration import Layer
    from symopt.printing.unicode import unicode

    hidden = [f"{unicode(symbol)} = {value!r}" for symbol, value in declaration.defaults]
    hidden += [
        f"{unicode(one[S.Zero] if _counts_steps(one) else one)} = {unicode(start)}"
        + ("" if _counts_steps(one) else " at first")
        for one, start in declaration.initial
    ]
    if isinstance(declaration, Layer):
        hidden.append(f"averages over {declaration.over}, parameters per {declaration.per}")
    return hidden


def _summaries(declared: Sequence[Declaration], as_json: bool) -> None:
    from symopt.declaration import Network
    from symopt.derivation.network_summary import summary

    wrong = [one for one in declared if not isinstance(one, Network)]
    if wrong:
        raise UsageError(
            f"{wrong[0].name} is {wrong[0].a_kind}, of which there is no summary; name networks"
        )
    found = [summary(one) for one in declared if isinstance(one, Network)]
    if as_json:
        typer.echo(json.dumps([one.json() for one in found], ensure_ascii=False, indent=2))
    else:
        typer.echo("\n\n".join(map(str, found)))


def _counts_steps(letter: Basic) -> bool:
    """Whether a letter has a value at each step, and not one that is learned."""
    from symopt.notation import Sequence as Letter

    return isinstance(letter, Letter) and letter.role != "learned"


def _latex(declared: Declaration, shown: Sequence[Formula]) -> str:
    """The formulas as a block to paste, each with its id in a comment."""
    rows = [
        rf"{one.text}{'' if one is shown[-1] else ' ' + chr(92) * 2} % {one.id}" for one in shown
    ]
    notes = [f"% {one.id}: {one.note}" for one in shown if one.note]
    body = [r"\begin{gather*}", *rows, r"\end{gather*}"]
    return "\n".join([f"% {declared.name}: {declared.summary}", *notes, *body])
