"""The equations of a layer once training is over."""

from __future__ import annotations

from dataclasses import replace

from sympy import Indexed

from symopt.calculus.adjoints import Definition
from symopt.declaration import Inference, Layer
from symopt.derivation.forward import definition, forward
from symopt.derivation.letters import key_of
from symopt.derivation.unbiased import answered
from symopt.notation import Statistic


def at_inference(layer: Layer) -> tuple[Definition, ...]:
    """The equations of the output once training is over: those that it does not need left out.

    There are none where a layer does at inference what it does in training.

    >>> from symopt.catalog.lecture.batch_norm import batch_norm
    >>> [one.id for one in at_inference(batch_norm)]
    ['batch_norm.inference', 'batch_norm.affine']
    """
    shown = [
        definition(layer.id_of(one.key), one.content.shown)
        for one in answered(layer).statements
        if isinstance(one.content, Inference)
    ]
    if not shown:
        return ()
    stated = {key_of(one.letter): one for one in shown}
    trained = forward(layer)
    size = trained[-1].size
    several = [stated.get(key_of(one.letter), one) for one in trained]
    needed: list[Definition] = []
    wanted = {key_of(several[-1].letter)}
    for one in reversed(several):
        if key_of(one.letter) in wanted:
            needed.insert(0, one if one.index is None else replace(one, size=size))
            wanted |= {part.base for part in one.value.atoms(Indexed)}
            wanted |= one.value.atoms(Statistic)
    return tuple(needed)
