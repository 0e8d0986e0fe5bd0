"""A limit of time for what may take for ever."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_AGAIN = 0.2  # seconds


class OutOfTime(BaseException):
    """The limit is over; no handler of ordinary errors on the way may swallow that."""


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """What runs inside is broken off by OutOfTime once the seconds are over, in any thread.

    Signals would do on some systems and in the main thread only; an exception that the
    interpreter raises in this thread between two of its instructions does everywhere.
    """
    if seconds <= 0:
        raise OutOfTime
    inside, lock = threading.Event(), threading.Lock()
    inside.set()
    over = threading.Event()  # so that the timer need not be waited for
    thread = ctypes.c_ulong(threading.get_ident())

    def watch() -> None:
        wait = seconds
        # what is raised in a callback of the collector is lost, and so has to be raised again
        while not over.wait(wait):
            wait = _AGAIN
            with lock:
                if inside.is_set():
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(OutOfTime))

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        _leave(inside, over, lock)


def _leave(inside: threading.Event, over: threading.Event, lock: threading.Lock) -> None:
    """Nothing is raised from here on, nor what was asked for and has not come yet."""
    while not over.is_set():
        try:
            with lock:
                inside.clear()
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(threading.get_ident()), None)
            over.set()
        except OutOfTime:
            continue


def now() -> float:
    """Seconds since some moment."""
    return time.monotonic()
