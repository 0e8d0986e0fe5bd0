"""Declarations by name: those of the catalogue, and those of a user's file."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from symopt.errors import SymoptError, UsageError, nearest

if TYPE_CHECKING:
    from symopt.declaration import Declaration

COLLECTIONS = ("lecture", "network")
# questions have answers, and no kernels: they are in no folder of generated files
QUESTIONS = "questions"


def catalogue() -> tuple[Declaration, ...]:
    """Every declaration of the catalogue, one collection after the other."""
    return tuple(one for name in (*COLLECTIONS, QUESTIONS) for one in collection(name))


def collection(name: str) -> tuple[Declaration, ...]:
    """The declarations of one collection, in its own order; others after them, by name."""
    package = importlib.import_module(f"symopt.catalog.{name}")
    found: dict[str, Declaration] = {}
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for one in declared_in(importlib.import_module(module.name)):
            found[one.name] = one
    order = {one: place for place, one in enumerate(package.CONTENTS)}
    return tuple(
        sorted(found.values(), key=lambda one: (order.get(one.name, len(order)), one.name))
    )


def declared_in(module: ModuleType) -> tuple[Declaration, ...]:
    """The declarations that a module makes itself, of others too, not those that it imports."""
    from symopt.declaration import Declaration

    here = module.__file__
    found = [one for one in vars(module).values() if isinstance(one, Declaration)]
    return tuple(dict.fromkeys(one for one in found if not one.file or _same_file(one.file, here)))


def _same_file(one: str, other: str | None) -> bool:
    return bool(one and other) and Path(one).resolve() == Path(other or "").resolve()


def find(names: Sequence[str]) -> tuple[Declaration, ...]:
    """The declarations that names and files stand for; all of the catalogue for none.

    Raises
    ------
    UsageError
        For a name that is not known, with the nearest one, or a file that declares nothing.
    """
    if not names:
        return catalogue()
    return tuple(one for name in names for one in _of(name))


def _of(name: str) -> tuple[Declaration, ...]:
    if name.endswith(".py") or "/" in name:
        return from_file(Path(name))
    known = {one.name: one for one in catalogue()}
    if name not in known:
        hint = nearest(name, known)
        if Path(f"{name}.py").is_file():
            hint = f"there is a file {name}.py here, so write {name}.py"
        raise UsageError(f"nothing is declared under '{name}'; {hint}")
    return (known[name],)


def from_file(path: Path) -> tuple[Declaration, ...]:
    """The declarations in a Python file.

    Raises
    ------
    UsageError
        If there is no such file, it does not run, or it declares nothing.
    """
    declared = declared_in(run_file(path))
    if not declared:
        raise UsageError(
            f"{path} declares nothing; decorate a function in it with @update_rule, @schedule, "
            "@monitor, @layer, @loss, @regularizer or @objective"
        )
    return declared


def run_file(path: Path) -> ModuleType:
    """A Python file of a user's, run.

    Raises
    ------
    UsageError
        If there is no such file, or it does not run.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path}; give a Python file with a declaration in it")
    name = f"symopt_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is no Python file; give one with a declaration in it")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except SymoptError:
        raise
    except (Exception, SystemExit) as error:
        where = getattr(error, "lineno", None) or _line(error, path)
        kind = type(error).__name__
        raise UsageError(f"{path}, line {where}: {kind}: {error}; mend the file") from error
    return module


def _line(error: BaseException, path: Path) -> str:
    """The last line of the user's own file on the way to an error."""
    found, trace = "?", error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).resolve() == path.resolve():
            found = str(trace.tb_lineno)
        trace = trace.tb_next
    return found
