"""The table has a row a rule, and a dash for what there is nothing to compare with."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from symopt.demo import Outcome, table

COMPARED = Outcome("adam", "cosine", 900, 0.123456, 0.975, 0.123456, 0.975, 1.25e-15, 0.0625)
ALONE = Outcome("own", "", 90, 0.5, 0.9, None, None, None, 0.5)


def _rows(outcomes: list[Outcome], width: int = 120) -> list[list[str]]:
    written = io.StringIO()
    Console(file=written, width=width).print(table(outcomes))
    return [line.split() for line in written.getvalue().splitlines()]


def test_a_row_shows_loss_accuracy_and_deviation():
    row = "adam cosine 900 0.12346 97.50% 0.12346 97.50% 1.2e-15 0.06"
    assert row.split() in _rows([COMPARED])


def test_a_rule_without_a_partner_shows_dashes():
    row = "own – 90 0.50000 90.00% – – – 0.50"
    assert row.split() in _rows([ALONE])


def test_no_number_is_cut_in_eighty_columns():
    long = replace(COMPARED, rule="adam_uncorrected", schedule="exponential_decay")
    numbers = "900 0.12346 97.50% 0.12346 97.50% 1.2e-15 0.06"
    assert numbers.split() in [row[-7:] for row in _rows([long], width=80)]


def test_the_headings_name_each_column():
    made = table([COMPARED])
    assert [str(one.header).replace("\n", " ") for one in made.columns] == [
        "rule",
        "schedule",
        "steps",
        "final loss",
        "test accuracy",
        "NumPy's loss",
        "NumPy's accuracy",
        "largest deviation",
        "seconds",
    ]
