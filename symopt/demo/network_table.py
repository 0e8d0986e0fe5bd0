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


_ENSEMBLE = ("ensemble\nscores", "by\nchance", "proba-\nbilities", "by\nchance")
_SAYS = (
    "; the mean of the ensemble's scores, and of its probabilities, is off inference by so much, "
    "of which chance makes so much"
)


def network_table(network: str, data: str, outcomes: Sequence[NetworkOutcome]) -> Table:
    """A row for each run."""
    made = Table(
        title=f"{network} on {data}",
        caption="losses are without penalties; all is of the best epoch, where training may stop "
        "early; seconds are without compiling"
        + (_SAYS if any(one.ensemble for one in outcomes) else ""),
        box=SIMPLE_HEAD,
        padding=0,
    )
    made.add_column("rule", overflow="fold")
    made.add_column("schedule", overflow="fold")
    several = any(one.ensemble for one in outcomes)
    for heading in (*_HEADINGS, *(_ENSEMBLE if several else ())):
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
            *(_ensemble(one) if several else ()),
        )
    return made


def _ensemble(one: NetworkOutcome) -> Sequence[str]:
    found = one.ensemble
    if found is None:
        return (NOTHING,) * len(_ENSEMBLE)
    scores = (found.scores, found.scores_by_chance)
    return [f"{off:.4f}" for off in (*scores, found.probabilities, found.probabilities_by_chance)]
