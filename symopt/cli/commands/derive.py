"""``symopt derive``: what follows from a declaration, line by line with reasons."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.cells import cell_len

from symopt.cli import completion
from symopt.cli.options import AsJson, AsLatex, HouseStyle, With
from symopt.cli.penalties import beside, penalty

if TYPE_CHECKING:
    from symopt.declaration import Declaration, Regularizer
    from symopt.derivation.steps import Derivation

EXAMPLES = (
    "Examples:  symopt derive adam  ·  symopt derive regularized_objective --with l1  ·  "
    "symopt derive adagrad --latex  ·  symopt derive adam --step"
)


def command(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME|FILE.py...", autocompletion=completion.names, help="From what."
        ),
    ],
    regularizer: With = None,
    step: Annotated[
        bool,
        typer.Option("--step", help="The gradient of one step of an update rule in their place."),
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Hold each line against numbers; exit code 1 if one fails."),
    ] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Tables in Markdown.")] = False,
    as_latex: AsLatex = False,
    style: HouseStyle = None,
    as_json: AsJson = False,
) -> None:
    """Derive bias corrections, recurrences and gradients, each line with the reason for it."""
    put_in = penalty(regularizer) if regularizer else None
    found = [(one, _derived(one, put_in, step)) for one in beside(names, put_in)]
    wrong: list[str] = []
    if check:
        found = [(one, tuple(_checked(one, several, wrong))) for one, several in found]
        for one, _ in found:
            if one.kind == "question":
                typer.echo(f"{one.name}: its lines are checked as they are derived", err=True)
    _show(found, as_markdown, as_latex or bool(style), style or "lecture", as_json)
    for line in wrong:
        typer.echo(f"does not hold: {line}", err=True)
    raise typer.Exit(1 if wrong else 0)


def _checked(
    one: Declaration, several: Sequence[Derivation], wrong: list[str]
) -> Iterator[Derivation]:
    """The derivations with what checked each line; lines that do not hold are added to a list."""
    from symopt.printing.unicode import UnicodePrinter
    from symopt.proof.checking import check_all

    for found in check_all(one, several):
        wrong += [
            f"{found.derivation.id}: {UnicodePrinter().equation(line.left, line.right)}"
            for line in found.wrong
        ]
        yield found.derivation


def _show(
    found: Sequence[tuple[Declaration, Sequence[Derivation]]],
    as_markdown: bool,
    as_latex: bool,
    style: str,
    as_json: bool,
) -> None:
    if as_json:
        rows = [derivation.json() for _, several in found for derivation in several]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    if as_markdown:
        typer.echo("\n\n".join(one.markdown() for _, several in found for one in several))
        return
    if as_latex:
        chosen = completion.style_of(style)
        typer.echo("\n\n".join(one.latex(chosen) for _, several in found for one in several))
        return
    _print(found)


def _derived(one: Declaration, put_in: Regularizer | None, step: bool) -> tuple[Derivation, ...]:
    from symopt.declaration import UpdateRule
    from symopt.derivation.api import derivations, step_gradients
    from symopt.derivation.penalized import penalized

    if not step:
        return derivations(one, put_in)
    return step_gradients(penalized(one, put_in) if put_in and isinstance(one, UpdateRule) else one)


def _print(found: Sequence[tuple[Declaration, Sequence[Derivation]]]) -> None:
    from symopt.derivation.api import not_derived
    from symopt.derivation.steps import in_words

    for declared, several in found:
        if not several:
            typer.echo(f"{declared.name}: nothing is left to derive; it says all itself")
        for derivation in several:
            typer.echo(typer.style(in_words(derivation.title), bold=True))
            for line in laid_out(derivation, shutil.get_terminal_size().columns):
                typer.echo(f"  {line}")
            if derivation.assumptions:
                typer.echo(f"  assuming {', '.join(map(in_words, derivation.assumptions))}")
            typer.echo()
        for reason in not_derived(declared):
            typer.echo(typer.style(reason, dim=True))


def laid_out(derivation: Derivation, width: int) -> Iterator[str]:
    """Formulas and reasons side by side where the terminal is wide enough, else in turn."""
    rows = [
        (formula, f"{reason}  ({check})" if check else reason)
        for formula, reason, check in derivation.rows()
    ]
    column = max(cell_len(formula) for formula, _ in rows) + 4
    beside = column + max(cell_len(reason) for _, reason in rows) + 2 <= width
    for formula, reason in rows:
        reason = typer.style(reason, dim=True)
        if beside:
            yield f"{formula}{' ' * (column - cell_len(formula))}{reason}"
        else:
            yield from (formula, f"      {reason}")
