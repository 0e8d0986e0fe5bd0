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
from symopt.errors import SymoptError
from symopt.targets.numba import render_module
from symopt.targets.numba_rule import class_name
from symopt.targets.target import Options

OWN = "symopt"
_GENERATED = """\
import numpy as np
from generated_rule import {name}
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
    text = render_module(arena.rule, Options())
    assert text is not None
    (folder / "generated_rule.py").write_text(text, encoding="utf-8")
    numbers = ", ".join(f"{key}={value!r}" for key, value in arena.numbers.items())
    name = class_name(arena.rule.name)
    yield _process(OWN, _GENERATED.format(name=name, size=size, numbers=numbers), folder)
    row = table()["torch"].get(arena.rule.name)
    if row and find_spec("torch") is not None and wanted("torch"):
        yield _process("torch", _TORCH.format(name=row["class"], size=size), folder)
    if wanted("import numba"):
        yield _process("import numba", "import numba", folder)


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
