"""All that is derived from a layer: its backward pass, then what else follows from its lines."""

from __future__ import annotations

from symopt.declaration import Layer, Loss
from symopt.derivation.ensemble import ensemble
from symopt.derivation.folding import folding
from symopt.derivation.invariance import invariances
from symopt.derivation.layer import derive_layer
from symopt.derivation.merging import mergings
from symopt.derivation.orthogonality import orthogonality
from symopt.derivation.running import corrections
from symopt.derivation.steps import Derivation
from symopt.derivation.unbiased import scales


def laws(layer: Layer) -> tuple[Derivation, ...]:
    """The derivations of a layer; a fact that does not hold for it is not among them."""
    backward = derive_layer(layer)
    if isinstance(layer, Loss):
        return (backward.derivation, *orthogonality(backward))
    folded = folding(layer)
    return (
        *(one.derivation for one in scales(layer)),
        backward.derivation,
        *orthogonality(backward),
        *((drawn,) if (drawn := ensemble(layer)) is not None else ()),
        *invariances(backward),
        *(one.derivation for one in mergings(backward)),
        *(one.derivation for one in corrections(layer)),
        *((folded.derivation,) if folded is not None else ()),
    )
