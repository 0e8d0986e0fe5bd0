"""The formulas of a whole network: forward, what is made small, and the backward pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from sympy import Add, Expr, Float, Indexed, Mul, Pow

from symopt.declaration import (
    Content,
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
    relettered,
)
from symopt.derivation.network_objective import Completed, J, L, N, n, training_statements
from symopt.derivation.network_places import Place, places
from symopt.derivation.network_shapes import stages
from symopt.derivation.penalty import derive_penalty
from symopt.derivation.steps import Derivation, Line
from symopt.derivation.tensor_layer import derive_tensor_layer
from symopt.nodes import Gradient, Sigma
from symopt.notation import (
    Count,
    Hyperparameter,
    Sequence,
)
from symopt.views import canonical, rewrite


def network_statements(network: Network, completed: Completed) -> tuple[Statement, ...]:
    """The forward pass, the loss, what training makes small, and the step.

    ``completed`` gives the statements of a part with its requests replaced by what follows.
    """
    found: list[Statement] = []
    sizes = {one.name: dict(one.sizes) for one in stages(network)}
    for place in places(network):
        for one in completed(place.declared):
            content = _in_letters(one.content, place.letters)
            if content is not None:
                found.append(Statement(f"{place.name}.{one.key or 'equation'}", content))
        found += _settings(place, sizes.get(place.name, {}))
    return (*found, *training_statements(network, completed))


def network_backward(network: Network) -> Derivation:
    """The gradients of all layers from the last to the first, then those of the penalties."""
    several = places(network)
    lines = list(_backward(several[-1]))
    first = several[-1].letters[network.loss.declared.equations[-1][1].left]
    lines.insert(0, Line(Gradient(L, first), Pow(N, -1), f"the mean over {N.name} examples"))
    for place in reversed(several[:-1]):
        lines += _backward(place)
    lines += _owed(network, several)
    title = (f"backward pass of {network.title}",)
    return Derivation(network.name, title, tuple(lines))


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


# backward


def _backward(place: Place) -> Iterator[Line]:
    """The gradients of one layer's letters, its inputs last."""
    for leaf, form in _gradients(place.declared):
        shared = _is_learned(leaf) and _adds_up(place.declared)
        shown = relettered(form, place.letters)
        yield Line(
            Gradient(L, relettered(leaf, place.letters)),
            Sigma(shown, n) if shared else shown,
            f"through {place.name}{_SHARED if shared else ''}",
        )


_SHARED = ", added up over all that share it"


def _adds_up(declared: AnyLayer) -> bool:
    """Whether what is learned is shared by several groups, or by elements of one."""
    if not isinstance(declared, Layer):
        return False
    axes = declared.axes
    within = axes.varied and any(one not in axes.parameters for one in axes.averaged)
    return within or bool(axes.shared)


def _is_learned(leaf: Expr) -> bool:
    base = leaf.base if isinstance(leaf, Indexed) else leaf
    return not isinstance(base, Sequence) or base.role == "learned"


def _gradients(declared: AnyLayer) -> Iterable[tuple[Expr, Expr]]:
    if isinstance(declared, Layer):
        return derive_layer(declared).fused
    return ((one.entry, one.form) for one in derive_tensor_layer(declared).gradients)


def _owed(network: Network, several: tuple[Place, ...]) -> Iterator[Line]:
    """dJ/dW = dL/dW + λ dR/dW for each letter that a penalty is on."""
    for place in several:
        for leaf, _ in _gradients(place.declared):
            base = leaf.base if isinstance(leaf, Indexed) else leaf
            terms = [
                _share(one, relettered(leaf, place.letters))
                for one in network.penalties
                if _is_owed(one, base)
            ]
            if terms:
                letter = relettered(leaf, place.letters)
                whole = Add(Gradient(L, letter), *terms, evaluate=False)
                yield Line(Gradient(J, letter), whole, "the penalty's own share")


def _is_owed(penalty: Penalty, base: Expr) -> bool:
    return _is_learned(base) and (not penalty.letters or base.spelling.python in penalty.letters)


def _share(penalty: Penalty, letter: Expr) -> Expr:
    """λ·dR/dW for one penalty."""
    found = derive_penalty(penalty.regularizer)
    slope = rewrite(found.gradient, {found.entry: letter}.get)
    return canonical(Mul(Float(repr(penalty.strength)), slope))
