"""A declaration as a module of kernels, ready to call."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from platformdirs import user_cache_dir

from symopt.declaration import Declaration
from symopt.errors import UsageError
from symopt.runtime.files import write_atomically
from symopt.runtime.kept_texts import text_of
from symopt.targets.target import Options


def compile(declared: Declaration, options: Options = Options()) -> ModuleType:  # noqa: B008  # a frozen value
    """The module that ``symopt generate`` would write, imported from the user's cache.

    Numba needs kernels to live in a real file to keep their compiled form; the file's name holds a
    digest of its text, so a changed declaration never meets an old kernel.

    Raises
    ------
    SymoptError
        In one sentence, when the declaration does not lead to a kernel.
    """
    text = text_of(declared, "numba", options)
    if text is None:
        raise UsageError(f"{declared.name} is {declared.a_kind}, for which there is no kernel")
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    name = f"symopt_{declared.name}_{digest}"
    known = sys.modules.get(name)
    if known is not None:
        return known
    path = _stored(f"{name}.py", text)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Numba's cache and pickle look the module up by name
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _stored(name: str, text: str) -> Path:
    """The file with this text, in the user's cache or, where that cannot be written, a new one."""
    path = Path(user_cache_dir("symopt")) / "kernels" / name
    try:
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_atomically(path, text)
    except OSError:
        path = Path(tempfile.mkdtemp(prefix="symopt-")) / name
        write_atomically(path, text)
    return path
