"""Texts that follow from a declaration, kept in the user's cache: derived once, read ever after.

A text is found again only by all that it follows from: the declaration, the options, symopt's own
sources and templates, and the versions of what it is derived with.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from platformdirs import user_cache_dir
from sympy import Basic, Symbol, preorder_traversal
from sympy.core.function import UndefinedFunction

from symopt.declaration import Declaration
from symopt.declaration.fingerprint import fingerprint
from symopt.notation import function
from symopt.runtime.files import write_atomically
from symopt.targets.registry import target
from symopt.targets.target import Options
from symopt.targets.templates import template_folder

# set to this, nothing is read from the cache and nothing is written to it
VARIABLE, OFF = "SYMOPT_CACHE", "off"


def text_of(declared: Declaration, name: str, options: Options) -> str | None:
    """What the target of this name renders of a declaration, nothing where it has nothing for it.

    Raises
    ------
    SymoptError
        In one sentence, when the declaration does not lead to a text; that is not kept.
    """
    path = _place(declared, name, options)
    found = _read(path) if path else None
    if found is not None:
        return found
    text = target(name).render(declared, options)
    if path is not None and text is not None:
        _write(path, text)
    return text


def _place(declared: Declaration, name: str, options: Options) -> Path | None:
    """Where the text would be kept; nowhere if it may follow from code that is not symopt's."""
    if os.environ.get(VARIABLE, "") == OFF or not all(map(_is_known, _expressions(declared))):
        return None
    key = f"{_sources()} {name} {fingerprint(declared, options)}"
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    return Path(user_cache_dir("symopt")) / "texts" / digest


def _read(path: Path) -> str | None:
    """The text of a file that is whole; a digest in its first line says so."""
    try:
        digest, _, text = path.read_bytes().partition(b"\n")
        return text.decode() if digest == _digest(text) else None
    except (OSError, UnicodeDecodeError):
        return None


def _write(path: Path, text: str) -> None:
    content = text.encode()
    try:
        write_atomically(path, _digest(content) + b"\n" + content)
    except OSError:
        return  # a cache that cannot be written costs time and nothing else


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


@cache
def _sources() -> str:
    """A digest of what derives and renders: this installation's sources, and versions."""
    package = Path(__file__).resolve().parent.parent
    made = hashlib.sha256(f"{package} {sys.version}".encode())
    for name in ("sympy", "mpmath", "jinja2"):
        made.update(f"{name} {version(name)} ".encode())
    for folder, pattern in ((package, "*.py"), (template_folder(), "*.jinja")):
        for path in sorted(folder.rglob(pattern)):
            made.update(str(path.relative_to(folder)).encode())
            made.update(hashlib.sha256(path.read_bytes()).digest())
    return made.hexdigest()


def _expressions(value: object) -> Iterator[Basic]:
    """All expressions in a declaration, and in those that it is made of."""
    if isinstance(value, Basic):
        yield value
    elif is_dataclass(value):
        for one in fields(value):
            yield from _expressions(getattr(value, one.name))
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _expressions(part)


def _is_known(expr: Basic) -> bool:
    """Whether its fingerprint tells all of it.

    A class of the user's own may derive or print in its own way, and a symbol that is not spelt by
    symopt may hold assumptions.
    """
    return all(_tells_all(kind) for kind in {type(one) for one in preorder_traversal(expr)})


def _tells_all(kind: type) -> bool:
    if isinstance(kind, UndefinedFunction):
        return bool(kind == function(kind.__name__))
    room = kind.__module__.partition(".")[0]
    return room == "symopt" or (room == "sympy" and not issubclass(kind, Symbol))
