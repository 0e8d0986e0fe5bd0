"""A limit of time for what may take for ever."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class OutOfTime(BaseException):
    """The limit is over; no handler of ordinary errors on the way may swallow that."""


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """What runs inside is broken off by OutOfTime once the seconds are over, in any thread.

    Signals would do on some systems and in the main thread only; an exception that the
    interpreter raises in this thread between two of its instructions does everywhere.
    """
    state = {"inside": True}
    lock = threading.Lock()
    thread = ctypes.c_ulong(threading.get_ident())

    def over() -> None:
        with lock:
            if state["inside"]:
                state["inside"] = False
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(OutOfTime))

    if seconds <= 0:
        raise OutOfTime
    timer = threading.Timer(seconds, over)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            late = not state["inside"]
            state["inside"] = False
        timer.cancel()
        if late:
            _settle()


def _settle() -> None:
    """An exception that was asked for and has not come yet must not come later."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(threading.get_ident()), None)


@contextmanager
def at_most(seconds: float) -> Iterator[list[str]]:
    """The same, and no exception leaves: the list that is handed out says whether time ran out."""
    note: list[str] = []
    try:
        with limit(seconds):
            yield note
    except OutOfTime:
        note.append(f"the time of {seconds:.3g} s is over")


def now() -> float:
    """Seconds since some moment."""
    return time.monotonic()
