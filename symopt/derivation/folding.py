"""Inference folded into a linear map before it: an affine function of an affine function is one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Add, Dummy, Expr, Indexed, Mul, S

from symopt.calculus.adjoints import Definition
from symopt.calculus.normal_form import Knowledge, normal_form
from symopt.declaration import Layer
from symopt.derivation.forward import ROOT, leaves, roots
from symopt.derivation.fused import fused
from symopt.derivation.inference import at_inference
from symopt.derivation.letters import composed, key_of, taken, unused
from symopt.derivation.opinions import checked, second_opinion
from symopt.derivation.steps import Derivation, Line
from symopt.nodes import Sigma
from symopt.notation import (
    Index,
    Parameter,
    count,
    each,
    given,
    index,
    parameter,
    primed,
)
from symopt.views import canonical


@dataclass(frozen=True)
class Folding:
    """Inference as y = A x + B with ``slope`` A and ``intercept`` B, and the proof that it folds.

    Into x = Σ_k w_k u_k + b before it: the weights become A w_k, the bias A b + B.
    """

    slope: Expr
    intercept: Expr
    derivation: Derivation


def folding(layer: Layer) -> Folding | None:
    """How inference is taken into a linear map x = Σ_k w_k u_k + b before it, with the proof.

    None where the layer says nothing of inference, or where that is not affine in one input.
    """
    definitions = at_inference(layer)
    if not definitions:
        return None
    inputs = leaves(definitions)[1]
    if len(inputs) != 1:
        return None
    affine = _affine(_composed(definitions), inputs[0])
    if affine is None:
        return None
    known = Knowledge(roots(definitions))
    slope, intercept = (fused(one, known, ROOT) for one in affine)
    letters = _letters(definitions, slope, intercept)
    lines = (
        *_affine_lines(definitions, inputs[0], letters, known),
        *_folded_lines(definitions, inputs[0], letters, known),
    )
    title = f"inference of {layer.title} folded into a linear map before it"
    return Folding(slope, intercept, Derivation(layer.name, title, lines))


def _composed(definitions: tuple[Definition, ...]) -> Expr:
    """The output in terms of what no equation defines, as it is written."""
    images = composed((one.letter, one.written) for one in definitions)
    return images[key_of(definitions[-1].letter)][1]


def _affine(output: Expr, entry: Expr) -> tuple[Expr, Expr] | None:
    """Slope and intercept of the output as a function of an input; none if it is not affine."""
    place = Dummy(real=True)
    value = canonical(output).xreplace({entry: place})
    slope = value.diff(place)
    if value.has(entry.base, Sigma) or slope == 0 or slope.has(place):
        return None
    intercept = value.xreplace({place: S.Zero})
    # of an output that is its input nothing is left to fold
    return None if (slope, intercept) == (1, 0) else (slope, intercept)


# letters and lines


@dataclass(frozen=True)
class _Letters:
    """A, B, w_k, u_k and b, their folded forms, and what A and B stand for."""

    A: Expr
    B: Expr
    w: Expr
    u: Expr
    b: Expr
    new_w: Expr
    new_b: Expr
    k: Index
    n: Expr
    values: dict[Expr, Expr]

    def linear(self, weight: Expr, bias: Expr) -> Expr:
        """Σ_k weight·u_k + bias, as it is written."""
        body = Mul(weight, self.u, evaluate=False)
        return Add(Sigma(body, (self.k, S.One, self.n)), bias, evaluate=False)

    @property
    def affine(self) -> tuple[Expr, Expr]:
        """The folded weight and bias: A w_k and A b + B."""
        scaled = Mul(self.A, self.b, evaluate=False)
        return Mul(self.A, self.w, evaluate=False), Add(scaled, self.B, evaluate=False)


def _letters(definitions: tuple[Definition, ...], slope: Expr, intercept: Expr) -> _Letters:
    names = taken(definitions)
    place = definitions[-1].index
    own = (place,) if place is not None and (slope + intercept).atoms(Indexed) else ()
    k, n = index(unused("k", names)), count(unused("n", names))
    w, u = (given(unused(word, names)) for word in ("w", "u"))
    A, B = (_placed(parameter(unused(word, names)), own) for word in ("A", "B"))
    b = parameter(unused("b", names))
    new_w, new_b = primed(w)[(k, *own)], _placed(primed(b), own)
    return _Letters(A, B, w[k], u[k], b, new_w, new_b, k, n, {A: slope, B: intercept})


def _placed(letter: Parameter, own: tuple[Index, ...]) -> Expr:
    """The letter, with the element that it differs by, if it does."""
    return each(letter)[own] if own else letter


def _affine_lines(
    definitions: tuple[Definition, ...], x: Expr, letters: _Letters, known: Knowledge
) -> tuple[Line, ...]:
    """y = A x + B."""
    output, A, B = definitions[-1], letters.A, letters.B
    stated = _composed(definitions)
    affine = Add(Mul(A, x, evaluate=False), B, evaluate=False)
    one, other = canonical(stated), _spelt_out(affine, letters)
    assert normal_form(one, known) == normal_form(other, known)
    return (
        Line(output.letter, stated, ", ".join(one.id for one in reversed(definitions))),
        Line(
            output.letter,
            affine,
            "affine in the input",
            checked([output.size], second_opinion(one, other, definitions)),
        ),
        Line(A, letters.values[A], ("the slope by ", x)),
        Line(B, letters.values[B], ("the value at ", x, " = 0")),
    )


def _folded_lines(
    definitions: tuple[Definition, ...], x: Expr, letters: _Letters, known: Knowledge
) -> tuple[Line, ...]:
    """y = Σ_k (A w_k) u_k + (A b + B)."""
    output = definitions[-1]
    weight, bias = letters.affine
    before = Definition("", x, canonical(letters.linear(letters.w, letters.b)), output.index)
    before = replace(before, size=letters.n)
    there = canonical(_composed(definitions))
    one = there.xreplace({x: before.value})
    other = _spelt_out(letters.linear(weight, bias), letters)
    assert normal_form(one, known) == normal_form(other, known)
    check = checked([letters.n], second_opinion(there, other, (before,)))
    return (
        Line(x, letters.linear(letters.w, letters.b), "a linear map before it"),
        Line(output.letter, letters.linear(letters.new_w, letters.new_b), "both in one", check),
        Line(letters.new_w, weight, "its weights"),
        Line(letters.new_b, bias, "its bias"),
    )


def _spelt_out(expr: Expr, letters: _Letters) -> Expr:
    return canonical(expr).xreplace(
        {one: canonical(value) for one, value in letters.values.items()}
    )
