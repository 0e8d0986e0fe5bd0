"""How a contraction is carried out by products of matrices: in which order, and block by block."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Expr, S, Symbol

from symopt.program.arrange import Arrangement, Axes, arranged, in_own_order, stacked
from symopt.program.box_kernels import innermost
from symopt.program.contractions import Access, Contraction
from symopt.program.tensor_ir import Space, Stacked


@dataclass(frozen=True)
class Plan:
    """A contraction of two arrays as products of matrices.

    The ``windowed`` access, if there is one, is that of a factor whose windows are written out
    before, or of the target, to which the windows of the product are added after. ``block`` is the
    counter of the axis that is walked block by block, ``last`` that along which memory is best
    read. A ``direct`` product has the axes of the target. If ``summed``, the block's axis is summed
    over, across products of its own.
    """

    one: Contraction
    arrangement: Arrangement
    windowed: Access | None
    block: Symbol | None
    direct: bool
    summed: bool
    last: Symbol

    @property
    def scatters(self) -> bool:
        """Whether the product is that of the target's windows."""
        return self.windowed == self.one.target

    @property
    def gathers(self) -> bool:
        """Whether the windows of a factor are written out."""
        return self.windowed is not None and not self.scatters

    @property
    def windows(self) -> Access:
        """The array of all windows, with an axis for each counter."""
        assert self.windowed is not None
        axes = self.arrangement.target if self.scatters else self._axes(self.windowed)
        name = f"{self.windowed.array}_windows"
        return Access(name, axes, self._lengths(axes), (False,) * len(axes))

    @property
    def gathering(self) -> Contraction:
        """Windows of a factor written out: each entry of a window is one of the array."""
        assert self.windowed is not None
        return self._moving(self.windows, self.windowed)

    @property
    def scattering(self) -> Contraction:
        """Windows of the target added up."""
        return self._moving(self.one.target, self.windows)

    def _moving(self, target: Access, source: Access) -> Contraction:
        axes = self.windows.places
        box = dict(zip(axes, self.windows.lengths, strict=True))
        return Contraction(target, (source,), S.One, box, "")

    @property
    def factors(self) -> tuple[Stacked, Stacked]:
        """The left and the right matrices."""
        left, right = self._sides
        return self._seen(left), self._seen(right)

    def product(self, direct: bool) -> Stacked:
        """Where the product is written: into the target, its windows, or an array of its own."""
        if direct:
            name = self.one.target.array
        elif self.scatters:
            name = self.windows.array
        else:
            name = self.space.name
        found = self.arrangement
        groups = (*((axis,) for axis in found.stack), found.rows, found.columns)
        order = tuple(range(len(found.target)))
        return Stacked(name, order, tuple(self._lengths(group) for group in groups))

    @property
    def space(self) -> Space:
        """An array for the product, where it is not the target's own."""
        axes = self.arrangement.target
        return Space(f"{self.one.target.array}_products", self._lengths(axes))

    @property
    def order(self) -> tuple[int, ...]:
        """The axes of the product as the target has them; what is summed over is none."""
        axes = self.arrangement.target[1:] if self.summed else self.arrangement.target
        return tuple(axes.index(axis) for axis in self.one.target.places)

    @property
    def _sides(self) -> tuple[Access, Access]:
        one, other = self.one.factors
        return (other, one) if self.arrangement.swapped else (one, other)

    def _axes(self, access: Access) -> Axes:
        """The axes of a factor: its own, or those of its windows as the product takes them."""
        if access.plain:
            return access.places
        found = self.arrangement
        left = access == self._sides[0]
        groups = (found.rows, found.inner) if left else (found.inner, found.columns)
        before, after = groups[::-1] if self.last in groups[0] else groups
        has = access.counters(self.one.box)
        return (*(axis for axis in found.stack if axis in has), *before, *after)

    def _seen(self, access: Access) -> Stacked:
        found = self.arrangement
        left = access == self._sides[0]
        groups = (found.rows, found.inner) if left else (found.inner, found.columns)
        name = self.windows.array if access == self.windowed else access.array
        return stacked(name, self._axes(access), groups, self.one.box, found.stack)

    def _lengths(self, axes: Axes) -> tuple[Expr, ...]:
        return tuple(self.one.box[axis] for axis in axes)


def planned(one: Contraction, output: Axes) -> Plan | None:
    """The plan of a contraction; nothing where it is no product of matrices.

    A product of two arrays is one, of which one at most is read in windows.
    """
    windowed = [access for access in (*one.factors, one.target) if not access.plain]
    if len(one.factors) != 2 or one.factors[0] == one.factors[1] or len(windowed) > 1:
        return None
    window = windowed[0] if windowed else None
    for block in dict.fromkeys((_block(one, window, output), None)):
        found = _plan(one, output, window, block)
        if found is not None and (block is None or found.arrangement.stack[:1] == (block,)):
            return found
    return None


def _plan(
    one: Contraction, output: Axes, window: Access | None, block: Symbol | None
) -> Plan | None:
    first, second, target = (access.axes(one.box) for access in (*one.factors, one.target))
    summed = block is not None and block not in target
    wanted = (block, *target) if summed and block is not None else target
    found = arranged(first, second, wanted) if one.target.plain else None
    direct = found is not None and not summed
    last = innermost(one, output)
    if found is None:
        found = in_own_order(first, second, wanted, last, block)
    if found is None:
        return None
    # in the order of an array that is not written anew, so that it need not be copied
    plain = next((access for access in one.factors if access.plain), one.factors[0])
    inner = tuple(axis for axis in plain.axes(one.box) if axis in found.inner)
    return Plan(one, replace(found, inner=inner), window, block, direct, summed, last)


def _block(one: Contraction, window: Access | None, output: Axes) -> Symbol | None:
    """The counter of the axis that can be walked block by block: the first one of all who have it.

    It counts examples, the output's first axis. Its length must be that of no other axis, since it
    stands for that of a block.
    """
    if window is None or window.places[0] != output[0]:
        return None
    counter = output[0]
    length = one.box[counter]
    for access in (*one.factors, one.target):
        if any(place.has(counter) for place in access.places[1:]):
            return None
    lengths = [other for axis, other in one.box.items() if axis != counter]
    lengths += [other for access in (*one.factors, one.target)
                for place, other in zip(access.places, access.lengths, strict=True)
                if place != counter]  # fmt: skip
    inside = [place for access in (*one.factors, one.target) for place in access.places]
    free = not any(expr.has(length) for expr in (*lengths, *inside, one.number))
    return counter if free and length.is_Symbol else None
