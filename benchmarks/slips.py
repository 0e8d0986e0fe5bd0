"""Right derivations with one slip of the table put in: is it refuted, is the true line found first?

Run from the repository's root: python benchmarks/slips.py [HOW_MANY] [SEED]
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "proof"))

from lecture_chains import CHAINS  # found by the line above

from symopt import check_chain  # as above
from symopt.proof.chains import Chain, Equality  # as above
from symopt.proof.definitions import defining  # as above
from symopt.proof.following import letters_of  # as above
from symopt.proof.slips import mended  # as above
from symopt.views import canonical  # as above


def mutants(chain: Chain) -> list[tuple[str, Chain]]:
    """The chain up to each line that claims something, with a slip in it."""
    found = []
    claims = set(range(len(chain.lines))) - set(defining(chain.lines))
    for k in sorted(claims):
        line = chain.lines[k]
        for name, right in mended(line.right, letters_of(chain, k)):
            lines = (*chain.lines[:k], Equality(line.left, right))
            found.append((name, replace(chain, lines=lines)))
    return found


def same(one: Equality | None, other: Equality) -> bool:
    return one is not None and canonical(one.right - other.right).expand() == 0


def main(many: int, seed: int) -> int:
    """Print shares; the mutants that still hold (x·1, say) are counted apart."""
    source = random.Random(seed)
    rights = {one.name: one for one in CHAINS}
    several = [one for chain in CHAINS for one in mutants(chain)]
    source.shuffle(several)
    counts: Counter[str] = Counter()
    begun = time.perf_counter()
    for name, wrong in several[:many]:
        verdict = check_chain(wrong, seconds=20)
        meant = rights[wrong.name].lines[len(wrong.lines) - 1]
        if verdict.status != "refuted":
            counts["still hold"] += 1
        elif same(verdict.corrected, meant):
            counts["refuted, the line that was meant first"] += 1
            counts[f"  of these named as put in: {verdict.slip == name}"] += 1
        else:
            counts[
                "refuted, another line first" if verdict.corrected else "refuted, not mended"
            ] += 1
            print(wrong.lines[-1], "|", verdict.corrected, "|", name, "|", verdict.slip)
    for what, count in sorted(counts.items()):
        print(f"{count:5} {what}")
    print(f"{time.perf_counter() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    arguments = [int(one) for one in sys.argv[1:]]
    sys.exit(main(*(arguments + [500, 0][len(arguments) :])))
