"""One place at which a formula needs care."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Expr

from symopt.derivation.steps import Reason, in_words
from symopt.printing.unicode import unicode

KINK, JUMP, POLE, STEEP = "kink", "jump", "pole", "infinite slope"
CANCELLATION, OVERFLOW, UNDERFLOW = "cancellation", "overflow", "underflow"


@dataclass(frozen=True)
class Finding:
    """A ``part`` of an equation, the numbers at which it is in danger, and what is done about it.

    ``remedy`` is the form that the kernel computes in place of the part; empty where it is computed
    as written.
    """

    kind: str
    id: str
    part: Expr
    danger: Reason
    remedy: Reason = ""

    def row(self) -> tuple[str, str, str, str, str]:
        """Kind, equation, part, danger and remedy in Unicode."""
        part = unicode(self.part)
        return self.kind, self.id, part, in_words(self.danger), in_words(self.remedy)

    def json(self) -> dict[str, Any]:
        """The finding for machines."""
        keys = ("kind", "equation", "part", "danger", "remedy")
        return dict(zip(keys, self.row(), strict=True))
