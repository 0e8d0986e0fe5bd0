"""The formulas of a whole network: forward, what is made small, and the backward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from sympy import Add, Expr, Float, Indexed, Mul, Pow, S

from symopt.declaration import (
    Configured,
    Content,
    Declaration,
    Default,
    Drawn,
    Equation,
    Layer,
    Network,
    Penalty,
    SideBySide,
    Statement,
    Value,
)
from symopt.derivation.layer import derive_layer
from symopt.derivation.network_letters import (
    AnyLayer,
    Letters,
    letters_at,
    numbered,
    relettered,
    signal,
)
from symopt.derivation.network_shapes import stages
from symopt.derivation.penalty import derive_penalty
from symopt.derivation.steps import Derivation, Line
from symopt.derivation.tensor_layer import derive_tensor_layer
from symopt.nodes import Gradient, Sigma
from symopt.notation import (
    Count,
    Hyperparameter,
    Parameter,
    Sequence,
    count,
    function,
    index,
    sequence,
)
from symopt.symbols import theta
from symopt.views import canonical, rewrite

_N, _n = count("N"), index("n", "example")
_J, _L = function("J"), function("L")

Completed = Callable[[Declaration], tuple[Statement, ...]]


@dataclass(frozen=True)
class Place:
    """A layer or the loss under its number, its letters replaced."""

    name: str
    part: Configured
    declared: AnyLayer
    number: int
    letters: Letters


def network_statements(network: Network, completed: Completed) -> tuple[Statement, ...]:
    """The forward pass, the loss, what training makes small, and the step.

    ``completed`` gives the statements of a part with its requests replaced by what follows.
    """
    found: list[Statement] = []
    sizes = {one.name: dict(one.sizes) for one in stages(network)}
    for place in _places(network):
        for one in completed(place.declared):
            content = _in_letters(one.content, place.letters)
            if content is not None:
                found.append(Statement(f"{place.name}.{one.key or 'equation'}", content))
        found += _settings(place, sizes.get(place.name, {}))
    found.append(Statement("objective", _objective(network)))
    found += _penalties(network)
    for part in (network.rule, network.schedule, network.stopping):
        if part is not None:
            found += _of_training(part, completed)
    return tuple(found)


def network_backward(network: Network) -> Derivation:
    """The gradients of all layers from the last to the first, then those of the penalties."""
    places = _places(network)
    lines = list(_backward(places[-1]))
    first = places[-1].letters[network.loss.declared.equations[-1][1].left]
    lines.insert(0, Line(Gradient(_L, first), Pow(_N, -1), f"the mean over {_N.name} examples"))
    for place in reversed(places[:-1]):
        lines += _backward(place)
    lines += _owed(network, places)
    title = (f"backward pass of {network.title}",)
    return Derivation(network.name, title, tuple(lines))


def _places(network: Network) -> tuple[Place, ...]:
    """Layers with their numbers, then the loss; what only changes shapes has no letters."""
    parts = [
        (name, one)
        for name, one in zip(network.names, network.layers, strict=True)
        if isinstance(one, Configured)
    ]
    parts.append((network.loss.declared.name, network.loss))
    between = signal(part.declared for _, part in parts)
    return tuple(
        Place(name, part, part.declared, number, letters_at(part.declared, number, between))
        for number, (name, part) in enumerate(parts, start=1)
        if isinstance(part.declared, AnyLayer)  # as the network has checked
    )


def _in_letters(content: Content, letters: Letters) -> Content | None:
    """A statement of a layer in a network's letters; none where it is of no forward pass."""
    match content:
        case Equation(left, right):
            return replace(
                content, left=relettered(left, letters), right=relettered(right, letters)
            )
        case Drawn(letter, distribution):
            return Drawn(relettered(letter, letters), relettered(distribution, letters))
        case Value(shown):
            return _in_letters(shown, letters)
        case SideBySide(equations):
            several = [_in_letters(one, letters) for one in equations]
            return SideBySide(tuple(one for one in several if isinstance(one, Equation)))
    return None


def _settings(place: Place, sizes: Mapping[str, int]) -> Iterator[Statement]:
    """The values of sizes and hyperparameters at their place."""
    declared = place.declared
    values = {one.spelling.python: value for one, value in declared.default_values.items()}
    values |= {**sizes, **place.part.chosen}
    for one, letter in place.letters.items():
        name = getattr(one, "spelling", None) and one.spelling.python
        if isinstance(one, Hyperparameter | Count) and name in values:
            yield Statement(f"{place.name}.{name}", Default(letter, values[name]))


