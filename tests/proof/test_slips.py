"""Slips put into the catalogue's formulas and derivations are refuted and called by their names."""

import pytest
from right_lines import chosen, outcome

MANY, SECONDS = 24, 10
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def outcomes():
    return [outcome(one, SECONDS) for one in chosen(MANY, seed=3)]


def test_every_line_with_a_slip_is_refuted_with_a_counterexample(outcomes):
    for one in outcomes:
        assert one.status in ("refuted", "holds", "has no value"), one
        assert one.status != "refuted" or one.counterexample, one
    assert sum(one.status == "refuted" for one in outcomes) >= 0.9 * MANY


def test_nine_tenths_of_the_slips_are_called_by_their_names(outcomes):
    refuted = [one for one in outcomes if one.status == "refuted"]
    wrong = [one for one in refuted if not one.right_name]
    assert len(wrong) <= len(refuted) // 10, wrong
