"""From the start of a process to the end of an optimizer's first step."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

from symopt.bench.arena import Arena
from symopt.bench.timing import Contestant
from symopt.bench.works import Work, table
from symopt.declaration import UpdateRule
from symopt.errors import SymoptError
from symopt.runtime.generation import files, write
from symopt.targets.numba_rule import class_name

OWN, AHEAD = "symopt", "symopt ahead of time"
_GENERATED = """\
import numpy as np
from {module} import {name}
params = [np.ones({size}, np.float32)]
{name}(params, {numbers}).step([np.ones({size}, np.float32)])
"""
_TORCH = """\
import torch
param = torch.ones({size}, requires_grad=True)
param.grad = torch.ones({size})
torch.optim.{name}([param]).step()
"""


def contestants(
    work: Work, threads: int, wanted: Callable[[str], bool], folder: Path
) -> Iterator[Contestant]:
    """Whole processes; what they need is written to a folder, kernels compiled beside it."""
    arena, size = Arena(work, threads), work.elements
    numbers = ", ".join(f"{key}={value!r}" for key, value in arena.numbers.items())
    words = {"name": class_name(arena.rule.name), "size": size, "numbers": numbers}
    module = arena.rule.name
    write(folder, files((arena.rule,), ("numba",)))
    yield _process(OWN, _GENERATED.format(module=module, **words), folder / "numba")
    if _built_ahead(arena.rule, folder):
        yield _process(AHEAD, _GENERATED.format(module=module, **words), folder / "c")
    row = table()["torch"].get(arena.rule.name)
    if row and find_spec("torch") is not None and wanted("torch"):
        yield _process("torch", _TORCH.format(name=row["class"], size=size), folder)
    if wanted("import numba"):
        yield _process("import numba", "import numba", folder)


def _built_ahead(rule: UpdateRule, folder: Path) -> bool:
    """Whether the rule could be compiled ahead of time; there may be no compiler, or no cffi."""
    write(folder, files((rule,), ("c",)))
    command = [sys.executable, f"build_{rule.name}.py"]
    ran = subprocess.run(command, cwd=folder / "c", capture_output=True, check=False)
    return ran.returncode == 0


def _process(name: str, text: str, folder: Path) -> Contestant:
    def call() -> None:
        ran = subprocess.run(
            [sys.executable, "-c", text],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), *_paths()))},
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            last = ran.stderr.strip().splitlines()[-1:] or ["no word"]
            raise SymoptError(f"a fresh process of {name} ended with: {last[0]}")

    return Contestant(name, call)


def _paths() -> tuple[str, ...]:
    """Where this process finds packages, for its children to find the same."""
    return tuple(one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one)


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for what the processes need."""
    return tempfile.TemporaryDirectory(prefix="symopt-bench-")
