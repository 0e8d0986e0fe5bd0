"""Identities and mutations by the thousand: how many are proved, refuted and left undecided.

Run from the repository's root: python benchmarks/soundness.py [HOW_MANY] [SEED]
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "proof"))

from random_identities import identity, mutated, surely_differ  # found by the line above

from symopt import equivalent  # as above


def main(many: int, seed: int) -> int:
    """Print a table; 1 if something false was proved or something true refuted."""
    source = random.Random(seed)
    counts: dict[str, Counter[str]] = {}
    wrong: list[str] = []
    slowest = 0.0
    begun = time.perf_counter()
    for _ in range(many):
        true = identity(source)
        side = mutated(true.right, source)
        for what, right in (("identities", true.right), ("mutations", side)):
            if right is None:
                continue
            start = time.perf_counter()
            verdict = equivalent(true.left, right)
            slowest = max(slowest, time.perf_counter() - start)
            name = what
            if what == "mutations":
                differs = surely_differ(true.left, right, source)
                name = f"mutations that {'differ' if differs else 'may be equal'}"
                if differs and verdict.status == "proved":
                    wrong.append(str(verdict))
            elif verdict.status == "refuted":
                wrong.append(str(verdict))
            counts.setdefault(f"{true.kind}: {name}", Counter())[verdict.status] += 1
    for name in sorted(counts):
        shares = ", ".join(f"{count} {status}" for status, count in counts[name].most_common())
        print(f"{name:40} {shares}")
    print(f"{time.perf_counter() - begun:.0f} s, the slowest verdict {slowest:.1f} s")
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    arguments = [int(one) for one in sys.argv[1:]]
    sys.exit(main(*(arguments + [1000, 0][len(arguments) :])))
