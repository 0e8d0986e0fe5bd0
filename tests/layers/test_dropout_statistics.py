"""What is drawn, as chance would have it: shares, shifts and neighbours at fixed seeds.

With other seeds, each number that is compared here would be refused once in a million times.
"""

import math
from itertools import pairwise

import mpmath
import numpy as np
import pytest

from symopt.catalog.lecture.dropout import dropout
from symopt.runtime.compiling import compile

LEVEL = 1e-6


@pytest.fixture(scope="module")
def mask():
    return compile(dropout).mask


def tails(count, share, times):
    """P(X ≤ times) and P(X ≥ times) for X of the binomial distribution, all terms added up."""
    k = np.arange(count + 1)
    logs = np.array([math.lgamma(n + 1) for n in range(count + 1)])
    terms = logs[count] - logs - logs[::-1] + k * math.log(share) + (count - k) * math.log1p(-share)
    chances = np.exp(terms)
    return chances[: times + 1].sum(), chances[times:].sum()


def test_the_tails_of_the_binomial_distribution_are_those_of_five_throws():
    assert tails(5, 0.5, 1) == pytest.approx((6 / 32, 31 / 32), rel=1e-12)


@pytest.mark.parametrize("p", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_the_share_that_is_kept_is_as_likely_as_it_should_be(mask, p):
    count = 50_000
    for seed, step in ((0, 0), (0, 1), (1, 0), (2**64 - 1, 2**63)):
        kept = int(mask(count, seed, step, p).sum())
        assert min(tails(count, 1 - p, kept)) > LEVEL, (seed, step, kept)


def test_each_of_the_four_words_of_a_counter_keeps_its_share(mask):
    count, p = 20_000, 0.3
    kept = mask((count, 4), 12, 34, p).sum(axis=0)
    assert all(min(tails(count, 1 - p, int(one))) > LEVEL for one in kept)


PAIRS = {
    "steps": ((5, 0), (5, 1)),
    "far steps": ((5, 0), (5, 2**32)),
    "seeds": ((5, 7), (6, 7)),
    "far seeds": ((5, 7), (5 + 2**32, 7)),
    "seed and step exchanged": ((5, 7), (7, 5)),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_masks_of_unlike_seeds_and_steps_are_no_shifted_copies_of_each_other(mask, pair):
    """At p = 1/2 two masks agree at half of the places, whatever the shift, up to chance."""
    count, most = 20_000, 64
    first, second = (mask(count, seed, step) for seed, step in PAIRS[pair])
    for shift in range(-most, most + 1):
        one = first[max(shift, 0) : count + min(shift, 0)]
        other = second[max(-shift, 0) : count + min(-shift, 0)]
        # Hoeffding: P(|agreed/n − 1/2| ≥ t) ≤ 2·exp(−2nt²), over all shifts that are tried
        bound = math.sqrt(math.log(2 * (2 * most + 1) / LEVEL) / (2 * len(one)))
        assert abs((one == other).mean() - 0.5) < bound, shift


def chance_of_patterns(bits):
    """P(χ² ≥ found) of the 256 patterns of eight bits, were they equally frequent."""
    counts = np.bincount(bits @ (1 << np.arange(8)), minlength=256)
    wanted = len(bits) / 256
    found = float(((counts - wanted) ** 2 / wanted).sum())
    half = mpmath.mpf(255) / 2  # of the degrees of freedom
    return float(mpmath.gammainc(half, found / 2, mpmath.inf, regularized=True))


@pytest.mark.parametrize("start", range(4))
def test_neighbours_are_independent(mask, start):
    """Patterns of eight neighbours are neither too uneven nor too even at p = 1/2."""
    bits = mask(start + 8 * 40_000, 2026, 3)[start:].reshape(-1, 8)
    assert LEVEL < chance_of_patterns(bits) < 1 - LEVEL


def test_a_place_is_independent_from_step_to_step(mask):
    bits = np.array([mask(40_000, 77, step) for step in range(8)]).T
    assert LEVEL < chance_of_patterns(bits) < 1 - LEVEL


def test_a_generator_that_repeats_itself_is_noticed(mask):
    """A mask that comes again every 64 places."""
    assert chance_of_patterns(np.tile(mask(64, 1, 1), 5000).reshape(-1, 8)) < LEVEL
    kept = int(np.tile(mask(64, 1, 1, 0.9), 782)[:50_000].sum())
    assert min(tails(50_000, 0.1, kept)) < LEVEL


def test_a_higher_p_drops_what_a_lower_one_drops_and_more(mask):
    """One word decides, so that masks of one seed and step are nested."""
    masks = [mask(10_000, 3, 3, p) for p in (0.0, 0.2, 0.5, 0.8, 0.99)]
    for more, less in pairwise(masks):
        assert (more | ~less).all()
        assert more.sum() > less.sum()
