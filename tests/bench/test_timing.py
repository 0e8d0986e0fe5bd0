"""Samples, rounds and medians: what a number in the table rests on."""

import math
import mmap
import time

from symopt.bench import timing
from symopt.bench.timing import CROWDED, QUIET, Contestant, Pace, Times, measured, ratio

FAST = Pace(seconds=0.02, fewest=6, most=9, settle=0.0, block=1e-5)


def test_a_ratio_is_of_the_same_round_and_not_of_medians():
    one, other = Times((1.0, 2.0, 30.0), 0.0), Times((2.0, 4.0, 3.0), 0.0)
    assert ratio(one, other).median == 0.5
    assert one.median / other.median != 0.5


def test_busy_rounds_of_either_are_left_out_where_enough_are_quiet():
    busy = (CROWDED, QUIET, QUIET, QUIET, QUIET, QUIET)
    one = Times((90.0, 1.0, 1.0, 1.0, 1.0, 1.0), 0.0, busy)
    other = Times((1.0,) * 6, 0.0, (QUIET,) * 6)
    assert ratio(one, other) == ratio(Times((1.0,) * 5, 0.0), Times((1.0,) * 5, 0.0))
    assert ratio(other, one).high == 1.0
    assert one.median == 1.0


def test_where_nearly_all_rounds_are_busy_the_ratio_says_so():
    busy = (CROWDED,) * 5 + (QUIET,)
    one, other = Times((2.0,) * 6, 0.0, busy), Times((1.0,) * 6, 0.0)
    assert ratio(one, other).busy
    assert not ratio(other, other).busy


def test_the_interval_holds_the_median_of_a_population_with_at_least_95_percent():
    for count in (7, 20, 60):
        ones = Times(tuple(float(k) for k in range(1, count + 1)), 0.0)
        found = ratio(ones, Times((1.0,) * count, 0.0))
        left_out = int(found.low) - 1  # samples below the interval, and as many above
        assert found.high == count - left_out
        outside = 2 * sum(math.comb(count, k) for k in range(left_out + 1)) / 2**count
        assert outside <= 0.05
        one_more = outside + 2 * math.comb(count, left_out + 1) / 2**count
        assert one_more > 0.05


def test_every_round_has_every_contestant_and_not_always_in_one_order(monkeypatch):
    monkeypatch.setattr(timing, "_others_running", lambda: 0)
    monkeypatch.setattr(timing, "_waited", lambda: 0.0)
    order = []
    several = [Contestant(name, lambda name=name: order.append(name)) for name in "abc"]
    times = measured(several, Pace(seconds=60, fewest=8, most=8, settle=0.0, block=1e-9))
    turns = [name for place, name in enumerate(order) if place == 0 or order[place - 1] != name]
    assert {len(one.seconds) for one in times.values()} == {8}
    assert len({tuple(turns[place : place + 3]) for place in range(3, 24, 3)}) > 1


def test_a_contestant_that_sleeps_is_found_to_sleep():
    found = measured(
        [Contestant("long", lambda: time.sleep(2e-3)), Contestant("short", lambda: None)], FAST
    )
    assert found["long"].median > 2e-3 > found["short"].median


def test_page_faults_are_counted_by_call():
    size = 1 << 22

    def touch():
        with mmap.mmap(-1, size) as pages:
            for place in range(0, size, mmap.PAGESIZE):
                pages[place] = 1

    found = measured([Contestant("new pages", touch), Contestant("none", lambda: None)], FAST)
    assert found["none"].faults < 1
    assert found["new pages"].faults >= size / mmap.PAGESIZE
