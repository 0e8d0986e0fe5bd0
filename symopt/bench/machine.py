"""What the measurements run on: threads, the heap, and a description of both."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from symopt.bench.timing import processors
from symopt.errors import UsageError

PACKAGES = ("numpy", "numba", "torch", "jax", "optax")
# the libraries that read their number of threads once, when they are loaded
VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
# of mallopt: never give memory back, and never take it by mmap
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_MOST = 2**31 - 1


def set_threads(threads: int | None) -> int:
    """So many threads for all contestants, by default one for each processor; gives the number.

    NumPy's matrix products take it only if NumPy is not loaded yet.

    Raises
    ------
    UsageError
        For more threads than there are processors.
    """
    most = processors()
    wanted = most if threads is None else threads
    if not 1 <= wanted <= most:
        raise UsageError(f"--threads is {wanted}; this process may use 1 to {most}")
    if "numpy" not in sys.modules:
        os.environ.update(dict.fromkeys(VARIABLES, str(wanted)))
    numba: Any = import_module("numba")
    numba.set_num_threads(min(wanted, numba.config.NUMBA_NUM_THREADS))
    own = getattr(import_module("symopt"), "set_threads", None)
    if own is not None:
        own(wanted)
    return wanted


def keep_heap() -> bool:
    """Freed memory stays with the process from now on, where the C library can be told so.

    Peers that return new arrays would else be timed while the system hands them zeroed pages,
    which takes longer than many a kernel.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(_TRIM_THRESHOLD, _MOST) and mallopt(_MMAP_MAX, 0))


def grow_heap(size: int) -> None:
    """So many bytes are the process's own from now on, if freed memory stays with it."""
    ctypes.memset(ctypes.create_string_buffer(size), 1, size)


def available_bytes() -> int | None:
    """Memory that can be used without swapping, where the system tells."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            found = [line.split() for line in lines if line.startswith("MemAvailable:")]
    except OSError:
        return None
    return int(found[0][1]) * 1024 if found else None


def description(threads: int) -> dict[str, Any]:
    """The setup in words and numbers, for the table and for machines."""
    return {
        "processor": _processor(),
        "processors": processors(),
        "threads": threads,
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
