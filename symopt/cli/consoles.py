"""Where output goes: to a person's terminal, or into a pipe."""

from __future__ import annotations

import sys

from rich.console import Console

# wide enough that nothing is cut or wrapped where no one looks at it
_PIPE = 400


def console_for_people() -> Console:
    """Standard output; tables that go into a pipe are as wide as they need to be."""
    return Console() if sys.stdout.isatty() else Console(width=_PIPE)
