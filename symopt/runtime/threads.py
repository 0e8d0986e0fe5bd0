"""How many threads generated kernels use: one count for all modules of a process."""

from __future__ import annotations

import operator
import os
import threading
from typing import Any

import numba

from symopt.errors import UsageError

# where generated modules look; they stand alone, so it is kept with what they all import
_NAME = "_symopt_pool"


def set_threads(count: int) -> None:
    """Let each generated kernel use at most so many threads, those of modules made later too.

    No more are used than Numba has (``numba.config.NUMBA_NUM_THREADS``, by default one a core).
    Without a call the count is SYMOPT_NUM_THREADS or, where that is not set, OMP_NUM_THREADS.
    Results do not depend on it, bit for bit.

    >>> before = get_threads()
    >>> set_threads(1)
    >>> get_threads()
    1
    >>> set_threads(before)

    Raises
    ------
    UsageError
        If the count is no whole number from 1 on.
    """
    try:
        number = operator.index(count)
    except TypeError:
        number = 0
    if isinstance(count, bool) or number < 1:
        raise UsageError(f"{count!r} threads cannot be had; give a whole number from 1 on")
    pool = _pool()
    # in a forked child none is left but this one
    here = pool["process"] == os.getpid()
    pool["threads"] = min(number, numba.config.NUMBA_NUM_THREADS) if here else 1


def get_threads() -> int:
    """How many threads a generated kernel uses at most.

    >>> 1 <= get_threads() <= numba.config.NUMBA_NUM_THREADS
    True
    """
    found: int = _pool()["threads"]
    return found


def _pool() -> dict[str, Any]:
    """What a generated module would find or make: a lock, a count, the process it is of."""
    words = os.environ.get("SYMOPT_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS") or ""
    most = numba.config.NUMBA_NUM_THREADS
    limit = min(int(words), most) if words.isdecimal() and int(words) else most
    new = {"lock": threading.Lock(), "threads": limit, "process": os.getpid()}
    kept: dict[str, Any] = vars(numba).setdefault(_NAME, new)
    if kept is new and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: new.update(threads=1))
    return kept
