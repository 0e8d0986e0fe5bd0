"""Contestants timed in turn, round by round, and the medians of their ratios."""

from __future__ import annotations

import math
import os
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

try:
    import resource
except ImportError:  # it is not there on Windows, where no faults are counted
    resource = None  # type: ignore[assignment]

# A sample is the median of batches within a block of this length; a batch is as many calls as take
# so long that the clock's own cost does not show
BLOCK_SECONDS = 2e-3
BATCH_SECONDS = 2e-5
MOST_BLOCK_SECONDS = 5e-2
# Worker threads of OpenMP go on looking for work for some milliseconds after a parallel region;
# a contestant that starts at once would share its cores with them
SETTLE_SECONDS = 8e-3
# Calls shorter than this are begun with one that does not count: it wakes threads, fills caches
WARM_BELOW_SECONDS = 5e-3
# A sample is crowded, and taken again, where this process waited for a processor for more than this
# share of it, unless that held up fewer than a quarter of the batches, which their median does not
# notice. It is doubtful where another program was running as it began, on a processor it needs.
QUIET, DOUBTFUL, CROWDED = range(3)
BUSY_SHARE = 0.02
HELD_UP = 1.5
TRIES = 4
TASKS, LOAD = Path("/proc/self/task"), Path("/proc/loadavg")
# a sample longer than this is not taken again
RETRIED_SECONDS = 0.1
# of contestants so slow that the time planned is over so many times, fewer rounds will do
PATIENCE, FEWEST_OF_SLOW = 2.0, 3
# rounds of one kind that are enough to leave worse ones out
ENOUGH = 5


@dataclass(frozen=True)
class Contestant:
    """One way to do a work.

    ``call`` does it once. ``results`` gives arrays after the calls so far, by name, or nothing
    where there is nothing to compare with. ``note`` says where its formula is another one.
    ``renew`` sets inputs to so many times what they were drawn as; it is not timed.
    """

    name: str
    call: Callable[[], object]
    results: Callable[[], Mapping[str, np.ndarray]] | None = None
    note: str = ""
    renew: Callable[[float], object] = lambda _factor: None


@dataclass(frozen=True)
class Pace:
    """How long to measure: seconds for all of a work, and the fewest and the most rounds.

    ``threads`` is how many processors contestants need for themselves.
    """

    seconds: float = 4.0
    fewest: int = 7
    most: int = 60
    threads: int = 1
    settle: float = SETTLE_SECONDS
    block: float = BLOCK_SECONDS


@dataclass(frozen=True)
class Times:
    """Seconds a call round by round, page faults a call in most of them, and how busy each was."""

    seconds: tuple[float, ...]
    faults: float
    busy: tuple[int, ...] = ()

    @property
    def median(self) -> float:
        """The median of the least busy rounds."""
        return statistics.median(self.seconds[place] for place in _least_busy(self)[1])


@dataclass(frozen=True)
class Ratio:
    """The median of ratios of one contestant over another, with a 95% interval of it.

    It is ``busy`` where too few rounds were quiet.
    """

    median: float
    low: float
    high: float
    busy: bool = False

    def json(self) -> dict[str, Any]:
        """For machines."""
        return {"median": self.median, "low": self.low, "high": self.high, "busy": self.busy}


@dataclass
class _Running:
    contestant: Contestant
    calls: int
    batches: int
    warm: int
    seconds: list[float] = field(default_factory=list)
    faults: list[float] = field(default_factory=list)
    busy: list[int] = field(default_factory=list)

    @property
    def times(self) -> Times:
        return Times(tuple(self.seconds), statistics.median(self.faults), tuple(self.busy))


def measured(
    contestants: Sequence[Contestant],
    pace: Pace,
    progress: Callable[[float], None] = lambda _share: None,
) -> dict[str, Times]:
    """Times of all contestants by name; in each round all of them take their turn, in any order.

    ``progress`` is called after each round with the share of the measurement that is over.
    """
    order = random.Random(0)
    running = [_calibrated(one, pace) for one in contestants]
    began = time.perf_counter()
    for done in range(pace.most):
        order.shuffle(running)
        for one in running:
            _turn(one, pace)
        spent = (time.perf_counter() - began) / pace.seconds
        progress(min(1.0, max(spent, (done + 1) / pace.most)))
        enough = pace.fewest if spent < PATIENCE else FEWEST_OF_SLOW
        if spent >= 1 and done + 1 >= enough:
            break
    return {one.contestant.name: one.times for one in running}


