"""The equations of a layer once training is over."""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, Indexed

from symopt.calculus.adjoints import Definition
from symopt.declaration import Inference, Layer
from symopt.views import canonical


def at_inference(layer: Layer, definitions: tuple[Definition, ...]) -> tuple[Definition, ...]:
    """The equations from the input to the output, those for inference in their places.

    There are none where a layer does at inference what it does in training.

    >>> from symopt.catalog.lecture.batch_norm import batch_norm
    >>> from symopt.derivation.layer import forward
    >>> [one.id for one in at_inference(batch_norm, forward(batch_norm))]
    ['batch_norm.inference', 'batch_norm.affine']
    """
    replaced = {
        _letter(one.content.shown.left): (layer.id_of(one.key), one.content.shown)
        for one in layer.statements
        if isinstance(one.content, Inference)
    }
    if not replaced:
        return ()
    found = []
    for one in definitions:
        if _letter(one.letter) in replaced:
            id, shown = replaced[_letter(one.letter)]
            found.append(replace(one, id=id, value=canonical(shown.right), written=shown.right))
        elif one.index is not None:
            found.append(one)
    return tuple(found)


def _letter(left: Expr) -> Expr:
    return left.base if isinstance(left, Indexed) else left
