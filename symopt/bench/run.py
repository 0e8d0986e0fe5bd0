"""Works one by one: contestants made, answers compared, times taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from symopt.bench import layers, rules, start
from symopt.bench.agreement import Agreement, agreement
from symopt.bench.arena import Arena
from symopt.bench.c_limits import compiler
from symopt.bench.machine import available_bytes, grow_heap
from symopt.bench.results import Result
from symopt.bench.timing import Contestant, Pace, measured
from symopt.bench.works import START, Work, small, table
from symopt.declaration import UpdateRule
from symopt.errors import UsageError, nearest

# name of a peer ⇒ the package that it needs
PEERS = {
    "torch": "torch",
    "torch fused": "torch",
    "torch foreach": "torch",
    "torch compiled": "torch",
    "torch channels-last": "torch",
    "optax": "optax",
    "NumPy": "numpy",
    "C": "",
    "copy": "numpy",
    "import numba": "numba",
}
# arrays of a rule's work for all contestants together, temporaries of theirs among them
ARRAYS_OF_A_RULE, ARRAYS_OF_A_LAYER = 48, 32
SLOW_TO_COMPILE = ("torch compiled",)
# arrays of new results that a peer may hold at once, and the most bytes taken for them beforehand
ARRAYS_RETURNED, MOST_GROWN = 6, 1_000_000_000
START_PACE = Pace(seconds=30.0, fewest=5, most=15, threads=1, settle=0.0)
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Wishes:
    """Which peers (all that are here, if none is named), how many threads, how long to measure.

    Without a pace, only answers are compared, of small arrays.
    """

    peers: tuple[str, ...] = ()
    threads: int = 2
    pace: Pace | None = None

    def wants(self, peer: str) -> bool:
        """Whether a peer is to take part; what takes long to compile only if it is to be timed."""
        if not self.peers:
            return self.pace is not None or peer not in SLOW_TO_COMPILE
        return any(peer == one or peer.startswith(f"{one} ") for one in self.peers)


def check_peers(names: Sequence[str]) -> tuple[str, ...]:
    """The names as they are known, which may be given in lower case.

    Raises
    ------
    UsageError
        For one that is not known, or not here.
    """
    known = {one.lower(): one for one in PEERS}
    found = []
    for name in names:
        if name.lower() not in known:
            raise UsageError(f"there is no peer '{name}'; {nearest(name, PEERS)}")
        peer = known[name.lower()]
        if peer == "C" and compiler() is None:
            raise UsageError("the peer C needs a C compiler; install one, or set CC to it")
        if PEERS[peer] and find_spec(PEERS[peer]) is None:
            package = PEERS[peer]
            raise UsageError(f"the peer {peer} needs {package}; write pip install {package}")
        found.append(peer)
    return tuple(found)


def run(work: Work, wishes: Wishes, progress: Progress = lambda _what, _share: None) -> Result:
    """One work, measured or, without a pace, only its answers compared.

    Raises
    ------
    UsageError
        For a work that does not fit into memory, or a declaration that cannot be timed alone.
    """
    if work.does == START:
        return _start(work, wishes, progress)
    done = small(work) if wishes.pace is None else work
    _check_memory(done)
    progress("comparing answers", 0.0)
    if isinstance(work.declared, UpdateRule):
        arena = Arena(done, wishes.threads)
        several = list(rules.contestants(arena, wishes.wants))
        agreements = _agreements_of_rules(arena, several)
        moved: int | None = rules.least_bytes(arena)
    else:
        several = list(layers.contestants(done, wishes.threads, wishes.wants))
        agreements, moved = _agreements_of_layers(done, wishes), layers.least_bytes(done)
    times = {}
    if wishes.pace is not None:
        grow_heap(min(MOST_GROWN, ARRAYS_RETURNED * 4 * done.elements))
        times = measured(several, wishes.pace, lambda share: progress("measuring", share))
    notes = {one.name: one.note for one in several if one.note}
    return Result(work, times, agreements, notes, moved, _judged(wishes))


def _judged(wishes: Wishes) -> bool:
    return wishes.threads == table()["threads"]


def _agreements_of_rules(arena: Arena, contestants: Sequence[Contestant]) -> dict[str, Agreement]:
    """After a few steps of the very arrays that are to be timed."""
    expected = rules.reference(arena)
    bounds = dict.fromkeys(expected, rules.bound(arena))
    for one in contestants:
        for factor in rules.FACTORS if one.results else ():
            one.renew(factor)
            one.call()
        one.renew(1.0)
    return _compared(contestants, expected, bounds)


def _agreements_of_layers(work: Work, wishes: Wishes) -> dict[str, Agreement]:
    """Of small arrays, for sums round with their length."""
    few = small(work)
    expected = layers.reference(few)
    several = list(layers.contestants(few, wishes.threads, wishes.wants))
    return _compared(several, expected, layers.bounds(few, expected))


def _compared(
    contestants: Sequence[Contestant],
    expected: Mapping[str, np.ndarray],
    bounds: Mapping[str, float],
) -> dict[str, Agreement]:
    return {
        one.name: agreement(one.results(), expected, bounds) for one in contestants if one.results
    }


def _start(work: Work, wishes: Wishes, progress: Progress) -> Result:
    with start.scratch() as folder:
        found = list(start.contestants(work, wishes.threads, wishes.wants, Path(folder)))
        times = {}
        if wishes.pace is not None:
            times = measured(found, START_PACE, lambda share: progress("measuring", share))
        else:
            # there is no answer to compare, but a process that fails is an error
            found[0].call()
    return Result(work, times, {}, {}, None, _judged(wishes))


def _check_memory(work: Work) -> None:
    arrays = ARRAYS_OF_A_RULE if isinstance(work.declared, UpdateRule) else ARRAYS_OF_A_LAYER
    needed, there = 4 * arrays * work.elements, available_bytes()
    if there is not None and needed > there:
        raise UsageError(
            f"{work.name} needs about {needed / 1e9:.1f} GB of memory, of which "
            f"{there / 1e9:.1f} are free; name smaller works"
        )
