"""``symopt train``: each rule on real data, beside the same rule written straight in NumPy."""

from __future__ import annotations

EXAMPLES = "Examples:  symopt train  ·  symopt train adam my_rule.py  ·  symopt train --json"


def command() -> None:
    """Train."""