def ratio(one: Times, other: Times) -> Ratio:
    """One contestant's time over another's, round by round; below 1 is faster.

    >>> ratio(Times((1.0, 2.0, 6.0), 0), Times((2.0, 4.0, 4.0), 0)).median
    0.5
    """
    level, places = _least_busy(one, other)
    ratios = sorted(one.seconds[place] / other.seconds[place] for place in places)
    low, high = _interval(len(ratios))
    return Ratio(statistics.median(ratios), ratios[low], ratios[high], level > QUIET)


def _least_busy(*several: Times) -> tuple[int, list[int]]:
    """Enough rounds, no busier than need be: how busy, and which they are."""
    rounds = range(len(several[0].seconds))
    worst = [max(max(one.busy[k : k + 1], default=QUIET) for one in several) for k in rounds]
    for level in (QUIET, DOUBTFUL):
        found = [place for place in rounds if worst[place] <= level]
        if len(found) >= min(ENOUGH, len(rounds)):
            return level, found
    return max(worst), list(rounds)


def _interval(count: int) -> tuple[int, int]:
    """Places between which the median of a population lies with 95%, by the sign test."""
    chance, place = 2.0 * 0.5**count, 0
    while place + 1 < count // 2:
        further = chance + 2.0 * math.comb(count, place + 1) * 0.5**count
        if further > 0.05:
            break
        chance, place = further, place + 1
    return place, count - 1 - place


def _calibrated(one: Contestant, pace: Pace) -> _Running:
    """The contestant called a few times, so that all is compiled and the length of a call known."""
    one.call()
    seconds = math.inf
    for _ in range(2):
        began = time.perf_counter()
        one.call()
        seconds = min(seconds, time.perf_counter() - began)
    calls = max(1, math.ceil(BATCH_SECONDS / max(seconds, 1e-7)))
    batches = max(1, math.ceil(pace.block / (calls * seconds)))
    warm = max(1, calls * batches // 4) if seconds < WARM_BELOW_SECONDS else 0
    return _Running(one, calls, batches, warm)


def _turn(one: _Running, pace: Pace) -> None:
    """A sample of a contestant: of several tries the first quiet one, or the least busy one."""
    tries: list[tuple[int, float, float]] = []
    for _ in range(TRIES):
        tries.append(_sample(one, pace))
        if tries[-1][0] == QUIET or tries[-1][1] > RETRIED_SECONDS:
            break
    busy, seconds, faults = min(tries)
    one.seconds.append(seconds)
    one.faults.append(faults)
    one.busy.append(busy)


def _sample(one: _Running, pace: Pace) -> tuple[int, float, float]:
    """How busy it was, seconds a call and page faults a call."""
    time.sleep(pace.settle)
    busy = DOUBTFUL if _others_running() + pace.threads > processors() else QUIET
    call = one.contestant.call
    began = time.perf_counter()
    for _ in range(one.warm):
        call()
        if time.perf_counter() - began > pace.block:
            break
    faults, waited = _faults(), _waited()
    batches = _batches(call, one.calls, one.batches)
    share = (_waited() - waited) / sum(batches)
    found = (_faults() - faults) / (one.calls * len(batches))
    usual = statistics.median(batches)
    held_up = sum(batch > HELD_UP * min(batches) for batch in batches)
    unnoticed = len(batches) >= 8 and 4 * held_up < len(batches)
    if share > BUSY_SHARE and not unnoticed:
        busy = CROWDED
    return busy, usual / one.calls, found


def _batches(call: Callable[[], object], calls: int, most: int) -> list[float]:
    """Seconds of each batch of calls; fewer batches where they take far longer than expected."""
    found: list[float] = []
    for _ in range(most):
        began = time.perf_counter()
        for _ in repeat(None, calls):
            call()
        found.append(time.perf_counter() - began)
        if sum(found) > MOST_BLOCK_SECONDS and len(found) >= 5:
            break
    return found


def _faults() -> int:
    """Page faults of this process so far that no disk was needed for."""
    usage: Any = resource and resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_minflt if usage else 0


def _others_running() -> int:
    """Threads that run or could, beside this one, as far as the system tells."""
    try:
        return int(LOAD.read_text(encoding="ascii").split()[3].partition("/")[0]) - 1
    except (OSError, IndexError, ValueError):
        return 0


def processors() -> int:
    """How many of them this process may use."""
    known = getattr(os, "sched_getaffinity", None)
    return len(known(0)) if known else os.cpu_count() or 1


def _waited() -> float:
    """Seconds for which threads of this process could have run but had no processor, so far.

    Linux tells; elsewhere nothing is known, and no sample is called busy.
    """
    total = 0
    for path in TASKS.glob("*/schedstat"):
        try:
            total += int(path.read_bytes().split()[1])
        except (OSError, IndexError):
            continue  # the thread has ended meanwhile
    return total * 1e-9
