"""Kernels by hand in C, compiled when they are first wanted, and the memory's own limit."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_dir

SOURCES = Path(__file__).parent / "limits"
# no flag here changes the result of an operation, so what is compared is the same arithmetic
FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-fPIC", "-shared")
# what a compiler or its linker may not have; tried in this order
EXTRAS = (("-fopenmp", "-mprefer-vector-width=512"), ("-fopenmp",), ())
# a piece of an array that one thread takes at once
PIECE = 32_768


def compiler() -> str | None:
    """The C compiler: $CC, or what is called cc, gcc or clang."""
    named = os.environ.get("CC", "").split()[:1]
    return next(filter(None, map(shutil.which, (*named, "cc", "gcc", "clang"))), None)


@cache
def library(threads: int) -> ctypes.CDLL | None:
    """The limits, compiled for this machine; nothing where that is not possible."""
    command = compiler()
    if command is None:
        return None
    sources = sorted(SOURCES.glob("*.c"))
    text = b"".join(one.read_bytes() for one in sources)
    for extra in EXTRAS:
        flags = (*FLAGS, *extra)
        digest = hashlib.sha256(" ".join((command, *flags)).encode() + text).hexdigest()[:16]
        built = _built([command, *flags, *map(str, sources), "-lm"], f"limits_{digest}.so")
        if built is not None:
            built.use_threads(ctypes.c_int(threads))
            return built
    return None


def _built(command: list[str], name: str) -> ctypes.CDLL | None:
    folder = Path(user_cache_dir("symopt")) / "limits"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / name
        if not place.is_file():
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                made = Path(scratch) / name
                subprocess.run([*command, "-o", str(made)], check=True, capture_output=True)
                made.replace(place)
        return ctypes.CDLL(str(place))
    except (OSError, subprocess.CalledProcessError):
        return None


def addresses(arrays: Sequence[np.ndarray]) -> Any:
    """Where these arrays are, as C takes it; whoever calls keeps the arrays."""
    return (ctypes.c_void_p * len(arrays))(*(one.ctypes.data for one in arrays))


class Pieces:
    """Tensors, each a row of arrays of one shape, cut into pieces for threads."""

    def __init__(self, tensors: Sequence[Sequence[np.ndarray]]) -> None:
        self._kept = tensors
        places, lengths = [], []
        for arrays in tensors:
            for start in range(0, arrays[0].size, PIECE):
                lengths.append(min(PIECE, arrays[0].size - start))
                places += [one.ctypes.data + start * one.itemsize for one in arrays]
        self.count = ctypes.c_long(len(lengths))
        self.lengths = (ctypes.c_long * len(lengths))(*lengths)
        self.table = (ctypes.c_void_p * len(places))(*places)


class Traffic:
    """As many bytes as some work must move: arrays read, moved (read and written) and made.

    In C where there is a compiler, else copies by NumPy of the same number of bytes.
    """

    def __init__(self, length: int, reads: int, moves: int, makes: int, threads: int) -> None:
        self.bytes = 4 * length * (reads + 2 * moves + makes)
        self._arrays = [np.ones(length, np.float32) for _ in range(reads + moves + makes)]
        found = library(threads)
        if found is None:
            self._copies = max(1, (reads + 2 * moves + makes + 1) // 2)
            self._run = self._copy
            return
        split = (self._arrays[:reads], self._arrays[reads : reads + moves])
        made = self._arrays[reads + moves :]
        self._arguments = (
            *(part for one in (*split, made) for part in (addresses(one), ctypes.c_long(len(one)))),
            ctypes.c_long(length),
        )
        self._function = found.traffic
        self._run = self._in_c

    def __call__(self) -> None:
        """Move them."""
        self._run()

    def _in_c(self) -> None:
        self._function(*self._arguments)

    def _copy(self) -> None:
        for place in range(self._copies):
            source = self._arrays[place % len(self._arrays)]
            np.copyto(self._arrays[place - 1], source)
