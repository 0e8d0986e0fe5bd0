"""The table has a row a rule, and a dash for what there is nothing to compare with."""

from __future__ import annotations

import io

from rich.console import Console

from symopt.demo import Outcome, table

COMPARED = Outcome("adam", "cosine", 900, 0.1, 0.975, 0.1, 0.975, 1.25e-15, 0.0625)
ALONE = Outcome("own", "", 90, 0.5, 0.9, None, None, None, 0.5)


def _rows(outcomes: list[Outcome]) -> list[list[str]]:
    written = io.StringIO()
    Console(file=written, width=200).print(table(outcomes))
    lines = written.getvalue().splitlines()
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines]


def test_a_row_shows_loss_accuracy_and_deviation():
    row = "adam cosine 900 0.100000 97.50% 0.100000 97.50% 1.2e-15 0.06"
    assert row.split() in _rows([COMPARED, ALONE])


def test_a_rule_without_a_partner_shows_dashes():
    assert "own – 90 0.500000 90.00% – – – 0.50".split() in _rows([ALONE])


def test_the_headings_name_each_column():
    made = table([COMPARED])
    assert [str(one.header) for one in made.columns] == [
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
