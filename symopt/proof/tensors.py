"""Two layers over arrays with several axes: which array, and which axis, of one is which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice, permutations, product

from sympy import Basic, Expr, Indexed, Le, S

from symopt.declaration import TensorLayer
from symopt.declaration.outline import Outline
from symopt.derivation.extents import extents
from symopt.errors import UsageError
from symopt.nodes import Inside, Largest, Sigma
from symopt.notation import Count, Sequence, index, primed
from symopt.proof.assumptions import domains
from symopt.proof.matching import Matched
from symopt.proof.outputs import Names, Unfolded
from symopt.proof.readings import choices
from symopt.views import canonical

# choices of which array and axis is which that are tried
_MOST, _ORDERS = 24, 6
Order = tuple[int, ...]
Arrays = Mapping[Sequence, tuple[Sequence, Order]]


def unfolded_tensors(left: TensorLayer, right: TensorLayer) -> tuple[Unfolded, tuple[Matched, ...]]:
    """Both as expressions, the second in letters of the first in all ways that are left open.

    Arrays are matched by name, else by trying, and what is learned may have its axes in another
    order. Zeros around an array are read as such.

    Raises
    ------
    UsageError
        If no array of the one can be that of the other, or the outputs have unlike axes.
    """
    one, other = left.outline, right.outline
    places = one.output.indices
    if len(one.inputs) != len(other.inputs):
        raise UsageError(
            f"{left.name} reads {len(one.inputs)} arrays and {right.name} {len(other.inputs)}; "
            "give two with as many inputs"
        )
    if len(places) != len(other.output.indices):
        raise UsageError(
            f"the output of {left.name} has {len(places)} axes and that of {right.name} "
            f"{len(other.output.indices)}; give layers whose outputs have as many"
        )
    avoid = [place.name for place in places]
    first = Unfolded(left, one.output, _with_zeros(one, Names(left, avoid)))
    found = tuple(islice(_matched(first, right, Names(right, avoid)), _MOST))
    if not found:
        raise UsageError(
            f"no arrays of {right.name} can be those of {left.name}, whose shapes are others; give "
            "layers that read arrays with as many axes"
        )
    return first, found


def _with_zeros(outline: Outline, names: Names) -> Expr:
    """The output, each place beyond an array read as 0."""
    written: Expr = names.put_in(canonical(outline.equation.right), {})
    padded = {
        base for base, margins in outline.margins.items() if any(m != (0, 0) for m in margins)
    }
    entries = {entry for entry in written.atoms(Indexed) if entry.base in padded}
    return written.xreplace({entry: entry * _inside(entry, outline) for entry in entries})


def _inside(entry: Indexed, outline: Outline) -> Expr:
    found: Expr = S.One
    lengths, margins = outline.shapes[entry.base], outline.margins[entry.base]
    for place, length, margin in zip(entry.indices, lengths, margins, strict=True):
        if margin != (0, 0):
            found *= Inside(place, S.One, length)
    return found


def _matched(first: Unfolded, right: TensorLayer, names: Names) -> Iterator[Matched]:
    left = first.declared
    assert isinstance(left, TensorLayer)  # both are
    one, other = left.outline, right.outline
    written = _with_zeros(other, names)
    ours, theirs = left.hyperparameters, right.hyperparameters
    same = {letter.spelling.python: letter for letter in ours}
    named = {letter: same[letter.name] for letter in theirs if letter.name in same}
    alone = ([a for a in ours if a not in named.values()], [a for a in theirs if a not in named])
    for arrays in _arrays(one, other):
        for called in choices(*alone):
            symbols: dict[Basic, Basic] = {**named, **called}
            symbols |= dict(zip(other.output.indices, one.output.indices, strict=True))
            sizes = _sizes(one, other, arrays, symbols)
            if sizes is None:
                continue
            symbols |= sizes
            joined = (*_joined(arrays), *called.items())
            within = _within(left, right, symbols)
            if within is not None:
                moved = Unfolded(right, other.output, _put(written, arrays, symbols))
                kept = () if called or not all(alone) else (*alone[0], *alone[1])
                yield Matched(moved, joined, kept, within)


def _arrays(one: Outline, other: Outline) -> Iterator[Arrays]:
    """Which array is which: by name, else in any order; then with the axes of what is learned."""
    inputs, learned = (
        list(_pairs(getattr(one, role), getattr(other, role))) for role in ("inputs", "learned")
    )
    for pairs in ({**some, **others} for some, others in product(inputs, learned)):
        orders = [_orders(other, base) for base in pairs]
        for several in product(*orders):
            yield {
                base: (image, order)
                for (base, image), order in zip(pairs.items(), several, strict=True)
            }


def _orders(other: Outline, base: Sequence) -> list[Order]:
    """The order of axes as it stands, and of what is learned a few others."""
    axes = range(len(other.shapes[base]))
    found = islice(permutations(axes), _ORDERS if base in other.learned else 1)
    return list(found)


def _pairs(
    ours: tuple[Sequence, ...], theirs: tuple[Sequence, ...]
) -> Iterator[dict[Sequence, Sequence]]:
    """Arrays of one name, and those that are left in any order; where one has more, some stay."""
    known = {base.spelling.python: base for base in ours}
    named = {base: known[name] for base in theirs if (name := base.spelling.python) in known}
    left = [base for base in theirs if base not in named]
    free = [base for base in ours if base not in named.values()]
    for images in permutations(free, min(len(free), len(left))):
        yield {**named, **dict(zip(left, images, strict=False))}


def _sizes(
    one: Outline, other: Outline, arrays: Arrays, symbols: Mapping[Basic, Basic]
) -> dict[Basic, Basic] | None:
    """What the second's lengths are in the first's; nothing where shapes do not fit."""
    found: dict[Basic, Basic] = {}
    for base, (image, order) in arrays.items():
        mine, theirs = one.shapes[image], other.shapes[base]
        if len(mine) != len(theirs):
            return None
        for place, length in zip(order, theirs, strict=True):
            if not isinstance(length, Count):
                if canonical(length).xreplace(dict(symbols)) != mine[place]:
                    return None
            elif found.setdefault(length, mine[place]) != mine[place]:
                return None
    return found


def _put(expr: Expr, arrays: Arrays, symbols: Mapping[Basic, Basic]) -> Expr:
    if isinstance(expr, Indexed):
        image, order = arrays.get(expr.base, (expr.base, tuple(range(len(expr.indices)))))
        places: list[Expr] = [S.Zero] * len(order)
        for axis, place in zip(order, expr.indices, strict=True):
            places[axis] = _put(place, arrays, symbols)
        return image[tuple(places)]
    if isinstance(expr, Sigma | Largest):
        own, *ends = expr.args[1]
        moved = (_put(end, arrays, symbols) for end in ends)
        return type(expr)(_put(expr.args[0], arrays, symbols), (own, *moved))
    if expr in symbols:
        return symbols[expr]
    return expr.func(*(_put(part, arrays, symbols) for part in expr.args)) if expr.args else expr


def _joined(arrays: Arrays) -> Iterator[tuple[Expr, Expr]]:
    """Entries of arrays that have another name or order of axes."""
    for base, (image, order) in arrays.items():
        if base.spelling.python == image.spelling.python and list(order) == sorted(order):
            continue
        letters = [index(name) for name, _ in zip("jklmpq", order, strict=False)]
        moved: list[Expr] = [S.Zero] * len(order)
        for axis, letter in zip(order, letters, strict=True):
            moved[axis] = letter
        own = primed(base) if base == image else base
        yield own[tuple(letters)], image[tuple(moved)]


def _within(
    left: TensorLayer, right: TensorLayer, symbols: Mapping[Basic, Basic]
) -> tuple[Basic, ...] | None:
    """That an element lies within the output; nothing where the two outputs have unlike lengths."""
    places = left.outline.output.indices
    ours, theirs = _lengths(left), _lengths(right)
    moved = [canonical(length).xreplace(dict(symbols)) for length in theirs]
    if [canonical(one) for one in ours] != moved:
        return None
    inside = [Le(place, end, evaluate=False) for place, end in zip(places, moved, strict=True)]
    ranges = {one.xreplace(dict(symbols)) for one in domains([right.outline.equation.right])}
    return (*inside, *(one for one in ranges if one is not S.true))


def _lengths(layer: TensorLayer) -> list[Expr]:
    """How long the axes of the output are, in letters that arrays have."""
    last = dict(extents(layer).last)
    return [last.get(length, length) for length in layer.outline.output_shape]
