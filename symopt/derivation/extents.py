"""How far the indices of an output run that stand alone in no array: as far as all may be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sympy import Add, Dummy, Expr, Indexed, S, expand

from symopt.calculus.affine import extremes, last_place, slope, smallest
from symopt.declaration import TensorLayer
from symopt.declaration.outline import Outline, entries
from symopt.derivation.small_sizes import small_sizes, whole
from symopt.derivation.steps import Derivation, Line
from symopt.errors import DerivationError
from symopt.notation import Index
from symopt.printing.unicode import unicode
from symopt.views import canonical


@dataclass(frozen=True)
class Extents:
    """The last place of each such index, by the letter for it: P = ⌊(U + 2·r − A)/s⌋ + 1."""

    last: tuple[tuple[Expr, Expr], ...]
    derivation: Derivation | None


@dataclass(frozen=True)
class _Read:
    """One place of an entry, and where it has to lie: from ``low`` to ``high``."""

    entry: Indexed
    axis: int
    low: Expr
    high: Expr

    @property
    def place(self) -> Expr:
        found: Expr = self.entry.indices[self.axis]
        return found


def extents(layer: TensorLayer) -> Extents:
    """The last places of the output's indices, and that nothing is read beyond an array.

    Raises
    ------
    DerivationError
        If a place may lie beyond an array and the zeros around it, or depends on two such indices.
    """
    outline = layer.outline
    found = tuple((outline.ranges[one], _last(outline, one)) for one in outline.sought)
    for read in _reads(outline):
        _check_inside(outline, read)
    if not found:
        return Extents((), None)
    count = _counted(layer, found)
    lines = tuple(
        Line(
            letter,
            last,
            ("the last ", index, " at which nothing is read beyond an array and its zeros"),
            f"counted at {count} choices of sizes",
        )
        for index, (letter, last) in zip(outline.sought, found, strict=True)
    )
    title = ("shape of the output of ", layer.title)
    return Extents(found, Derivation(layer.name, title, lines))


def _reads(outline: Outline) -> Iterator[_Read]:
    """All places but those at which an index stands alone."""
    for entry in entries(outline.equation.right):
        lengths, margins = outline.shapes[entry.base], outline.margins[entry.base]
        for axis, (length, (before, after)) in enumerate(zip(lengths, margins, strict=True)):
            if not isinstance(entry.indices[axis], Index):
                yield _Read(entry, axis, 1 - canonical(before), length + canonical(after))


def _last(outline: Outline, index: Index) -> Expr:
    """The last place of one index, by the reads that it takes part in."""
    found = []
    for read in _reads(outline):
        if not read.place.has(index):
            continue
        for other in outline.sought:
            if other != index and read.place.has(other):
                raise DerivationError(
                    f"{outline.id} reads {unicode(read.entry)}, from which the last "
                    f"{unicode(index)} and the last {unicode(other)} do not follow each by itself; "
                    "let an array have one of them alone"
                )
        ranges = {one: last for one, last in outline.ranges.items() if one != index}
        low, high = extremes(read.place, ranges)
        grows = slope(read.place, index)
        if grows.is_positive:
            found.append(last_place(read.high - (high - grows * index), grows))
        elif grows.is_negative:
            found.append(last_place(low - grows * index - read.low, -grows))
        else:
            raise DerivationError(
                f"{outline.id} reads {unicode(read.entry)}, of which it is not known whether it "
                f"grows or falls with {unicode(index)}; let what {unicode(index)} is multiplied by "
                "be in Naturals"
            )
    return smallest(found)


def _check_inside(outline: Outline, read: _Read) -> None:
    """That no place lies beyond an array, for all sizes; an index that is sought ends before."""
    sought = [one for one in outline.sought if read.place.has(one)]
    falls = bool(sought) and slope(read.place, sought[0]).is_negative
    low, high = extremes(read.place, {**outline.ranges, **dict.fromkeys(sought, S.One)})
    gaps = {"before": low - read.low, "after": read.high - high}
    if sought:
        del gaps["before" if falls else "after"]
    for side, gap in gaps.items():
        if not _nonnegative(gap):
            raise DerivationError(
                f"{outline.id} reads {unicode(read.entry)}, which may lie {side} the places of "
                f"{unicode(read.entry.base)} along axis {read.axis}; let it lie within, or put "
                "zeros around it with padded(…)"
            )


def _nonnegative(expr: Expr) -> bool:
    """Whether it is no less than 0 for certain: in n − 1 for n, no term is subtracted."""
    from_zero = {one: 1 + Dummy(nonnegative=True) for one in expr.free_symbols if one.is_positive}
    terms = Add.make_args(expand(expr.xreplace(from_zero)))
    return all(term.is_nonnegative for term in terms)


def _counted(layer: TensorLayer, found: tuple[tuple[Expr, Expr], ...]) -> int:
    """At how many choices of sizes the last places are those that counting finds."""
    outline = layer.outline
    choices = small_sizes(layer, found)
    for sizes in choices:
        for index, (_, last) in zip(outline.sought, found, strict=True):
            counted = 0
            while all(_lies_inside(read, index, counted + 1, outline, sizes)
                      for read in _reads(outline) if read.place.has(index)):  # fmt: skip
                counted += 1
            assert counted == max(0, whole(last, sizes)), (index, sizes)
    return len(choices)


def _lies_inside(
    read: _Read, index: Index, place: int, outline: Outline, sizes: Mapping[Expr, int]
) -> bool:
    others = {one: last for one, last in outline.ranges.items() if one not in outline.sought}
    ends = extremes(read.place.xreplace({index: S(place)}), others)
    low, high = (whole(end, sizes) for end in ends)
    return whole(read.low, sizes) <= low and high <= whole(read.high, sizes)
