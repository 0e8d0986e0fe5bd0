"""Outcomes as a table in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from symopt.demo.outcome import Outcome

NOTHING = "–"
HEADINGS = (
    "final loss",
    "test accuracy",
    "NumPy's loss",
    "NumPy's accuracy",
    "largest deviation",
    "seconds",
)


def table(outcomes: Sequence[Outcome]) -> Table:
    """A row for each outcome; a dash where there is nothing to compare with."""
    made = Table(
        title="Softmax classifier on scikit-learn's digits",
        caption="largest deviation: of a parameter from the one that NumPy float64 arrives at; "
        "seconds: of the kernel's gradients and steps, without compiling",
    )
    made.add_column("rule", no_wrap=True)
    made.add_column("schedule", no_wrap=True)
    made.add_column("steps", justify="right")
    for heading in HEADINGS:
        made.add_column(heading, justify="right")
    for one in outcomes:
        made.add_row(
            one.rule,
            one.schedule or NOTHING,
            str(one.steps),
            _shown(one.loss, ".6f"),
            _shown(one.accuracy, ".2%"),
            _shown(one.reference_loss, ".6f"),
            _shown(one.reference_accuracy, ".2%"),
            _shown(one.deviation, ".1e"),
            _shown(one.seconds, ".2f"),
        )
    return made


def _shown(value: float | None, form: str) -> str:
    return NOTHING if value is None else format(value, form)
