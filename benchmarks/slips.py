"""Slips of the pen in the lecture's formulas and derivations: refuted, and named as put in?

Run from the repository's root: python benchmarks/slips.py [HOW_MANY] [SEED]
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

from rich.progress import track

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "proof"))

from right_lines import chosen, outcome, right_lines  # found by the line above

_SECONDS = 20


def main(many: int, seed: int) -> int:
    """Print shares, and each mutant whose slip was named otherwise; 1 if one was undecided."""
    counts: Counter[str] = Counter()
    named: dict[str, Counter[bool]] = {}
    begun = time.perf_counter()
    several = chosen(many, seed)
    for mutant in track(several, "mutants", transient=True):
        found = outcome(mutant, _SECONDS)
        what = found.status
        if what == "refuted":
            how = "by its name" if found.right_name else "otherwise" if found.slip else "no slip"
            what = f"refuted, {how}"
            named.setdefault(min(mutant.names), Counter())[found.right_name] += 1
        counts[what] += 1
        if not found.right_name:
            print(f"{what}: {mutant.right.name}\n  {mutant.line}\n  {' / '.join(mutant.names)}")
            print(f"  {found.slip}: {found.corrected}" if found.slip else "  -")
    lines = {one.right.name for one in several}
    print(f"{len(several)} mutants of {len(lines)} lines of {sum(1 for _ in right_lines())}")
    for what, count in counts.most_common():
        print(f"{count:5} {what}")
    for name, shares in sorted(named.items()):
        print(f"{shares[True]:5} of {shares.total():3} by name: {name}")
    print(f"{time.perf_counter() - begun:.0f} s")
    return int("undecided" in counts)


if __name__ == "__main__":
    arguments = [int(one) for one in sys.argv[1:]]
    sys.exit(main(*(arguments + [600, 0][len(arguments) :])))
