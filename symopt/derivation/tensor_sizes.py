"""Sizes of a tensor layer in a network: what its input tells, what is given, what follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy import Expr, Indexed, Integer

from symopt.calculus.terms import terms
from symopt.declaration import TensorLayer
from symopt.declaration.outline import Outline
from symopt.derivation.extents import extents
from symopt.derivation.small_sizes import whole
from symopt.errors import UsageError, nearest
from symopt.notation import Count, Hyperparameter
from symopt.printing.unicode import unicode

Shape = tuple[int | None, ...]


def tensor_shapes(
    layer: TensorLayer, input_shape: Shape, given: Mapping[str, Any]
) -> tuple[dict[str, int], Shape]:
    """All sizes of a layer by name, and the shape of its output.

    ``input_shape`` has no axis for examples, or None for it; the output's shape is then like it.
    ``given`` holds what the input does not tell, and hyperparameters that are not the defaults.
    What the input tells may be given too, and then has to agree.

    >>> from symopt.catalog.network.affine import affine
    >>> tensor_shapes(affine, (784,), {"K": 512})
    ({'J': 784, 'K': 512}, (512,))

    Raises
    ------
    UsageError
        In one sentence, for what does not fit.
    """
    outline = layer.outline
    if len(outline.inputs) != 1:
        names = " and ".join(unicode(one) for one in outline.inputs)
        raise UsageError(f"{layer.name} has the inputs {names}; a chain of layers passes on one")
    known = _given(layer, given)
    axes, examples = _axes(layer, input_shape)
    for axis, (letter, length) in enumerate(axes):
        _agree(layer, known, letter, length, f"axis {axis} of the input")
    for one in class_letters(layer):
        if one not in known:
            told = ", ".join(map(str, input_shape))
            raise UsageError(
                f"{layer.name} needs {unicode(one)}, which an input of shape ({told}) does not "
                f"tell; give it by the name {_python(one)}"
            )
    for letter, last in extents(layer).last:
        known[letter] = whole(last, known)
        if known[letter] < 1:
            raise UsageError(
                f"{layer.name} has no output: {unicode(letter)} = {unicode(last)} is "
                f"{known[letter]} for {_in_words(last, known)}"
            )
    batch = outline.batch
    inner = outline.output_shape[1:] if batch is not None else outline.output_shape
    output: Shape = tuple(whole(one, known) for one in inner)
    sizes = {_python(one): known[one] for one in _order(layer, outline) if one in known}
    return sizes, (None, *output) if examples else output


def class_sizes(layer: TensorLayer, sizes: Mapping[str, int]) -> dict[str, int]:
    """Of all sizes, those that the class of a layer is made from, by name and in its order.

    >>> from symopt.catalog.network.affine import affine
    >>> class_sizes(affine, {"N": 8, "J": 784, "K": 512})
    {'J': 784, 'K': 512}
    """
    taken = [*map(_python, class_letters(layer)), *map(_python, layer.hyperparameters)]
    return {one: sizes[one] for one in taken if one in sizes}


def class_letters(layer: TensorLayer) -> tuple[Count, ...]:
    """The lengths of what is learned, those that an input has too first."""
    outline = layer.outline
    learned = {one for letter in outline.learned for one in outline.shapes[letter]}
    found = dict.fromkeys(one for letter in outline.arrays for one in outline.shapes[letter])
    return tuple(one for one in found if one in learned and isinstance(one, Count))


def operations(layer: TensorLayer, sizes: Mapping[str, int]) -> int:
    """How often a forward pass over one example multiplies two entries and adds the product.

    ``sizes`` are those of ``tensor_shapes``. A product of three entries counts twice, a term that
    is one entry not at all, and what is read in the zeros around an array is counted.

    >>> from symopt.catalog.network.affine import affine
    >>> operations(affine, {"J": 784, "K": 512})
    401408

    Raises
    ------
    UsageError
        If a size is missing.
    """
    outline = layer.outline
    known: dict[Expr, int] = {}
    for one in _order(layer, outline):
        if _python(one) not in sizes:
            if one == _examples(outline):
                continue
            raise UsageError(
                f"{layer.name} needs {unicode(one)}; give all of what tensor_shapes has"
            )
        known[one] = sizes[_python(one)]
    found = 0
    for term in terms(outline.equation.right):
        entries = [one for one in term.factors if isinstance(one, Indexed)]
        points = max(0, len(entries) - 1)
        bound = [last for _, last in term.sums]
        inner = [outline.ranges[one] for one in outline.output.indices if one != outline.batch]
        for length in (*bound, *inner):
            points *= whole(length, known)
        found += points
    return found


def _order(layer: TensorLayer, outline: Outline) -> tuple[Expr, ...]:
    """All letters for whole numbers: lengths in the order of arrays, then hyperparameters."""
    lengths = (one for letter in outline.arrays for one in outline.shapes[letter])
    several = (*lengths, *outline.output_shape, *layer.hyperparameters)
    letters = [one for one in several if isinstance(one, Count | Hyperparameter) and one.is_integer]
    return tuple(dict.fromkeys(letters))


def _examples(outline: Outline) -> Expr | None:
    """The letter for the number of examples, which is no size of the layer."""
    return outline.ranges[outline.batch] if outline.batch is not None else None


def _python(one: Expr) -> str:
    name: str = one.spelling.python
    return name


def _given(layer: TensorLayer, given: Mapping[str, Any]) -> dict[Expr, int]:
    outline = layer.outline
    defaults = layer.default_values
    derived = {outline.ranges[one] for one in outline.sought} | {_examples(outline)}
    letters = {_python(one): one for one in _order(layer, outline) if one not in derived}
    others = {_python(one) for one in layer.hyperparameters} - set(letters)
    known = {one: int(value) for one, value in defaults.items() if one.is_integer}
    for name, value in given.items():
        if name in others:
            continue  # a number that no size depends on
        if name not in letters:
            raise UsageError(f"{layer.name} has no {name} to be given; {nearest(name, letters)}")
        known[letters[name]] = _checked(layer, letters[name], value)
    for one in layer.hyperparameters:
        if one.is_integer and one not in known:
            raise UsageError(f"{layer.name} needs {_python(one)}; give it a whole number")
    return known


def _checked(layer: TensorLayer, letter: Expr, value: Any) -> int:
    whole_number = isinstance(value, int) and not isinstance(value, bool)
    fits = whole_number and (
        letter.domain.contains(Integer(value)) == True  # noqa: E712  # SymPy's own true
        if isinstance(letter, Hyperparameter)
        else value >= 1
    )
    if not fits:
        words = f"in {letter.domain}" if isinstance(letter, Hyperparameter) else "from 1 on"
        raise UsageError(
            f"{layer.name} takes a whole number {words} for {_python(letter)}, not {value!r}"
        )
    return int(value)


def _axes(layer: TensorLayer, input_shape: Shape) -> tuple[list[tuple[Expr, int]], bool]:
    """The letters of the input's axes with their lengths, and whether examples have an axis."""
    outline = layer.outline
    lengths = outline.shapes[outline.inputs[0]]
    inner = lengths[1:] if outline.batch is not None else lengths
    shape = tuple(input_shape)
    examples = outline.batch is not None and len(shape) == len(lengths) and shape[0] is None
    shape = shape[1:] if examples else shape
    if len(shape) != len(inner):
        letters = ", ".join(map(unicode, inner))
        raise UsageError(
            f"{layer.name} takes an input with the axes ({letters}), not one of shape "
            f"({', '.join(map(str, input_shape))})"
        )
    found = []
    for letter, length in zip(inner, shape, strict=True):
        if not isinstance(length, int) or isinstance(length, bool) or length < 1:
            raise UsageError(
                f"{layer.name} takes whole numbers from 1 on for the lengths of its input, not "
                f"{length!r} for {unicode(letter)}"
            )
        found.append((letter, length))
    return found, examples


def _agree(
    layer: TensorLayer, known: dict[Expr, int], letter: Expr, length: int, where: str
) -> None:
    told = int(letter) if isinstance(letter, Integer) else known.setdefault(letter, length)
    if told != length:
        raise UsageError(f"{layer.name} has {unicode(letter)} = {told}, but {where} is {length}")


def _in_words(expr: Expr, known: Mapping[Expr, int]) -> str:
    symbols = sorted(expr.free_symbols, key=str)
    return ", ".join(f"{unicode(one)} = {known[one]}" for one in symbols)
