"""Weights before a layer whose output forgets the scale of its input: their gradient, and steps."""

from __future__ import annotations

import random

from sympy import Add, Expr, Indexed, Mul, Pow, Rational, S, Symbol

from symopt.declaration import ScaledWeights
from symopt.derivation.forward import leaves, position_of
from symopt.derivation.invariance import Change, invariance
from symopt.derivation.layer import Backward, derive_layer, dL
from symopt.derivation.letters import taken, unused
from symopt.derivation.orthogonality import weighted
from symopt.derivation.plain_forward import outputs
from symopt.derivation.steps import Derivation, Line
from symopt.errors import DerivationError
from symopt.nodes import Sigma
from symopt.notation import Hyperparameter, Parameter, count, given, index, primed
from symopt.symbols import alpha

_k = index("k", "bound")
_SIZE = 4
_STEP = Rational(1, 10**15)


def derive_scaled_weights(asked: ScaledWeights) -> tuple[Derivation, ...]:
    """That the gradient by weights a·w is 1/a of that by w, and what it adds up to along them.

    Raises
    ------
    DerivationError
        If the output of the layer changes with the scale of its input.
    """
    backward = derive_layer(asked.layer)
    names = taken(backward.definitions)
    (entry, *others) = leaves(backward.definitions)[1]
    a = Symbol(unused("a", names), positive=True)
    change = Change(entry, Mul(a, entry, evaluate=False), a, a)
    proof = invariance(backward, change)
    if others or proof is None:
        raise DerivationError(
            f"the output of {asked.layer.name} changes with the scale of its input; ask about a "
            "layer of which it does not, such as batch_norm"
        )
    (place,) = entry.indices
    w, u = given(unused("w", names))[_k], given(unused("u", names))[place, _k]
    over = (_k, S.One, count(unused("n", names)))
    limits = (position_of(backward.definitions), S.One, backward.definitions[-1].size)
    later, scaled = primed(entry.base)[entry.indices], primed(w.base)[_k]
    inverse = Pow(a, -1, evaluate=False)
    check = _check(backward, entry)
    euler = weighted(backward, entry, entry)
    rate = Mul(Pow(a, 2), alpha, evaluate=False)
    lines = (
        Line(entry, Sigma(Mul(w, u, evaluate=False), over), "weights before the layer"),
        Line(scaled, Mul(a, w, evaluate=False), "scaled weights"),
        Line(later, Mul(a, entry, evaluate=False), "what they make of the same input"),
        Line(
            dL(entry),
            Mul(a, dL(later), evaluate=False),
            "the output is the same function of both, proved above; chain rule",
            check,
        ),
        Line(dL(w), Sigma(Mul(dL(entry), u, evaluate=False), limits), "chain rule"),
        Line(dL(scaled), Sigma(Mul(dL(later), u, evaluate=False), limits), "chain rule"),
        Line(
            dL(scaled),
            Mul(inverse, dL(w), evaluate=False),
            "put in: the larger the weights are, the smaller is their gradient",
        ),
        Line(
            Add(scaled, Mul(-1, rate, dL(scaled), evaluate=False), evaluate=False),
            Mul(
                a,
                Add(w, Mul(-1, alpha, dL(w), evaluate=False), evaluate=False),
                evaluate=False,
            ),
            "put in: with a² times the learning rate the same step, so weights that have grown "
            "tolerate a larger one",
        ),
        Line(
            Sigma(Mul(w, dL(w), evaluate=False), over),
            Sigma(Mul(entry, dL(entry), evaluate=False), limits),
            "sums change places",
        ),
        Line(
            Sigma(Mul(w, dL(w), evaluate=False), over),
            euler.right,
            "the closed form put in: a step is orthogonal to the weights but for what is left",
            euler.check,
        ),
    )
    title = f"weights before {asked.layer.title}: their gradient and their scale"
    assumed = tuple(one for one in proof.assumptions)
    return proof, Derivation(asked.layer.name, title, lines, assumed)


def _check(backward: Backward, entry: Indexed) -> str:
    """Central differences of the equations themselves, at x and at a·x."""
    source, scale = random.Random(20260113), Rational(7, 3)
    letters = {one for each in backward.definitions for one in each.value.free_symbols}
    size = backward.definitions[-1].size
    numbers = {
        one: Rational(source.randint(1, 9), 7)
        for one in sorted(letters, key=str)
        if isinstance(one, Hyperparameter | Parameter)
    }
    # learned letters that differ from element to element
    rows = {
        one
        for each in backward.definitions
        for one in each.value.atoms(Indexed)
        if one.base.role == "learned"
    }
    learned = {
        one: [Rational(source.randint(1, 9), 5) for _ in range(_SIZE)]
        for one in sorted(rows, key=str)
    }
    x = [Rational(source.randint(-20, 20), 3) for _ in range(_SIZE)]
    weights = [Rational(source.randint(-9, 9), 4) for _ in range(_SIZE)]
    output = backward.definitions[-1].letter.base

    def slope(times: Expr, at: int) -> Expr:
        ends = []
        for side in (1, -1):
            moved = [times * one for one in x]
            moved[at] += side * _STEP
            own = {
                k: v * times**2 if isinstance(k, Hyperparameter) else v for k, v in numbers.items()
            }
            values = outputs(
                backward.definitions, {entry: moved, **learned}, {**own, size: S(_SIZE)}
            )
            ends.append(sum(b * values[output[S(k)]] for k, b in enumerate(weights, start=1)))
        return (ends[0] - ends[1]) / (2 * _STEP)

    for at in range(_SIZE):
        gap = slope(S.One, at) - scale * slope(scale, at)
        assert abs(gap) < Rational(1, 10**20), f"gradients of {backward.layer.name} at {x}"
    return f"checked against differences of the equations, {_SIZE} elements, to 20 digits"
