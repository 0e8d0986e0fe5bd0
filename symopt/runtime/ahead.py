"""A declaration's kernels compiled ahead of time, by this machine's C compiler, ready to call."""

from __future__ import annotations

import atexit
import importlib.util
import shutil
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from symopt.declaration import Declaration
from symopt.errors import UsageError
from symopt.runtime.files import write_atomically
from symopt.targets.c import C
from symopt.targets.target import Options


@lru_cache(maxsize=256)
def compile_ahead(declared: Declaration, options: Options = Options()) -> ModuleType:  # noqa: B008  # a frozen value
    """The module that ``symopt generate --aot`` would write, compiled for this processor.

    It needs NumPy and cffi, and no Numba. Its folder goes when the process ends.

    Raises
    ------
    SymoptError
        In one sentence, when the declaration does not lead to a C file, or there is no compiler.
    """
    source = C.render(declared, options)
    if source is None:
        raise UsageError(
            f"{declared.name} is {declared.a_kind}, for which no C is written; use its numba module"
        )
    folder = Path(tempfile.mkdtemp(prefix="symopt-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name, text in {f"{declared.name}.c": source, **C.beside(declared, options)}.items():
        write_atomically(folder / name, text)
    try:
        _imported(folder / f"build_{declared.name}.py").build()
    except (ImportError, OSError) as error:
        raise UsageError(str(error)) from error
    return _imported(folder / f"{declared.name}.py")


def _imported(path: Path) -> ModuleType:
    name = f"{path.parent.name.replace('-', '_')}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
