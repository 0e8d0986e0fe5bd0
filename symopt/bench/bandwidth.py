"""How many bytes a second the memory moves, by the number of bytes: caches are faster."""

from __future__ import annotations

from symopt.bench.c_limits import Traffic
from symopt.bench.timing import Contestant, Pace, measured

PACE = Pace(seconds=0.4, fewest=5, most=25)


def bandwidth(size: int, threads: int) -> float:
    """Bytes a second where one array is read and another one made, of so many bytes together.

    >>> bandwidth(80_000, threads=1) > 1e8
    True
    """
    traffic = Traffic(max(1, size // 8), 1, 0, 1, threads)
    found = measured([Contestant("copy", traffic)], PACE)["copy"]
    return traffic.bytes / min(found.seconds)
