"""Generated modules from process to process: compiled lazily, once, and kept where it can be."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sampling import every

GENERATED = Path(__file__).parent.parent.parent / "generated" / "numba"

# a step whose result is known, then where each kernel's machine code came from
STEP = """
import importlib, sys
import numpy as np
module, dtype = importlib.import_module(sys.argv[1]), sys.argv[2]
assert module._step.signatures == [], "compiled on import"
theta, g, v = (np.full(1000, x, dtype) for x in (1.0, 2.0, 4.0))
module.step(theta, g, v, alpha=0.25, gamma=0.5)
expected = (0.5 * 4 + 0.25 * 2, 1 - (0.5 * 4 + 0.25 * 2))
assert (v == expected[0]).all() and (theta == expected[1]).all(), (v, theta)
stats = module._step.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


@pytest.fixture
def place(tmp_path):
    """A generated file in a package of its own, and a cache for its user."""
    folder = tmp_path / "made" / "numba"
    folder.mkdir(parents=True)
    shutil.copy(GENERATED / "momentum.py", folder)
    (tmp_path / "cache").mkdir()
    return tmp_path


def started(place: Path, name: str = "made.numba.momentum", dtype: str = "float32", **variables):
    """A process that takes one step."""
    path = place if "." in name else place / "made" / "numba"
    own = {"PYTHONPATH": str(path), "XDG_CACHE_HOME": str(place / "cache"), **variables}
    environment = {**os.environ, **own}
    environment.pop("NUMBA_CACHE_DIR", None)
    return subprocess.Popen(
        [sys.executable, "-c", STEP, name, dtype],
        cwd=place / "cache",
        env=environment | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process) -> str:
    """Whether the code was loaded or compiled; a step that went wrong fails."""
    shown, wrong = process.communicate()
    assert process.returncode == 0, wrong
    return {"1 0": "loaded", "0 1": "compiled"}[shown.strip()]


def stepped(place: Path, *arguments: str, **variables: str) -> str:
    return ended(started(place, *arguments, **variables))


def test_no_import_of_a_generated_module_compiles_anything():
    code = """
import importlib, pathlib, sys
import numba
compiled = []
for path in pathlib.Path(sys.argv[1]).glob("*.py"):
    for one in vars(importlib.import_module(path.stem)).values():
        if isinstance(one, numba.core.dispatcher.Dispatcher):
            compiled.append(one.signatures != [])
print(len(compiled) > 50, any(compiled))
"""
    ran = subprocess.run(
        [sys.executable, "-B", "-c", code, str(GENERATED)],
        env={**os.environ, "PYTHONPATH": str(GENERATED)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.split() == ["True", "False"]


def test_what_starts_threads_is_called_from_python_alone():
    """Numba does not note that a caller needs its threads, where what it calls was kept on disk."""
    found = 0
    for path in GENERATED.glob("*.py"):
        functions = [
            one for one in ast.parse(path.read_text()).body if isinstance(one, ast.FunctionDef)
        ]
        compiled = {
            one.name: one
            for one in functions
            if any("njit" in ast.unparse(x) for x in one.decorator_list)
        }
        starting = {
            name
            for name, one in compiled.items()
            if any("parallel=True" in ast.unparse(x) for x in one.decorator_list)
        }
        found += len(starting)
        for name, one in compiled.items():
            called = {x.id for x in ast.walk(one) if isinstance(x, ast.Name)}
            assert not called & starting, (path.stem, name)
    assert found > 20


def test_a_kernel_is_compiled_once_for_each_dtype_and_name(place):
    assert stepped(place) == "compiled"
    assert stepped(place) == "loaded"
    assert stepped(place, "made.numba.momentum", "float64") == "compiled"
    # under another name, from where the first one cannot be imported
    assert stepped(place, "momentum") == "compiled"
    assert stepped(place, "momentum") == "loaded"
    assert stepped(place) == "loaded"


def test_what_numba_itself_kept_under_another_name_is_no_hindrance(place):
    path = place / "made" / "numba" / "momentum.py"
    ours = path.read_text()
    assert "for _kernel in " in ours
    path.write_text(
        ours.partition("\n\nclass _Kept")[0].replace("@numba.njit(", "@numba.njit(cache=True, ")
    )
    assert stepped(place) == "compiled"
    path.write_text(ours)
    assert stepped(place, "momentum") == "compiled"


def test_beside_a_folder_that_cannot_be_written_the_users_cache_is_used(place):
    # not by its rights, for they do not hold for root
    (place / "made" / "numba" / "__pycache__").write_text("a file where the folder would be")
    assert stepped(place) == "compiled"
    assert list((place / "cache").rglob("*.nbc"))
    assert stepped(place) == "loaded"


def test_where_no_folder_can_be_written_kernels_run_all_the_same(place):
    (place / "made" / "numba" / "__pycache__").write_text("a file where the folder would be")
    (place / "cache" / "numba").write_text("another one")
    assert stepped(place) == "compiled"
    assert stepped(place) == "compiled"


def test_a_user_may_say_where_kernels_are_kept(place, tmp_path):
    assert stepped(place, NUMBA_CACHE_DIR=str(tmp_path / "elsewhere")) == "compiled"
    assert list((tmp_path / "elsewhere").rglob("*.nbc"))
    assert not list((place / "made").rglob("*.nbc"))


def test_four_processes_at_once_leave_what_a_fifth_can_load(place):
    dtypes = ["float32", "float64", "float32", "float64"]
    several = [started(place, "made.numba.momentum", dtype) for dtype in dtypes]
    assert all(ended(one) in ("compiled", "loaded") for one in several)
    assert [stepped(place, "made.numba.momentum", one) for one in dtypes[:2]] == ["loaded"] * 2
    kept = list((place / "made" / "numba" / "__pycache__").iterdir())
    assert sorted(one.suffix for one in kept if one.suffix != ".pyc") == [".nbc", ".nbc"]


@pytest.mark.parametrize("share", every(2, [0.5, 0]))
def test_a_file_that_is_cut_short_is_compiled_anew(place, share):
    assert stepped(place) == "compiled"
    (kept,) = (place / "made" / "numba" / "__pycache__").glob("*.nbc")
    kept.write_bytes(kept.read_bytes()[: int(share * kept.stat().st_size)])
    assert stepped(place) == "compiled"
    assert stepped(place) == "loaded"
