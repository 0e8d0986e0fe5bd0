"""One small hierarchy of errors, and the hint that names the nearest known word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SymoptError(Exception):
    """What a user did wrong, in one sentence that says how to mend it."""


class DeclarationError(SymoptError):
    """A declaration that is not well formed: a name, a symbol, a range, an initial value."""


class DerivationError(SymoptError):
    """A declaration from which the thing asked for does not follow."""


class LoweringError(SymoptError):
    """An expression for which no kernel can be written."""


class UsageError(SymoptError):
    """A name, a file or an option that does not exist."""


class DivergenceError(SymoptError):
    """A run of training whose numbers are no longer finite."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint ending an error about ``name``: the nearest known word, else all of them.

    >>> nearest("adm", ["adam", "momentum"])
    'did you mean adam?'
    >>> nearest("zzz", ["adam", "momentum"])
    'known are adam, momentum'
    """
    words = list(dict.fromkeys(known))
    close = difflib.get_close_matches(name, words, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"known are {', '.join(words)}" if words else "none is known"
