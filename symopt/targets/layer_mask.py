"""The function of a layer's module that tells where training draws a 1."""

from __future__ import annotations

from typing import Any

from symopt.declaration import Layer
from symopt.program.ir import NUMBER, Argument
from symopt.program.randomness import sources
from symopt.targets.calling import number_check
from symopt.targets.layer_draws import checked_words, drawn_array, drawn_numbers, words_of
from symopt.targets.layer_functions import described, in_full


def mask_function(layer: Layer) -> list[dict[str, Any]]:
    """The function, as the template lays it out; none where nothing is drawn."""
    drawn = sources(layer)
    if not drawn:
        return []
    defaults = {one.spelling.python: value for one, value in layer.default_values.items()}
    numbers = [
        Argument(name, NUMBER, domain=one.domain, default=defaults.get(name))
        for name, one in sorted(drawn_numbers(drawn).items())
    ]
    taken = (*words_of(drawn), *numbers)
    arrays = [line for one in drawn for line in drawn_array(one, "shape", "np.bool_")]
    names = [one.name for one in drawn]
    return [
        {
            "name": "mask",
            "signature": ["shape: int | tuple[int, ...]", *in_full(layer, taken)],
            "summary": "Where training draws a 1, as booleans",
            "returns": names,
            "words": ["shape: that of the input.", *(described(layer, a, "") for a in taken)],
            "lines": [
                *(f"{one.name} = {number_check(one)}" for one in numbers),
                *checked_words(drawn),
                "shape = _check_shape(shape)",
                *arrays,
            ],
            "returned": ", ".join(names),
            "single": len(names) == 1,
        }
    ]
