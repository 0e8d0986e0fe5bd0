"""A limit of time for what may take for ever."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue

_AGAIN, _SOON = 0.2, 0.0002  # seconds


class OutOfTime(BaseException):
    """The limit is over; no handler of ordinary errors on the way may swallow that."""


@dataclass(eq=False)
class _Limit:
    """When a thread is to be broken off; it is ``leaving``, then ``gone``."""

    due: float
    thread: int
    leaving: bool = False
    gone: bool = False


class _Watch:
    """One thread that breaks off others, told through a queue when they begin and are done."""

    def __init__(self) -> None:
        self.told: SimpleQueue[_Limit] = SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        several: dict[_Limit, None] = {}
        while True:
            due = min((one.due for one in several), default=None)
            try:
                one = self.told.get(timeout=None if due is None else max(due - now(), 0))
            except Empty:
                for late in [one for one in several if one.due <= now()]:
                    # what is raised in a callback of the collector is lost: it comes again
                    late.due = now() + _AGAIN
                    _raise_in(late.thread, ctypes.py_object(OutOfTime))
                continue
            if one.leaving:
                several.pop(one, None)
                one.gone = True
            else:
                several[one] = None


_watches: list[_Watch] = []
_first = threading.Lock()
if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=_watches.clear)


def _raise_in(thread: int, exception: ctypes.py_object[type[OutOfTime]] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), exception)


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """What runs inside is broken off by OutOfTime once the seconds are over, in any thread.

    Signals would do on some systems and in the main thread only; an exception that the
    interpreter raises in this thread between two of its instructions does everywhere. It is one
    thread that raises all of them, begun where no limit holds: the interpreter takes one that is
    just beginning for the thread that began it.
    """
    if seconds <= 0:
        raise OutOfTime
    if not _watches:
        with _first:
            if not _watches:
                _watches.append(_Watch())
    watch = _watches[0]
    here = _Limit(now() + seconds, threading.get_ident())
    try:
        watch.told.put(here)
        yield
    finally:
        _leave(here, watch)


def _leave(here: _Limit, watch: _Watch) -> None:
    """Nothing is raised from here on, nor what was asked for and has not come yet.

    The exception may come between any two instructions, also between taking a lock and what gives
    it back. So no lock is taken, and all is done once more where it came.
    """
    while True:
        try:
            here.leaving = True
            watch.told.put(here)
            while not here.gone:
                time.sleep(_SOON)
            _raise_in(here.thread, None)
            return
        except OutOfTime:
            continue


def now() -> float:
    """Seconds since some moment."""
    return time.monotonic()
