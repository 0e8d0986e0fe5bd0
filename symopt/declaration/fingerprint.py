"""A short digest of a value: of all that is declared, and of nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import fields, is_dataclass
from typing import Any

from sympy import Basic


def fingerprint(*values: Any) -> str:
    """Sixteen hex digits, the same on every machine for the same declaration as written.

    >>> fingerprint("a", 1) == fingerprint("a", 1), fingerprint("a", 1) == fingerprint("a", 2)
    (True, False)
    """
    return hashlib.sha256(_text(values).encode()).hexdigest()[:16]


def _text(value: Any) -> str:
    """A value with all its parts in order; SymPy's own ``srepr`` would sort them."""
    if isinstance(value, Basic):
        facts = [repr(getattr(value, name)) for name in ("spelling",) if hasattr(value, name)]
        facts += [_text(fact) for fact in getattr(value, "facts", ())]
        inner = [_text(part) for part in value.args] if value.args else [str(value)]
        return f"{type(value).__name__}({','.join(facts + inner)})"
    if is_dataclass(value) and not isinstance(value, type):
        parts = (getattr(value, one.name) for one in fields(value))
        return f"{type(value).__name__}({','.join(map(_text, parts))})"
    if isinstance(value, tuple | list):
        return f"({','.join(map(_text, value))})"
    return repr(value)
