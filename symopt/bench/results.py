"""What was measured: of each work each contestant's time, its ratios, and whether bars are met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symopt.bench.agreement import Agreement
from symopt.bench.timing import QUIET, Ratio, Times, ratio
from symopt.bench.works import Bar, Work

# page faults of 4096 bytes that move a twentieth of a work's bytes take a noticeable time
FAULT_BYTES, FAULT_SHARE = 4096, 0.05


@dataclass(frozen=True)
class Verdict:
    """A bar, how far the contestant got, and whether that meets it; nothing if it is not meant."""

    bar: Bar
    ratio: Ratio
    met: bool | None

    def json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "who": self.bar.who,
            "over": self.bar.over,
            "most": self.bar.most,
            "ratio": self.ratio.json(),
            "met": self.met,
        }


@dataclass(frozen=True)
class Result:
    """One work as measured; no times where only answers were compared."""

    work: Work
    times: Mapping[str, Times]
    agreements: Mapping[str, Agreement]
    notes: Mapping[str, str]
    moved: int | None
    judged: bool

    @property
    def ok(self) -> bool:
        """Whether all answers agree."""
        return all(one.ok for one in self.agreements.values())

    @property
    def own(self) -> tuple[str, ...]:
        """Names of contestants that are generated code."""
        return tuple(one for one in self.times if one.startswith("symopt"))

    @property
    def peers(self) -> tuple[str, ...]:
        """Names of the others."""
        return tuple(one for one in self.times if one not in self.own)

    def ratio(self, who: str, over: str) -> Ratio:
        """The time of one contestant over another's."""
        return ratio(self.times[who], self.times[over])

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The bars whose two contestants were both there."""
        found = [one for one in self.work.bars if {one.who, one.over} <= set(self.times)]
        ratios = [self.ratio(one.who, one.over) for one in found]
        return tuple(
            Verdict(bar, one, one.median <= bar.most if self.judged else None)
            for bar, one in zip(found, ratios, strict=True)
        )

    def faulty(self, name: str) -> bool:
        """Whether page faults had a noticeable part in its time."""
        least = FAULT_SHARE * (self.moved or 0) / FAULT_BYTES
        return self.moved is not None and self.times[name].faults > max(1.0, least)

    def json(self) -> dict[str, Any]:
        """For machines: times in seconds."""
        return {
            "work": self.work.name,
            "declared": self.work.declared.name,
            "fingerprint": self.work.declared.fingerprint,
            "does": self.work.does,
            "elements": self.work.elements,
            "bytes": self.moved,
            "contestants": {key: self._contestant(key, one) for key, one in self.times.items()},
            "agreement": {
                key: {"difference": one.difference, "bound": one.bound, "ok": one.ok}
                for key, one in self.agreements.items()
            },
            "notes": dict(self.notes),
            "bars": [one.json() for one in self.verdicts],
        }

    def _contestant(self, name: str, times: Times) -> dict[str, Any]:
        return {
            "seconds": times.median,
            "rounds": len(times.seconds),
            "busy_rounds": sum(one > QUIET for one in times.busy),
            "page_faults": times.faults,
            "faults_noticeable": self.faulty(name),
            "over": {peer: self.ratio(name, peer).json() for peer in self.peers if peer != name},
        }
