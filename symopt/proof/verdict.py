"""What comes out: proved with a derivation, refuted by a point, or undecided after all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Basic

from symopt.derivation.steps import Derivation, Reason, in_words
from symopt.errors import UsageError
from symopt.printing.unicode import unicode
from symopt.proof.outcomes import PROVED, REFUTED
from symopt.proof.reading import readable


@dataclass(frozen=True)
class Verdict:
    """Whether ``left`` and ``right`` are equal wherever both have a value.

    ``status`` is ``proved``, with a ``derivation`` under the ``conditions``; ``refuted``, at the
    smallest point that was found, with both ``values`` there; or ``undecided``, with what was
    ``tried``. Of rules it is said ``what`` differs. ``agreed`` says at how many points both sides
    were worth the same, and ``how`` that was computed.
    """

    left: Any
    right: Any
    status: str
    derivation: Derivation | None = None
    conditions: tuple[Reason, ...] = ()
    point: tuple[tuple[Basic, Basic], ...] = ()
    values: tuple[Basic, ...] = ()
    agreed: int = 0
    how: str = ""
    tried: tuple[str, ...] = ()
    what: Reason = ""
    otherwise: Verdict | None = None

    @property
    def counterexample(self) -> Mapping[Basic, Basic]:
        """The point at which the sides differ; empty if none was found."""
        return dict(self.point)

    @property
    def proved(self) -> bool:
        """Whether it was proved; what was not proved need not be wrong."""
        return self.status == PROVED

    def __bool__(self) -> bool:
        raise UsageError("a verdict is one of three; ask for its status, or whether it is .proved")

    def json(self) -> dict[str, Any]:
        """The verdict for machines; expressions in Unicode."""
        return {
            "left": _shown(self.left),
            "right": _shown(self.right),
            "status": self.status,
            "conditions": [in_words(one) for one in self.conditions],
            "derivation": self.derivation.json() if self.derivation else None,
            "counterexample": {_shown(one): unicode(value) for one, value in self.point},
            "values": [unicode(one) for one in self.values],
            "what": in_words(self.what),
            "otherwise": self.otherwise.json() if self.otherwise else None,
            "agreed": self.agreed,
            "how": self.how,
            "tried": list(self.tried),
        }

    def __str__(self) -> str:
        return self.text()

    def text(self, full: bool = False) -> str:
        """The verdict in Unicode, of a proof its ideas or ``full`` all of its lines."""
        head = f"{self.status}: {_shown(self.left)} = {_shown(self.right)}"
        if self.status == PROVED:
            shown = self.derivation if full or not self.derivation else self.derivation.short()
            under = [f"  where {', '.join(map(in_words, self.conditions))}"] * bool(self.conditions)
            return "\n".join([head, *under, *([str(shown)] if shown else [])])
        if self.status == REFUTED:
            at = ", ".join(f"{_shown(one)} = {unicode(value)}" for one, value in self.point)
            left, right = map(unicode, self.values)
            head += f"\n  unlike {in_words(self.what)}" if self.what else ""
            told = f"{head}\n  at {at or 'every point'}\n  left is {left}, right is {right}"
            if self.otherwise is None or self.otherwise.derivation is None:
                return told
            shown = self.otherwise.derivation if full else self.otherwise.derivation.short()
            return f"{told}\n  but one rule in other letters:\n{shown}"
        lines = [f"  tried: {one}" for one in self.tried]
        return "\n".join([head, *lines, f"  the same at {self.agreed} points, {self.how}"])


def _shown(side: Any) -> str:
    return unicode(readable(side)) if isinstance(side, Basic) else str(getattr(side, "name", side))
