"""All files that follow from declarations: as text first, so that nothing is written by halves."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from symopt.declaration import Declaration
from symopt.errors import UsageError
from symopt.runtime.files import write_atomically
from symopt.runtime.kept_texts import text_of
from symopt.targets.registry import NAMES, target
from symopt.targets.target import Options

DTYPES = ("float32", "float64")


def files(
    declared: Sequence[Declaration],
    targets: Iterable[str] = NAMES,
    options: Options = Options(),  # noqa: B008  # a frozen value
    collection: str | None = None,
) -> dict[str, str]:
    """Path below the output folder ⇒ text, for each declaration and target.

    With the name of a ``collection``, also the files that hold all of it together.

    Raises
    ------
    SymoptError
        When anything fails; then there is no text at all.
    """
    for dtype in options.dtypes:
        if dtype not in DTYPES:
            raise UsageError(f"there is no dtype '{dtype}'; known are {', '.join(DTYPES)}")
    found: dict[str, str] = {}
    for one in (target(name) for name in targets):
        for declaration in declared:
            tail = f"_{options.states}" if options.states else ""
            path = f"{one.name}/{declaration.name}{tail}{one.extension}"
            if path in found:
                raise UsageError(
                    f"two declarations are called {declaration.name}; rename one of them"
                )
            text = text_of(declaration, one.name, options)
            if text is not None:
                found[path] = text
            beside = one.beside(declaration, options)
            found.update({f"{one.name}/{name}": text for name, text in beside.items()})
        if collection is not None:
            extra = one.index(collection, tuple(declared))
            found.update({f"{one.name}/{name}": text for name, text in extra.items()})
    return dict(sorted(found.items()))


def write(folder: Path, texts: Mapping[str, str]) -> tuple[Path, ...]:
    """The files, each replaced in one move; those that hold this very text are left alone."""
    changed = []
    for name, text in texts.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != text:
            write_atomically(path, text)
            changed.append(path)
    return tuple(changed)


def missing(folder: Path, texts: Mapping[str, str]) -> tuple[Path, ...]:
    """The files that are not there."""
    return tuple(folder / name for name in texts if not (folder / name).is_file())


def differences(folder: Path, texts: Mapping[str, str]) -> Iterator[str]:
    """A unified diff of each file that is not what its declaration gives today."""
    for name, text in texts.items():
        path = folder / name
        old = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else text
        if old != text:
            yield "".join(
                difflib.unified_diff(
                    old.splitlines(keepends=True),
                    text.splitlines(keepends=True),
                    f"{path} (as it is)",
                    f"{path} (as declared)",
                )
            )


def unknown(folder: Path, texts: Mapping[str, str]) -> Iterator[Path]:
    """Files beside these, with the endings of generated ones, that none of the texts is for."""
    known = {folder / name for name in texts}
    for parent in sorted({path.parent for path in known}):
        endings = {path.suffix for path in known if path.parent == parent}
        if parent.is_dir():
            found = (path for path in parent.iterdir() if path.suffix in endings)
            yield from sorted(path for path in found if path not in known)
