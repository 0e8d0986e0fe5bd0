"""A layer's letters by what they are, and its equations for each number of elements."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sympy import Basic, Indexed

from symopt.declaration import Inference, Layer
from symopt.notation import Count, Hyperparameter, Label, Parameter, Sequence, Statistic
from symopt.verification.chains import Chain
from symopt.verification.chance import Chance, chances
from symopt.verification.corrections import Correction, corrections
from symopt.verification.differences import Fine
from symopt.verification.group_world import Forward
from symopt.verification.scales import Scale, scales
from symopt.verification.unrolled import (
    Unrolled,
    inference,
    is_running,
    left_letter,
    output,
    training,
)
from symopt.views import occurrences


class Parts:
    """Training and inference for groups of so many elements, each part made when asked for."""

    def __init__(self, layer: Layer, size: int) -> None:
        self.layer = layer
        self.size = size
        self.training: Unrolled = training(layer, size)
        self.forward = Forward(self.training)

    @cached_property
    def chain(self) -> Chain:
        """The gradients by the chain rule."""
        return Chain(self.training.differentiated)

    @cached_property
    def fine(self) -> Fine:
        """The forward pass for central differences."""
        return Fine(self.training.equations)

    @cached_property
    def later(self) -> Forward:
        """The output once training is over."""
        return Forward(inference(self.layer, self.size))


@dataclass(frozen=True)
class LayerAnatomy:
    """What a layer reads and computes.

    ``given`` letters have a value for each element and come from outside, ``learned`` ones and
    ``labels`` come from outside too; ``averages`` are the statistics that are updated from their
    own past, and ``drawn`` letters are random. ``ids`` says which equation defines a letter.
    """

    layer: Layer
    output: Sequence | Statistic
    given: tuple[Sequence, ...]
    learned: tuple[Parameter | Sequence, ...]
    labels: tuple[Label, ...]
    averages: tuple[Statistic, ...]
    hyperparameters: tuple[Hyperparameter, ...]
    counts: tuple[Count, ...]
    ids: dict[Basic, str]
    corrections: tuple[Correction, ...]
    drawn: tuple[Chance, ...]
    scales: tuple[Scale, ...]
    parts_by_size: dict[int, Parts]

    @property
    def outside(self) -> tuple[Parameter | Sequence, ...]:
        """The letters that no equation defines: given, random and learned."""
        return (*self.given, *(one.letter for one in self.drawn), *self.learned)

    def parts(self, size: int) -> Parts:
        """The equations for groups of so many elements."""
        if size not in self.parts_by_size:
            self.parts_by_size[size] = Parts(self.layer, size)
        return self.parts_by_size[size]

    @property
    def letters(self) -> dict[str, Basic]:
        """Letters by their Python names."""
        known = (*self.given, *self.learned, *self.labels, *self.averages, *self.ids)
        return {one.spelling.python: one for one in known}


def layer_anatomy(layer: Layer) -> LayerAnatomy:
    """The letters of a layer, each in the order in which it is first read.

    Raises
    ------
    DeclarationError
        If no equation defines an output for each element, or a request has no meaning.
    """
    equations = [one for _, one in layer.equations]
    later = [s.meant.content for s in layer.statements]
    equations += [one.shown for one in later if isinstance(one, Inference)]
    ids = {left_letter(one): id for id, one in layer.equations}
    read = [x for one in equations for x in occurrences(one.right, Indexed, Parameter)]
    bases = dict.fromkeys(x.base if isinstance(x, Indexed) else x for x in read)
    outside = [x for x in bases if x not in ids]
    drawn = chances(layer)
    rights = [*(one.right for one in equations), *(one.share for one in drawn)]
    atoms = {x for one in rights for x in one.atoms(Hyperparameter, Count, Label)}
    ordered = sorted(atoms, key=lambda one: one.spelling.python)
    return LayerAnatomy(
        layer,
        output(layer),
        tuple(x for x in outside if isinstance(x, Sequence) and x.role == "given"),
        tuple(x for x in outside if isinstance(x, Parameter) or x.role == "learned"),
        tuple(one for one in ordered if isinstance(one, Label)),
        tuple(one.left for _, one in layer.equations if is_running(one)),
        tuple(one for one in ordered if isinstance(one, Hyperparameter)),
        tuple(one for one in ordered if isinstance(one, Count)),
        ids,
        corrections(layer),
        drawn,
        scales(layer),
        {},
    )
