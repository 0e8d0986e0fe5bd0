"""Results as a table in the terminal: a row for each way that is ours, a column for each peer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from symopt.bench.results import Result, Verdict
from symopt.bench.timing import Ratio

NOTHING = "–"
COLUMNS = ("torch fused", "torch foreach", "torch compiled", "torch", "torch channels-last")
SHORT = {"torch channels-last": "torch\nch.-last"}
VERDICTS = {True: ("met", "green"), False: ("missed", "red"), None: ("not judged", "dim")}
CAPTION = (
    "time over the peer's, the median of interleaved rounds: below 1, generated code is faster. "
    "* other programs took processors away, so that the number says little; † page faults had a "
    "noticeable part."
)


def table(results: Sequence[Result], machine: Mapping[str, Any]) -> Table:
    """All results; peers that took no part anywhere have no column."""
    peers = _peers(results)
    made = Table(title=_title(machine), caption=CAPTION, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    made.add_column("work", overflow="fold")
    made.add_column("time", justify="right", no_wrap=True)
    for peer in peers:
        made.add_column(SHORT.get(peer, peer.replace(" ", "\n")), justify="right", no_wrap=True)
    made.add_column("bar", overflow="fold")
    for one in results:
        for who in one.own:
            verdicts = [verdict for verdict in one.verdicts if verdict.bar.who == who]
            made.add_row(
                _label(one, who),
                duration(one.times[who].median) + ("†" if one.faulty(who) else ""),
                *(_cell(one, who, peer) for peer in peers),
                _bars(verdicts),
            )
    return made


def answers(results: Sequence[Result]) -> Table:
    """Whose answers were compared, and how near they are to the bound of rounding."""
    made = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("work", "contestant", "difference", "bound", "answers"):
        numbers = heading in ("difference", "bound")
        made.add_column(heading, justify="right" if numbers else "left", overflow="fold")
    for one in results:
        for name, found in one.agreements.items():
            verdict = Text("agree", "green") if found.ok else Text("differ", "red")
            made.add_row(
                one.work.name, name, f"{found.difference:.1e}", f"{found.bound:.1e}", verdict
            )
    return made


def notes(results: Sequence[Result]) -> tuple[str, ...]:
    """Where formulas of peers are other ones, each once."""
    found = [
        f"{one.work.declared.name}, {peer}: {note}"
        for one in results
        for peer, note in one.notes.items()
    ]
    return tuple(dict.fromkeys(found))


def duration(seconds: float) -> str:
    """A time in the unit that suits it.

    >>> duration(0.00001234)
    '12.3 µs'
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def _peers(results: Iterable[Result]) -> list[str]:
    found = dict.fromkeys(peer for one in results for peer in one.peers)
    return [one for one in COLUMNS if one in found] + [one for one in found if one not in COLUMNS]


def _title(machine: Mapping[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    threads = f"{machine['threads']} thread{'s' * (machine['threads'] > 1)}"
    return f"{machine['processor']}, {threads}; Python {machine['python']}, {packages}"


def _label(one: Result, who: str) -> str:
    return one.work.name + who.removeprefix("symopt").replace(" ", ", ", 1)


def _cell(one: Result, who: str, peer: str) -> str:
    if peer not in one.times:
        return NOTHING
    return _shown(one.ratio(who, peer)) + ("†" if one.faulty(peer) else "")


def _shown(ratio: Ratio) -> str:
    value = ratio.median
    shown = f"{value:.3f}" if value < 0.1 else f"{value:.2f}" if value < 10 else f"{value:.0f}"
    return shown + ("*" if ratio.busy else "")


def _bars(verdicts: Iterable[Verdict]) -> Text:
    made = Text()
    for one in verdicts:
        word, style = VERDICTS[one.met]
        made.append(f"{'; ' if made else ''}{one.bar.most:g} of {one.bar.over}: ")
        made.append(word + ("*" if one.ratio.busy else ""), style)
    return made
