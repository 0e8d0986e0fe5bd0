"""Where a loss is smallest: its gradient is 0, which says what the differences of inputs are."""

from __future__ import annotations

import random

from sympy import Add, Expr, Indexed, Integer, KroneckerDelta, Mul, Rational, S, log, simplify

from symopt.declaration import BestInputs
from symopt.derivation.forward import leaves
from symopt.derivation.in_order import facing
from symopt.derivation.layer import Backward, derive_layer, dL
from symopt.derivation.plain_forward import outputs
from symopt.derivation.steps import Derivation, Line
from symopt.errors import DerivationError
from symopt.notation import Hyperparameter, Label, index
from symopt.views import canonical

_j = index("j", "bound")
_SIZES = (2, 3, 5)
_TRIES = 12
_STEP = Rational(1, 10**15)


def derive_best_inputs(asked: BestInputs) -> tuple[Derivation, ...]:
    """From the gradient of a loss to the differences of the inputs at which it vanishes.

    Raises
    ------
    DerivationError
        If the gradient is no difference of a probability and a target.
    """
    backward = derive_layer(asked.layer)
    entry = leaves(backward.definitions)[1][0]
    gradient = dict(backward.fused)[entry]
    found = _difference(canonical(gradient))
    defined = {one.letter: one for one in backward.definitions}
    if found is None or not set(found) <= set(defined):
        raise DerivationError(
            f"the gradient of {asked.layer.name} is no difference of two letters; ask about a loss "
            "of which it is, such as softmax_cross_entropy"
        )
    p, q = found
    if defined[q].value.has(entry.base, *(one for one in defined if one.is_Symbol)):
        p, q = q, p
    label = next(iter(defined[q].value.atoms(Label)), None)
    if label is None:
        raise DerivationError(
            f"{asked.layer.name} has no correct class of its own; ask about a loss with a label"
        )
    values = [_target(defined[q].value, same) for same in (True, False)]
    ratio = values[0] / values[1]
    gap = Add(entry.base[label], -entry.base[_j], evaluate=False)
    odds = Mul(p.base[label], 1 / p.base[_j], evaluate=False)
    check = _check(backward, entry, p, values, label)
    lines = (
        Line(dL(entry), gradient, "the gradient of the loss"),
        Line(p, q, "where it is 0 for each class"),
        Line(q.base[label], facing(values[0], _size(backward)), "the target of the correct class"),
        Line(q.base[_j], facing(values[1], _size(backward)), "the target of each other class"),
        Line(p, defined[p].written, defined[p].id),
        Line(log(odds), gap, "all else in it is the same for both", check),
        Line(gap, log(facing(simplify(ratio), _size(backward)), evaluate=False), "put in", check),
    )
    title = f"inputs at which {asked.layer.title} is smallest"
    assumptions = ((_j, " ≠ ", label), ("both targets are above 0",))
    return (Derivation(asked.layer.name, title, lines, assumptions),)


def _difference(expr: Expr) -> tuple[Indexed, Indexed] | None:
    """The two letters of a factor p − q."""
    for part in Mul.make_args(expr):
        if isinstance(part, Add) and len(part.args) == 2:
            one, other = part.args
            letters = [each for each in (one, other, -one, -other) if each.is_Indexed]
            if len(letters) == 2 and letters[0] != letters[1]:
                return letters[0], letters[1]
    return None


def _target(value: Expr, same: bool) -> Expr:
    """A target with its Kronecker delta put in."""
    known = S.One if same else S.Zero
    return simplify(canonical(value).replace(KroneckerDelta, lambda *_: known))


def _size(backward: Backward) -> Expr:
    """How many classes there are."""
    size = backward.definitions[-1].size
    assert size is not None  # classes are summed over
    return size


def _check(backward: Backward, entry: Indexed, p: Indexed, values: list[Expr], label: Label) -> str:
    """Slopes of the equations themselves are 0 there, and the loss is larger at other places."""
    source = random.Random(20260114)
    definitions = backward.definitions
    size, loss = _size(backward), definitions[-1].letter
    letters = sorted(values[0].atoms(Hyperparameter), key=str)
    for number in _SIZES:
        known = {size: Integer(number), label: S.One}
        known |= {one: _inside(values, one, known) for one in letters}
        apart = log(values[0] / values[1]).subs(known).evalf(50)
        best = [apart, *[S.Zero] * (number - 1)]

        def at(inputs: list[Expr], known: dict[Expr, Expr] = known) -> Expr:
            return outputs(definitions, {entry: inputs}, known)[loss]

        shares = outputs(definitions, {entry: best}, known)
        odds = log(shares[p.base[S.One]] / shares[p.base[Integer(2)]])
        assert abs(odds - apart) < Rational(1, 10**40), "shares differ by more than their inputs"
        least = at(best)
        for place in range(number):
            ends = [
                at([one + side * _STEP if k == place else one for k, one in enumerate(best)])
                for side in (1, -1)
            ]
            assert abs(ends[0] - ends[1]) / (2 * _STEP) < Rational(1, 10**20), "a slope is left"
        for _ in range(_TRIES):
            other = [one + Rational(source.randint(-30, 30), 10) for one in best]
            assert at(other) >= least - Rational(1, 10**40), "the loss is smaller elsewhere"
    sizes = ", ".join(map(str, _SIZES))
    return f"checked against slopes and {_TRIES} other places for {sizes} classes, to 20 digits"


def _inside(values: list[Expr], letter: Hyperparameter, known: dict[Expr, Expr]) -> Rational:
    """A number at which all targets are above 0."""
    return next(
        Rational(k, 10)
        for k in range(9, 0, -1)
        if all(one.subs({**known, letter: Rational(k, 10)}) > 0 for one in values)
    )