def _objective(network: Network) -> Equation:
    """J = 1/N Σ ℓ_n + λ R(θ)."""
    letter = numbered(network.loss.declared.equations[-1][1].left, len(_places(network)))
    spelling = letter.spelling
    each = sequence("loss", latex=spelling.latex, unicode=spelling.unicode, python=spelling.python)
    mean = Mul(Pow(_N, -1), Sigma(each[_n], (_n, S.One, _N)), evaluate=False)
    owed = [
        Mul(Float(repr(one.strength)), _penalized(network, place), evaluate=False)
        for place, one in enumerate(network.penalties)
    ]
    return Equation(_J(theta), Add(mean, *owed, evaluate=False) if owed else mean)


def _penalized(network: Network, place: int) -> Expr:
    """R(θ), or R(W) of the letter that it is on; R_1 and so on where there are several."""
    word = "R" if len(network.penalties) == 1 else f"R_{place + 1}"
    return function(word)(_argument(network, network.penalties[place]))


def _argument(network: Network, penalty: Penalty) -> Sequence:
    """The one letter that a penalty is on, of all layers, or θ for several."""
    known = {
        one.spelling.python: one.spelling
        for place in _places(network)
        for one in place.letters
        if isinstance(one, Parameter | Sequence)
    }
    if len(penalty.letters) != 1 or penalty.letters[0] not in known:
        return theta
    spelling = known[penalty.letters[0]]
    names = {"latex": spelling.latex, "unicode": spelling.unicode, "python": spelling.python}
    return sequence("W", **names)


def _penalties(network: Network) -> Iterator[Statement]:
    for place, one in enumerate(network.penalties):
        found = derive_penalty(one.regularizer)
        _, stated = one.regularizer.equations[0]
        letters = {found.entry.base: _argument(network, one)}
        right = relettered(stated.right, letters)
        shown = replace(stated, left=_penalized(network, place), right=right)
        yield Statement(f"{one.regularizer.name}", shown)


def _of_training(part: Configured, completed: Completed) -> Iterator[Statement]:
    """The statements of a rule or a schedule, defaults by what the network chose."""
    chosen = part.chosen
    for one in completed(part.declared):
        content = one.content
        if isinstance(content, Default):
            name = content.parameter.spelling.python
            content = replace(content, value=chosen.pop(name, content.value))
        yield Statement(f"{part.declared.name}.{one.key or 'equation'}", content)
    letters = {one.spelling.python: one for one in part.declared.symbols(Hyperparameter)}
    for name, value in chosen.items():
        yield Statement(f"{part.declared.name}.{name}", Default(letters[name], value))


# backward


def _backward(place: Place) -> Iterator[Line]:
    """The gradients of one layer's letters, its inputs last."""
    for leaf, form in _gradients(place.declared):
        yield Line(
            Gradient(_L, relettered(leaf, place.letters)),
            relettered(form, place.letters),
            f"through {place.name}",
        )


def _gradients(declared: AnyLayer) -> Iterable[tuple[Expr, Expr]]:
    if isinstance(declared, Layer):
        return derive_layer(declared).fused
    return ((one.entry, one.form) for one in derive_tensor_layer(declared).gradients)


def _owed(network: Network, places: tuple[Place, ...]) -> Iterator[Line]:
    """dJ/dW = dL/dW + λ dR/dW for each letter that a penalty is on."""
    for place in places:
        for leaf, _ in _gradients(place.declared):
            base = leaf.base if isinstance(leaf, Indexed) else leaf
            terms = [
                _share(one, relettered(leaf, place.letters))
                for one in network.penalties
                if _is_owed(one, base)
            ]
            if terms:
                letter = relettered(leaf, place.letters)
                whole = Add(Gradient(_L, letter), *terms, evaluate=False)
                yield Line(Gradient(_J, letter), whole, "the penalty's own share")


def _is_owed(penalty: Penalty, base: Expr) -> bool:
    learned = not isinstance(base, Sequence) or base.role == "learned"
    return learned and (not penalty.letters or base.spelling.python in penalty.letters)


def _share(penalty: Penalty, letter: Expr) -> Expr:
    """λ·dR/dW for one penalty."""
    found = derive_penalty(penalty.regularizer)
    slope = rewrite(found.gradient, {found.entry: letter}.get)
    return canonical(Mul(Float(repr(penalty.strength)), slope))
