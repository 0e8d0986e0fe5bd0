"""What came of training networks, as a table in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from symopt.demo.network_training import NetworkOutcome
from symopt.demo.table import NOTHING, shown

_HEADINGS = (
    "epochs",
    "best",
    "train\nloss",
    "validation\nloss",
    "train\naccuracy",
    "validation\naccuracy",
    "seconds",
)


def network_table(network: str, data: str, outcomes: Sequence[NetworkOutcome]) -> Table:
    """A row for each run."""
    made = Table(
        title=f"{network} on {data}",
        caption="losses are without penalties; all is of the best epoch, where training may stop "
        "early; seconds are without compiling",
        box=SIMPLE_HEAD,
        padding=0,
    )
    made.add_column("rule", overflow="fold")
    made.add_column("schedule", overflow="fold")
    for heading in _HEADINGS:
        made.add_column(heading, justify="right", no_wrap=True)
    for one in outcomes:
        made.add_row(
            one.name,
            one.schedule or NOTHING,
            str(one.epochs),
            str(one.best),
            shown(one.train_loss, ".4f"),
            shown(one.validation_loss, ".4f"),
            shown(one.train_accuracy, ".2%"),
            shown(one.validation_accuracy, ".2%"),
            shown(one.seconds, ".2f"),
        )
    return made
