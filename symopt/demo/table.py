"""Outcomes as a table in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from symopt.demo.outcome import Outcome

NOTHING = "–"
HEADINGS = (
    "steps",
    "final\nloss",
    "test\naccuracy",
    "NumPy's\nloss",
    "NumPy's\naccuracy",
    "largest\ndeviation",
    "seconds",
)


def table(outcomes: Sequence[Outcome]) -> Table:
    """A row for each outcome; a dash where there is nothing to compare with."""
    made = Table(
        title="Softmax classifier on scikit-learn's digits",
        caption="largest deviation: of a parameter from the one that NumPy float64 arrives at; "
        "seconds: of the kernel's gradients and steps, without compiling",
        box=SIMPLE_HEAD,
        padding=0,
    )
    # in a narrow terminal a long name is folded, so that no number is cut
    made.add_column("rule", overflow="fold")
    made.add_column("schedule", overflow="fold")
    for heading in HEADINGS:
        made.add_column(heading, justify="right", no_wrap=True)
    for one in outcomes:
        made.add_row(
            one.rule,
            one.schedule or NOTHING,
            str(one.steps),
            shown(one.loss, ".5f"),
            shown(one.accuracy, ".2%"),
            shown(one.reference_loss, ".5f"),
            shown(one.reference_accuracy, ".2%"),
            shown(one.deviation, ".1e"),
            shown(one.seconds, ".2f"),
        )
    return made


def shown(value: float | None, form: str) -> str:
    """A number in this format, or a dash where there is none."""
    return NOTHING if value is None else format(value, form)
