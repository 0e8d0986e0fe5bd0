"""No mutation of an identity that has other values is ever proved."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_identities import KINDS, identity, mutated, surely_differ

from symopt import equivalent

SEEDS = st.integers(min_value=0, max_value=10**9)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_identities_are_not_refuted_and_their_mutations_not_proved(seed):
    source = random.Random(seed)
    true = identity(source)
    verdict = equivalent(true.left, true.right)
    assert verdict.status != "refuted", verdict
    side = mutated(true.right, source)
    if side is None:
        return
    verdict = equivalent(true.left, side)
    if verdict.status == "proved":
        assert not surely_differ(true.left, side, source), verdict


@pytest.mark.parametrize("kind", KINDS)
def test_most_identities_of_each_kind_are_proved(kind):
    source = random.Random(7)
    statuses = [equivalent(*KINDS[kind](source)).status for _ in range(12)]
    assert statuses.count("proved") >= 11, statuses
