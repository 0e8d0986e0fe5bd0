"""Which axes of an array a layer averages over, and along which its parameters differ."""

from __future__ import annotations

from dataclasses import dataclass

from symopt.errors import DeclarationError

TOKENS = ("N", "C", "C/G", "H", "W")
PER = ("channel", "element")


@dataclass(frozen=True)
class Axis:
    """One axis of an array as a kernel walks it; ``letter`` names its length.

    N are examples, C channels, G groups of channels, K the channels of one group, S all places
    in space. Where parameters differ from element to element, E are the elements and R all before.
    """

    letter: str
    averaged: bool


@dataclass(frozen=True)
class Axes:
    """The axes in the order of memory; parameters differ along the letters in ``parameters``.

    Kernels take groups one after another where they are to keep them ``in_order``; else loops may
    change places.
    """

    walked: tuple[Axis, ...]
    parameters: tuple[str, ...]
    in_order: bool = False

    @property
    def averaged(self) -> tuple[str, ...]:
        """The axes that one group of elements extends over."""
        return tuple(one.letter for one in self.walked if one.averaged)

    @property
    def kept(self) -> tuple[str, ...]:
        """The axes that tell groups apart, each with statistics of its own."""
        return tuple(one.letter for one in self.walked if not one.averaged)

    @property
    def varied(self) -> bool:
        """Whether parameters differ within a group: γ_i rather than γ."""
        return any(one in self.averaged for one in self.parameters)

    @property
    def flat(self) -> Axes | None:
        """The axes of arrays with one place in space; none where a group would have one element."""
        *others, last = self.walked
        if last.letter != "S" or self.averaged == ("S",) or self.in_order:
            return None
        return Axes(tuple(others), self.parameters)

    @property
    def channels_last(self) -> bool:
        """Whether an array with its channels last in memory is a flat one of more examples."""
        return self.flat is not None and (self.averaged, self.kept) == (("N", "S"), ("C",))

    @property
    def apart(self) -> bool:
        """Whether each group has parameters of its own, that no other group reads."""
        return {*self.kept} == {*self.parameters}

    @property
    def shared(self) -> tuple[str, ...]:
        """The axes along which several groups share their parameters."""
        return tuple(one for one in self.kept if one not in self.parameters)

    @property
    def elementwise(self) -> bool:
        """Whether no element knows of another, and an array is one row."""
        return self.walked == ELEMENTS.walked


# where no element knows of another, an array is one row
ELEMENTS = Axes((Axis("E", True),), ())


def axes(where: str, over: str, per: str) -> Axes:
    """The axes of a layer that averages ``over`` some of N, C, H, W, its parameters ``per`` what.

    H and W stand for all axes in space, of which an array may have any number; ``C/G`` for the
    channels of one group of channels. Parameters differ ``per`` channel or per element.

    >>> axes("batch_norm", "N H W", "channel").kept
    ('C',)

    Raises
    ------
    DeclarationError
        For an axis that is not known, or a choice that no array can be walked by.
    """
    tokens = over.replace(",", " ").split() if isinstance(over, str) else []
    unknown = [one for one in tokens if one not in TOKENS]
    if unknown or not tokens:
        what = unknown[0] if unknown else repr(over)
        raise DeclarationError(
            f"{where} averages over {what}, which is no axis; write some of N, C, H and W, such "
            'as over="N H W", and C/G for the channels of a group'
        )
    if len(set(tokens)) < len(tokens) or {"C", "C/G"} <= set(tokens):
        raise DeclarationError(f"{where} averages over an axis twice in '{over}'; name each once")
    if ("H" in tokens) != ("W" in tokens):
        raise DeclarationError(
            f"{where} averages over one of H and W alone; name both, they stand for all axes in "
            "space, or none"
        )
    if per not in PER:
        raise DeclarationError(
            f"{where} has parameters per {per}; write per='channel' or per='element'"
        )
    if per == "element":
        if set(tokens) != {"C", "H", "W"}:
            raise DeclarationError(
                f"{where} has parameters per element, but averages over {over}; let it average "
                "over C H W, or have parameters per channel"
            )
        return Axes((Axis("R", False), Axis("E", True)), ("E",))
    space = Axis("S", "H" in tokens)
    examples = Axis("N", "N" in tokens)
    if "C/G" in tokens:
        return Axes((examples, Axis("G", False), Axis("K", True), space), ("G", "K"))
    return Axes((examples, Axis("C", "C" in tokens), space), ("C",))
