"""A limit of time breaks off what runs inside, and nothing else."""

import sys
import time
from contextlib import suppress

import pytest

from symopt.proof.clock import OutOfTime, limit


def busy(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def test_what_takes_too_long_is_broken_off():
    start = time.monotonic()
    with pytest.raises(OutOfTime), limit(0.05):
        busy(60)
    assert time.monotonic() - start < 30


def test_an_exception_that_was_lost_on_the_way_comes_again():
    lost = []

    def losing():
        try:
            busy(60)
        except OutOfTime:  # as a callback of the garbage collector would
            lost.append("the first one")
        busy(60)

    with pytest.raises(OutOfTime), limit(0.05):
        losing()
    assert lost == ["the first one"]


def test_nothing_is_broken_off_afterwards():
    for _ in range(200):
        with suppress(OutOfTime), limit(0.001):
            busy(0.001)
    busy(0.5)


def test_limits_within_each_other_break_off_what_is_inside_of_them():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for k in range(200):
            with suppress(OutOfTime), limit(0.0001 * (k % 9 + 1)):
                with suppress(OutOfTime), limit(0.0001 * (k % 7 + 1)):
                    busy(0.001)
                busy(0.001)
    finally:
        sys.setswitchinterval(interval)
    busy(0.3)


def test_no_time_at_all_is_over_at_once():
    with pytest.raises(OutOfTime), limit(0):
        raise AssertionError("never entered")
