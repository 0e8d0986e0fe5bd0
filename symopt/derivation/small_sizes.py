"""Small sizes at which what is derived of a tensor layer is tried out."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

from sympy import Expr, Integer, S

from symopt.declaration import TensorLayer
from symopt.notation import Count, Hyperparameter
from symopt.views import canonical

CHOICES = 5
_TRIES = 500
_LARGEST = 150  # terms of all sums of the output


def small_sizes(
    layer: TensorLayer, last: Iterable[tuple[Expr, Expr]]
) -> tuple[Mapping[Expr, int], ...]:
    """Lengths from 1 to 3, and hyperparameters in whole numbers near the first of their range.

    Lengths in space are up to 5. ``last`` are places of the output that follow from them; there is
    one at least.
    """
    source = random.Random(20260103)
    outline, several = layer.outline, tuple(last)
    derived = {letter for letter, _ in several}
    lengths = {one for shape in outline.shapes.values() for one in shape}
    inside = {*lengths, *outline.ranges.values()} - derived
    whole_numbers = [one for one in layer.hyperparameters if one.is_integer]
    wide = {
        length
        for letter in outline.arrays
        for length, margin in zip(outline.shapes[letter], outline.margins[letter], strict=True)
        if margin != (0, 0)
    }
    found: list[Mapping[Expr, int]] = []
    for tried in range(_TRIES):
        more = tried // 50  # a window may be larger than all these
        sizes: dict[Expr, int] = {
            one: source.randint(1, (5 if one in wide else 3) + more)
            for one in sorted(inside, key=str)
            if isinstance(one, Count)
        }
        for one in whole_numbers:
            sizes[one] = _drawn(one, source)
        for letter, place in several:
            sizes[letter] = whole(place, sizes)
        points = 1
        for one in outline.ranges.values():
            points *= max(0, whole(one, sizes))
        if 1 <= points <= _LARGEST and sizes not in found:
            found.append(sizes)
        if len(found) == CHOICES:
            break
    return tuple(found)


def _drawn(one: Hyperparameter, source: random.Random) -> int:
    domain = one.domain
    low = int(domain.inf) if domain.inf.is_finite else 1
    values = [k for k in range(low, low + 4) if domain.contains(Integer(k)) == True]  # noqa: E712  # SymPy's own true
    return source.choice(values or [low])


def whole(expr: Expr, sizes: Mapping[Expr, int]) -> int:
    """An expression in sizes as a whole number."""
    put_in = {symbol: S(number) for symbol, number in sizes.items()}
    return int(canonical(canonical(expr).xreplace(put_in)))
